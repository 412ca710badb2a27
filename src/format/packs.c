#include "format/packs.h"

#include <stdlib.h>
#include <string.h>

#include "format/packer.h"

static const struct rule {
	const char *ending;
	void (*apply)(struct packer *, struct str base, struct tensor *);
} rules[] = {
	{"_blocks", rule_blocks},
	{".blocks", rule_blocks},
	{".weight_packed", rule_ct},
	{".qweight", rule_qweight},
	{".quant_state.bitsandbytes__nf4", rule_bnb},
	{".quant_state.bitsandbytes__fp4", rule_bnb},
	{".SCB", rule_scb},
	{".biases", rule_mlx},
	{".scales", rule_mlx_float},
	{"_scale_inv", rule_scale_inv},
	{"_scale", rule_scale},
	{".scale", rule_plain_scale},
	{".scale_weight", rule_scale_weight},
};

/* The rule that a name's ending calls for: its place in the table, or COUNT(rules). */
static size_t rule_of(struct str name, struct str *base)
{
	for (size_t i = 0; i < COUNT(rules); i++) {
		struct str ending = str_of(rules[i].ending);

		if (name.n > ending.n && memcmp(name.p + name.n - ending.n, ending.p, ending.n) == 0) {
			*base = (struct str){name.p, name.n - ending.n};
			return i;
		}
	}
	return COUNT(rules);
}

static void apply(struct packer *pk, struct doubt *doubts)
{
	for (size_t i = 0; i < pk->n; i++) {
		struct tensor *t = &pk->m->tensors[i];
		struct str base;
		size_t r = rule_of(t->name, &base);

		if (r == COUNT(rules) || find(pk, t->name, "") != t)
			continue;
		pk->doubt = &doubts[r];
		rules[r].apply(pk, base, t);
	}
}

static void index_names(struct packer *pk)
{
	map_reserve(&pk->names, pk->n);
	for (size_t i = 0; i < pk->n; i++)
		if (map_add(&pk->names, pk->m->tensors[i].name, (uint32_t)i) != MAP_NONE)
			map_set(&pk->names, pk->m->tensors[i].name, NAME_TWICE);
}

static void drop_parts(struct packer *pk)
{
	size_t n = 0;

	for (size_t i = 0; i < pk->n; i++)
		if (!pk->taken[i])
			pk->m->tensors[n++] = pk->m->tensors[i];
	pk->m->n_tensors = n;
}

static void note_doubts(struct model *m, const struct doubt *doubts)
{
	for (size_t i = 0; i < COUNT(rules); i++) {
		const struct doubt *d = &doubts[i];

		if (d->n == 1)
			model_note(m, d->name, "shown as stored: %s", d->why);
		else if (d->n)
			model_note(m, d->name, "shown as stored, as are %zu more like it: %s", d->n - 1, d->why);
	}
}

void packs_recognise(struct model *m)
{
	struct packer pk = {.m = m, .n = m->n_tensors};
	struct doubt doubts[COUNT(rules)] = {{{NULL, 0}, NULL, 0}};
	struct str base;
	size_t i = 0;

	while (i < pk.n && rule_of(m->tensors[i].name, &base) == COUNT(rules))
		i++;
	if (i == pk.n)
		return;
	pk.taken = xcalloc(pk.n, sizeof(*pk.taken));
	index_names(&pk);
	apply(&pk, doubts);
	drop_parts(&pk);
	note_doubts(m, doubts);
	json_decref(pk.config);
	json_decref(pk.quantize);
	map_free(&pk.names);
	free(pk.taken);
}
