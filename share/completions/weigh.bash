# bash completion for weigh(1)

_weigh()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local commands='summary list stats diff hist show meta audit export formats'
	local options='--output --sort --reverse --top --group --match --exclude --status --atol --rtol --brief
		--distribution --exact --bins --fail-on --threads --color --progress --ascii --format --raw --parts --cpu --io --unpack --limit --no-renames --no-sandbox --keys --size --version --help'

	# readline splits words at "=": --color=al is three of them
	if [[ $cur == '=' ]]; then
		cur=
	elif [[ $prev == '=' ]]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	case $prev in
	-o | --output)
		if [[ " ${COMP_WORDS[*]} " == *' export '* ]]; then
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			return
		fi
		mapfile -t COMPREPLY < <(compgen -W 'text json jsonl csv tsv markdown html sarif' -- "$cur")
		return
		;;
	--color | --progress)
		mapfile -t COMPREPLY < <(compgen -W 'auto always never' -- "$cur")
		return
		;;
	--status)
		mapfile -t COMPREPLY < <(compgen -W 'identical equal cast quantised changed undecoded reshaped added removed renamed' -- "$cur")
		return
		;;
	-s | --sort)
		mapfile -t COMPREPLY < <(compgen -W "$(weigh formats --sort . 2>&1 |
			sed -n 's/.*there are \(.*\) (try.*/\1/p')" -- "$cur")
		return
		;;
	--format)
		mapfile -t COMPREPLY < <(compgen -W "$(weigh formats --format . 2>&1 |
			sed -n 's/.*there are \(.*\) (try.*/\1/p' | tr -d ,)" -- "$cur")
		return
		;;
	--fail-on)
		mapfile -t COMPREPLY < <(compgen -W 'note warning danger' -- "$cur")
		return
		;;
	--cpu)
		mapfile -t COMPREPLY < <(compgen -W 'c neon avx2 avx512' -- "$cur")
		return
		;;
	--io)
		mapfile -t COMPREPLY < <(compgen -W 'auto mmap read' -- "$cur")
		return
		;;
	-n | --top | -g | --group | -m | --match | -v | --exclude | --atol | --rtol | --bins | -j | --threads | --unpack | --limit | --size)
		return
		;;
	esac
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
	elif ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur"; compgen -f -- "$cur")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	fi
}

complete -o filenames -F _weigh weigh
