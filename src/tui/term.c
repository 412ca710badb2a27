#include "tui/term.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/utf8.h"

/*
 * Signals and workers only set a flag and write a byte into a pipe; the loop that sleeps in poll does the rest. So
 * nothing of curses runs in a signal handler or on another thread. The handlers are installed before newterm, which
 * then leaves them alone.
 */

/* How a role looks. -1 is the terminal's own colour. The letter is what tests save: upper case when reversed. */
struct look {
	char letter;
	short fg, bg;     /* of 256 colours, on a dark background */
	short light, light_bg; /* and on a light one */
	short fg8;        /* of 8; the background is always the terminal's own */
	attr_t attr;      /* beside the colour */
	attr_t mono;      /* without any */
};

static const struct look looks[ROLE_COUNT] = {
	[ROLE_TEXT] = {'.', -1, -1, -1, -1, -1, 0, 0},
	[ROLE_DIM] = {'d', 244, -1, 243, -1, -1, 0, A_DIM},
	[ROLE_TITLE] = {'t', 252, 236, 235, 253, -1, A_BOLD, A_BOLD | A_UNDERLINE},
	[ROLE_HEADER] = {'h', 110, -1, 24, -1, COLOR_CYAN, 0, A_UNDERLINE},
	[ROLE_GROUP] = {'g', -1, -1, -1, -1, -1, A_BOLD, A_BOLD},
	[ROLE_STATUS] = {'s', 250, 236, 237, 253, -1, 0, 0},
	[ROLE_CURSOR] = {'c', -1, -1, -1, -1, -1, A_REVERSE, A_REVERSE},
	[ROLE_RESTING] = {'r', -1, 238, -1, 252, -1, A_BOLD, A_BOLD | A_UNDERLINE},
	[ROLE_SAME] = {'=', 108, -1, 65, -1, COLOR_GREEN, 0, 0},
	[ROLE_CONVERTED] = {'>', 139, -1, 90, -1, COLOR_MAGENTA, 0, 0},
	[ROLE_CHANGED] = {'~', 179, -1, 94, -1, COLOR_YELLOW, 0, A_BOLD},
	[ROLE_ADDED] = {'+', 114, -1, 28, -1, COLOR_GREEN, A_BOLD, A_BOLD},
	[ROLE_REMOVED] = {'-', 174, -1, 131, -1, COLOR_RED, 0, A_BOLD},
	[ROLE_PROBLEM] = {'!', 203, -1, 160, -1, COLOR_RED, A_BOLD, A_BOLD},
	[ROLE_BAR] = {'b', 179, -1, 136, -1, COLOR_YELLOW, 0, 0},
	[ROLE_A] = {'x', 74, -1, 25, -1, COLOR_CYAN, 0, 0},
	[ROLE_B] = {'y', 173, -1, 130, -1, COLOR_MAGENTA, 0, 0},
	[ROLE_D] = {'z', 179, -1, 94, -1, COLOR_YELLOW, 0, 0},
	[ROLE_MATCH] = {'m', 16, 221, 16, 221, COLOR_YELLOW, A_BOLD, A_REVERSE | A_BOLD},
};

#ifdef BUTTON5_PRESSED
enum { WHEEL_DOWN = BUTTON5_PRESSED };
#else /* curses of 32-bit masks has no room for the fifth button: the wheel turns one way */
enum { WHEEL_DOWN = 0 };
#endif

/* Pairs of colours: 0 is curses' own, then the roles, then all pairs of levels of each scale, from -1 to the one
 * for what is no number. */
enum {
	PAIRS_SIZE = ROLE_COUNT + 1,
	PAIRS_SIGNED = PAIRS_SIZE + (SIZE_LEVELS + 2) * (SIZE_LEVELS + 2),
	PAIRS_END = PAIRS_SIGNED + (SIGNED_LEVELS + 2) * (SIGNED_LEVELS + 2)
};

const char *const theme_names[THEME_COUNT] = {
	[THEME_AUTO] = "auto", [THEME_DARK] = "dark", [THEME_LIGHT] = "light", [THEME_TERMINAL] = "terminal",
	[THEME_MONO] = "mono",
};

static struct {
	SCREEN *screen;
	FILE *in, *out; /* of a terminal that nobody sees: /dev/null; else NULL */
	bool open, seen, colours, ascii;
	bool own;     /* it can name its own colours */
	bool allowed; /* there are colours, and nobody asked for none */
	enum theme theme;
	bool direct, scales; /* colours are 0xRRGGBB; there are enough of them for scales */
	bool made[PAIRS_END];
	struct termios before;
	bool has_before;
	bool mouse;
	struct mouse last_mouse;
	struct buf text; /* what is being put */
	char restore[128]; /* what the terminal must be sent when the program dies on another thread */
	int pipe[2];
	int width, height;
} term;

static volatile sig_atomic_t got_resize, got_stop, got_continue, got_end;
static atomic_bool woken;

static const int end_signals[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT};
static const int faults[] = {SIGSEGV, SIGABRT, SIGFPE, SIGILL};
static struct sigaction old_end[COUNT(end_signals)], old_winch, old_stop, old_continue;

static void nudge(void)
{
	int saved = errno;

	/* a full pipe wakes just as well; a byte that a signal kept back would be missed for ever */
	while (write(term.pipe[1], "", 1) < 0 && errno == EINTR)
		;
	errno = saved;
}

static void on_signal(int sig)
{
	if (sig == SIGWINCH)
		got_resize = 1;
	else if (sig == SIGTSTP)
		got_stop = 1;
	else if (sig == SIGCONT)
		got_continue = 1;
	else
		got_end = sig;
	nudge();
}

void term_wake(void)
{
	if (!atomic_exchange(&woken, true))
		nudge();
}

/* The hook of die(), perhaps on a worker: plain bytes and tcsetattr, nothing of curses, where another thread may be. */
static void restore_raw(void)
{
	if (!term.open || !term.seen)
		return;
	if (write(STDOUT_FILENO, term.restore, strlen(term.restore)) < 0)
		return;
	if (term.has_before)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &term.before);
}

/* The program is about to die of a fault of its own: the terminal first, and then as if nobody had been asked. */
static void on_fault(int sig)
{
	restore_raw();
	signal(sig, SIG_DFL);
	raise(sig);
}

/* Not where someone else has an eye on them: a sanitizer, say. */
static void catch_faults(void)
{
	struct sigaction sa = {.sa_handler = on_fault}, old;

	sigemptyset(&sa.sa_mask);
	for (size_t i = 0; i < COUNT(faults); i++)
		if (sigaction(faults[i], NULL, &old) == 0 && !(old.sa_flags & SA_SIGINFO) && old.sa_handler == SIG_DFL)
			sigaction(faults[i], &sa, NULL);
}

static void catch_signals(void)
{
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	sigemptyset(&sa.sa_mask);
	sigaction(SIGWINCH, &sa, &old_winch);
	sigaction(SIGTSTP, &sa, &old_stop);
	sigaction(SIGCONT, &sa, &old_continue);
	for (size_t i = 0; i < COUNT(end_signals); i++) {
		sigaction(end_signals[i], NULL, &old_end[i]);
		if (old_end[i].sa_handler != SIG_IGN) /* nohup */
			sigaction(end_signals[i], &sa, NULL);
	}
}

static void release_signals(void)
{
	sigaction(SIGWINCH, &old_winch, NULL);
	sigaction(SIGTSTP, &old_stop, NULL);
	sigaction(SIGCONT, &old_continue, NULL);
	for (size_t i = 0; i < COUNT(end_signals); i++)
		sigaction(end_signals[i], &old_end[i], NULL);
}

static const char mouse_off[] = "\033[?1006l\033[?1002l\033[?1000l";

static void add_restore(const char *capability)
{
	const char *s = tigetstr(capability);
	size_t n = strlen(term.restore);

	if (s && s != (char *)-1 && n + strlen(s) + sizeof(mouse_off) < sizeof(term.restore))
		memcpy(term.restore + n, s, strlen(s) + 1);
}

/* ---- looks ---- */

static bool wants_colours(const struct opts *o)
{
	const char *no = getenv("NO_COLOR");

	if (o->color == WHEN_NEVER || (o->color == WHEN_AUTO && no && *no))
		return false;
	return has_colors() && start_color() == OK;
}

/* A terminal of direct colour says so with RGB, which may be a flag, a number or a string. */
static bool has_direct_colour(void)
{
	const char *s = tigetstr("RGB");

	return COLORS > 256 && (tigetflag("RGB") > 0 || tigetnum("RGB") > 0 || (s && s != (char *)-1));
}

/* What the terminal calls one of the 256 colours; -1 is its own. */
static int name_of(int colour)
{
	return term.direct && colour >= 16 ? (int)ramp_xterm_rgb(colour) : colour;
}

static void set_pair(int pair, int fg, int bg)
{
#if NCURSES_VERSION_MAJOR > 6 || (NCURSES_VERSION_MAJOR == 6 && NCURSES_VERSION_MINOR > 0)
	init_extended_pair(pair, fg, bg);
#else
	init_pair((short)pair, (short)fg, (short)bg);
#endif
}

/* "15;0": the numbers of the foreground and, last, the background. */
static bool is_light(void)
{
	const char *s = getenv("COLORFGBG"), *last = s ? strrchr(s, ';') : NULL;

	return last && (strcmp(last, ";7") == 0 || strcmp(last, ";15") == 0);
}

static bool few_colours(void)
{
	return COLORS < 256 || term.theme == THEME_TERMINAL;
}

static void set_role(enum role role, bool own)
{
	const struct look *l = &looks[role];
	bool light = term.theme == THEME_LIGHT;
	int fg = few_colours() ? l->fg8 : name_of(light ? l->light : l->fg);
	int bg = few_colours() ? -1 : name_of(light ? l->light_bg : l->bg);

	/* a terminal that cannot name its own colours has white on black */
	set_pair((int)role + 1, fg < 0 && !own ? COLOR_WHITE : fg, bg < 0 && !own ? COLOR_BLACK : bg);
}

void term_theme(enum theme theme)
{
	term.theme = theme != THEME_AUTO ? theme : is_light() ? THEME_LIGHT : THEME_DARK;
	term.colours = term.allowed && term.theme != THEME_MONO;
	if (!term.colours) {
		term.scales = false;
		return;
	}
	memset(term.made, 0, sizeof(term.made)); /* pairs of scales are made anew as they are used */
	term.scales = term.own && !few_colours() && COLOR_PAIRS >= PAIRS_END;
	for (int i = 0; i < ROLE_COUNT; i++)
		set_role((enum role)i, term.own);
}

static void set_colours(const struct opts *o)
{
	term.allowed = wants_colours(o);
	if (term.allowed) {
		term.own = use_default_colors() == OK;
		term.direct = has_direct_colour();
	}
	term_theme(THEME_AUTO);
}

/* Pairs of a scale are made when they are first used: two levels, the upper in front of the lower. */
static int scale_pair(enum scale s, int upper, int lower)
{
	int n = ramp_levels(s) + 2, pair = (s == SCALE_SIZE ? PAIRS_SIZE : PAIRS_SIGNED) + (upper + 1) * n + lower + 1;
	int name[2] = {-1, -1};

	if (term.made[pair])
		return pair;
	for (int half = 0; half < 2; half++) {
		int level = half ? lower : upper;
		uint32_t rgb = level >= 0 ? ramp_rgb(s, level, term.theme == THEME_LIGHT) : 0;

		if (level >= 0)
			name[half] = term.direct ? (int)rgb : ramp_nearest_xterm(rgb);
	}
	set_pair(pair, name[0], name[1]);
	term.made[pair] = true;
	return pair;
}

static attr_t attr_of(enum role role)
{
	attr_t a = looks[role].attr;

	if (!term.colours)
		return looks[role].mono;
	if (!few_colours())
		return a;
	/* eight colours have no grey to set lines apart with */
	if (role == ROLE_DIM)
		return A_DIM;
	if (role == ROLE_MATCH)
		return A_REVERSE;
	return role == ROLE_RESTING || role == ROLE_TITLE ? A_BOLD | A_UNDERLINE : a;
}

static short pair_of(enum role role)
{
	return term.colours ? (short)(role + 1) : 0;
}

/* ---- taking and giving back ---- */

/* Until it was suspended once, ncurses (6.4) writes its buffer out whenever the cursor moves: a hundred writes a
 * screen, after each of which another thread may have the processor. */
static void write_in_one(void)
{
	endwin(); /* the first refresh goes on */
}

static enum rc open_screen(const struct opts *o, struct err *e)
{
	const char *name = getenv("TERM");

	use_env(TRUE);
	if (o->keys_file) {
		term.in = fopen("/dev/null", "r");
		term.out = fopen("/dev/null", "w");
		if (!term.in || !term.out)
			return err_set(e, "/dev/null: %s", strerror(errno));
		term.screen = newterm(name && *name ? name : "xterm-256color", term.out, term.in);
		if (!term.screen)
			term.screen = newterm("vt100", term.out, term.in);
	} else {
		use_tioctl(TRUE); /* the terminal knows its size better than the environment */
		term.has_before = tcgetattr(STDIN_FILENO, &term.before) == 0;
		term.screen = newterm(NULL, stdout, stdin);
		if (term.screen)
			write_in_one();
	}
	if (!term.screen)
		return err_set(e, "a terminal of type '%s' is not known (TERM)", name ? name : "");
	return RC_OK;
}

/* Descriptions of terminals and character sets lie where libraries do, unless the environment says otherwise. */
void term_needs(struct sandbox *box)
{
	static const char *const lists[] = {"TERMINFO", "TERMINFO_DIRS", "LOCPATH"};
	const char *home = getenv("HOME");
	struct buf path = {0};

	for (size_t i = 0; i < COUNT(lists); i++)
		for (const char *p = getenv(lists[i]); p && *p; p += strspn(p, ":")) {
			buf_clear(&path);
			buf_add(&path, p, strcspn(p, ":"));
			if (path.n)
				sandbox_allow(box, path.p, SANDBOX_READ);
			p += path.n;
		}
	buf_clear(&path);
	buf_printf(&path, "%s/.terminfo", home ? home : "");
	sandbox_allow(box, path.p, SANDBOX_READ);
	buf_free(&path);
}

static enum rc open_pipe(struct err *e)
{
	if (pipe(term.pipe) != 0)
		return err_set(e, "cannot make a pipe: %s", strerror(errno));
	for (int i = 0; i < 2; i++) {
		fcntl(term.pipe[i], F_SETFL, O_NONBLOCK);
		fcntl(term.pipe[i], F_SETFD, FD_CLOEXEC);
	}
	return RC_OK;
}

enum rc term_open(const struct opts *o, struct err *e)
{
	memset(&term, 0, sizeof(term));
	got_resize = got_stop = got_continue = got_end = 0;
	woken = false;
	setlocale(LC_CTYPE, "");
	if (open_pipe(e) != RC_OK)
		return RC_FAIL;
	term.open = true;
	catch_signals();
	catch_faults();
	if (open_screen(o, e) != RC_OK) {
		term_close();
		return RC_FAIL;
	}
	term.seen = !o->keys_file;
	term.ascii = o->ascii || strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
	if (!term.seen)
		resizeterm(o->rows ? (int)o->rows : 24, o->columns ? (int)o->columns : 80);
	set_colours(o);
	cbreak();
	noecho();
	nonl();
	intrflush(stdscr, FALSE);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	leaveok(stdscr, FALSE);
	set_escdelay(25);
	for (size_t i = 0; i < 4; i++)
		add_restore((const char *const[]){"sgr0", "cnorm", "rmkx", "rmcup"}[i]);
	getmaxyx(stdscr, term.height, term.width);
	term_use_mouse(true);
	if (term.mouse)
		memcpy(term.restore + strlen(term.restore), mouse_off, sizeof(mouse_off)); /* add_restore left room */
	die_hook = restore_raw;
	return RC_OK;
}

/* Curses asks for presses and releases alone (1000); this also has moves while a button is down (1002). */
static void tell_of_drags(bool on)
{
	if (!term.mouse || !term.seen)
		return;
	fputs(on ? "\033[?1002h" : "\033[?1002l", stdout);
	fflush(stdout);
}

void term_give_back(void)
{
	if (!term.screen)
		return;
	tell_of_drags(false);
	endwin();
	delscreen(term.screen);
	term.screen = NULL;
	term.seen = false;
}

void term_close(void)
{
	if (!term.open)
		return;
	term_give_back();
	term.open = false;
	die_hook = NULL;
	release_signals();
	close(term.pipe[0]);
	close(term.pipe[1]);
	if (term.in)
		fclose(term.in);
	if (term.out)
		fclose(term.out);
	term.in = term.out = NULL;
	buf_free(&term.text);
}

int term_signal(void)
{
	return got_end;
}

bool term_ascii(void)
{
	return term.ascii;
}

void term_size(int *columns, int *rows)
{
	*columns = term.width;
	*rows = term.height;
}

void term_resize(int columns, int rows)
{
	resizeterm(rows, columns);
	getmaxyx(stdscr, term.height, term.width);
}

static void fit_to_window(void)
{
	struct winsize ws;

	if (term.seen && ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_row > 0 && ws.ws_col > 0)
		term_resize(ws.ws_col, ws.ws_row);
}

static void suspend(void)
{
	struct sigaction ours, plain = {.sa_handler = SIG_DFL};

	tell_of_drags(false);
	def_prog_mode();
	endwin();
	sigemptyset(&plain.sa_mask);
	sigaction(SIGTSTP, &plain, &ours);
	raise(SIGTSTP); /* returns when the shell lets us go on */
	sigaction(SIGTSTP, &ours, NULL);
	reset_prog_mode();
	tell_of_drags(true);
	fit_to_window();
	term_redraw();
}

/* ---- drawing ---- */

/* In the attributes that are set. Who made the text has made it harmless, and this leaves it as it is; should that be
 * forgotten somewhere, the terminal is not to pay for it. */
static int put(int y, int x, int width, struct str s)
{
	wchar_t out[256];
	size_t n = 0, used;
	uint32_t cp;

	if (y < 0 || y >= term.height || x < 0 || x >= term.width || width <= 0)
		return 0;
	if (width > term.width - x)
		width = term.width - x;
	buf_clear(&term.text);
	utf8_display(&term.text, s, term.ascii);
	s = buf_view(&term.text);
	s.n = utf8_fit(s, (size_t)width, &used);
	move(y, x);
	while (s.n) {
		size_t len = utf8_next(s, &cp);

		out[n++] = (wchar_t)(len ? cp : '?');
		len = len ? len : 1;
		s = (struct str){s.p + len, s.n - len};
		if (n == COUNT(out) || s.n == 0) {
			addnwstr(out, (int)n);
			n = 0;
		}
	}
	return (int)used;
}

int term_put(int y, int x, int width, enum role role, struct str s)
{
	attr_set(attr_of(role), pair_of(role), NULL);
	return put(y, x, width, s);
}

/* What a level's own colour lies behind, so that its glyph shows without disturbing. */
static int lighter(enum scale s, int level)
{
	int last = ramp_levels(s) - 1, by = s == SCALE_SIZE ? 2 : level < SIGNED_ZERO ? -1 : 1;

	return level + by < 0 ? 0 : level + by > last ? last : level + by;
}

bool term_has_scales(void)
{
	return term.scales;
}

void term_shade(int y, int x, int width, enum scale scale, int level, struct str s)
{
	if (term.scales)
		attr_set(A_NORMAL, (short)scale_pair(scale, lighter(scale, level), level), NULL);
	else
		attr_set(attr_of(ROLE_TEXT), pair_of(ROLE_TEXT), NULL);
	put(y, x, width, s);
}

/* On bright colours the scale's own darkest one is easier to read than the terminal's. */
void term_tint(int y, int x, int width, enum scale scale, int level, struct str s)
{
	int dark = scale == SCALE_SIZE ? 0 : SIGNED_ZERO, far = level > dark ? level - dark : dark - level;
	bool bright = far > (scale == SCALE_SIZE ? 11 : 7);

	if (term.scales)
		attr_set(A_NORMAL, (short)scale_pair(scale, bright ? dark : -1, level), NULL);
	else
		attr_set(attr_of(ROLE_TEXT), pair_of(ROLE_TEXT), NULL);
	put(y, x, width, s);
}

/* The upper half block shows the upper colour; where that is the terminal's own, the lower one shows the other. */
void term_halves(int y, int x, enum scale scale, int upper, int lower)
{
	bool turned = upper < 0;

	if (!term.scales)
		return;
	attr_set(A_NORMAL, (short)scale_pair(scale, turned ? lower : upper, turned ? upper : lower), NULL);
	put(y, x, 1, turned ? lower < 0 ? STR(" ") : STR("▄") : STR("▀"));
}

int term_puts(int y, int x, int width, enum role role, const char *s)
{
	return term_put(y, x, width, role, str_of(s));
}

void term_fill(int y, int x, int width, enum role role)
{
	if (y < 0 || y >= term.height || x < 0 || x >= term.width || width <= 0)
		return;
	attr_set(attr_of(role), pair_of(role), NULL);
	mvhline(y, x, ' ', width < term.width - x ? width : term.width - x);
}

void term_clear(void)
{
	attr_set(A_NORMAL, 0, NULL);
	erase();
}

void term_redraw(void)
{
	clearok(curscr, TRUE);
}

void term_flush(int y, int x)
{
	move(y < term.height ? y : term.height - 1, x < term.width ? x : term.width - 1);
	refresh();
}

/* ---- events ---- */

static unsigned take_signals(void)
{
	unsigned ev = 0;

	if (got_end)
		return EV_END;
	if (got_stop) {
		got_stop = got_continue = 0;
		suspend();
		got_continue = 0;
		ev |= EV_RESIZE;
	}
	if (got_continue) { /* after SIGSTOP, of which nobody told us: the shell has had the terminal meanwhile */
		got_continue = 0;
		reset_prog_mode();
		term_redraw();
		got_resize = 1;
	}
	if (got_resize) {
		got_resize = 0;
		fit_to_window();
		ev |= EV_RESIZE;
	}
	return ev;
}

unsigned term_wait(int ms)
{
	struct pollfd fds[2] = {{.fd = term.pipe[0], .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
	char drain[64];
	unsigned ev = 0;
	int n = poll(fds, term.seen ? 2 : 1, ms);

	if (n > 0 && (fds[0].revents & POLLIN)) {
		while (read(term.pipe[0], drain, sizeof(drain)) == sizeof(drain))
			;
		if (atomic_exchange(&woken, false))
			ev |= EV_WAKE;
	}
	if (n > 0 && term.seen && (fds[1].revents & (POLLHUP | POLLERR | POLLNVAL)))
		ev |= EV_END; /* the terminal is gone */
	else if (n > 0 && term.seen && (fds[1].revents & POLLIN))
		ev |= EV_KEY;
	return ev | take_signals();
}

/* ---- the mouse ---- */

enum { DOUBLE_MS = 400 };

void term_use_mouse(bool on)
{
	mmask_t ours = BUTTON1_PRESSED | BUTTON1_RELEASED | BUTTON4_PRESSED | REPORT_MOUSE_POSITION;

	ours |= WHEEL_DOWN;
	if (!on)
		tell_of_drags(false);
	term.mouse = mousemask(on ? ours : 0, NULL) != 0;
	mouseinterval(0);
	tell_of_drags(true);
}

/* A second press at the same place, soon, makes two. */
static enum mouse_what press_at(int x, int y)
{
	static struct timespec last;
	static int last_x = -1, last_y;
	struct timespec now;
	long ms;
	bool twice;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (long)(now.tv_sec - last.tv_sec) * 1000 + (now.tv_nsec - last.tv_nsec) / 1000000;
	twice = x == last_x && y == last_y && ms < DOUBLE_MS;
	last = now;
	last_x = twice ? -1 : x; /* a third one begins anew */
	last_y = y;
	return twice ? MOUSE_DOUBLE : MOUSE_PRESS;
}

/* Of several events that arrive at once curses keeps the last one: a release without a press stands for both. */
static int mouse_key(void)
{
	static bool down;
	MEVENT ev;

	if (getmouse(&ev) != OK)
		return K_OTHER;
	term.last_mouse = (struct mouse){MOUSE_DRAG, ev.x, ev.y};
	if ((ev.bstate & BUTTON1_PRESSED) || ((ev.bstate & BUTTON1_RELEASED) && !down))
		term.last_mouse.what = press_at(ev.x, ev.y);
	else if (ev.bstate & BUTTON1_RELEASED)
		term.last_mouse.what = MOUSE_RELEASE;
	down = ev.bstate & BUTTON1_PRESSED || (down && !(ev.bstate & BUTTON1_RELEASED));
	if (ev.bstate & (BUTTON1_PRESSED | BUTTON1_RELEASED))
		return K_MOUSE;
	if (ev.bstate & BUTTON4_PRESSED)
		term.last_mouse.what = MOUSE_WHEEL_UP;
	else if (ev.bstate & WHEEL_DOWN)
		term.last_mouse.what = MOUSE_WHEEL_DOWN;
	return K_MOUSE;
}

struct mouse term_mouse(void)
{
	return term.last_mouse;
}

static int named_key(wint_t code)
{
	static const struct {
		wint_t code;
		int key;
	} names[] = {
		{KEY_UP, K_UP},       {KEY_DOWN, K_DOWN},   {KEY_LEFT, K_LEFT},   {KEY_RIGHT, K_RIGHT},
		{KEY_HOME, K_HOME},   {KEY_END, K_END},     {KEY_PPAGE, K_PGUP},  {KEY_NPAGE, K_PGDN},
		{KEY_ENTER, K_ENTER}, {KEY_BACKSPACE, K_BACKSPACE},
	};

	for (size_t i = 0; i < COUNT(names); i++)
		if (names[i].code == code)
			return names[i].key;
	return K_OTHER;
}

int term_key(void)
{
	wint_t c;

	if (!term.seen)
		return K_NONE;
	switch (get_wch(&c)) {
	case OK:
		return c == '\r' || c == '\n' ? K_ENTER : c == '\t' ? K_TAB : c == 27 ? K_ESC :
		       c == 127 || c == 8 ? K_BACKSPACE : (int)c;
	case KEY_CODE_YES:
		if (c == KEY_RESIZE) {
			got_resize = 1;
			return K_OTHER;
		}
		return c == KEY_MOUSE ? mouse_key() : named_key(c);
	default:
		return K_NONE;
	}
}

/* ---- giving text away ---- */

static void base64(struct buf *out, struct str s)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = (const unsigned char *)s.p;

	for (size_t i = 0; i < s.n; i += 3) {
		unsigned n = s.n - i < 3 ? (unsigned)(s.n - i) : 3, bits = 0;

		for (unsigned k = 0; k < 3; k++)
			bits = bits << 8 | (k < n ? p[i + k] : 0);
		for (unsigned k = 0; k < 4; k++)
			buf_putc(out, k <= n ? digits[bits >> (18 - 6 * k) & 63] : '=');
	}
}

bool term_copy(struct str s)
{
	const char *name = getenv("TERM");
	struct buf b = {0};

	/* consoles without a clipboard, which show what they do not understand */
	if (name && (strncmp(name, "linux", 5) == 0 || strncmp(name, "vt", 2) == 0))
		return false;
	buf_puts(&b, "\033]52;c;");
	base64(&b, s);
	buf_puts(&b, "\a");
	fwrite(b.p, 1, b.n, term.seen ? stdout : term.out);
	fflush(term.seen ? stdout : term.out);
	buf_free(&b);
	return true;
}

void term_text(struct buf *out, int y)
{
	size_t cap = (size_t)term.width * 6 + 1; /* combining characters share a cell */
	wchar_t *line = xcalloc(cap, sizeof(*line));
	int n = mvinnwstr(y, 0, line, (int)cap - 1);

	while (n > 0 && line[n - 1] == L' ')
		n--;
	for (int i = 0; i < n; i++) {
		char mb[16];
		mbstate_t state = {0};
		size_t len = wcrtomb(mb, line[i], &state);

		buf_add(out, len == (size_t)-1 ? "?" : mb, len == (size_t)-1 ? 1 : len);
	}
	free(line);
}

void term_line(struct buf *out, int y, int x, int width)
{
	struct buf whole = {0};
	struct str s;
	size_t used;

	term_text(&whole, y);
	s = buf_view(&whole);
	used = utf8_fit(s, (size_t)x, &(size_t){0});
	s = (struct str){s.p + used, s.n - used};
	s.n = utf8_fit(s, (size_t)width, &used);
	while (s.n && s.p[0] == ' ') {
		s.p++;
		s.n--;
	}
	while (s.n && s.p[s.n - 1] == ' ')
		s.n--;
	buf_str(out, s);
	buf_free(&whole);
}

/* ---- for tests ---- */

void term_save_text(FILE *f)
{
	struct buf b = {0};

	for (int y = 0; y < term.height; y++) {
		term_text(&b, y);
		buf_putc(&b, '\n');
	}
	fwrite(b.p, 1, b.n, f);
	buf_free(&b);
}

/* Without colours: b bold, d dim, u underlined, and upper case, or R for nothing else, when reversed. */
static char letter_of(attr_t a, short pair)
{
	char c;

	if (pair > 0 && pair <= ROLE_COUNT)
		return looks[pair - 1].letter;
	c = (a & A_BOLD) ? 'b' : (a & A_DIM) ? 'd' : (a & A_UNDERLINE) ? 'u' : (a & A_REVERSE) ? 'r' : '.';
	return (a & A_REVERSE) && c != '.' ? (char)(c - 'a' + 'A') : c;
}

/* A level of a scale as a letter; half: 0 the upper one, 1 the lower one. */
static char level_letter(short pair, wchar_t shown, int half)
{
	bool of_size = pair < PAIRS_SIGNED;
	int n = (of_size ? SIZE_LEVELS : SIGNED_LEVELS) + 2, i = pair - (of_size ? PAIRS_SIZE : PAIRS_SIGNED);
	bool halves = shown == L'▀' || shown == L'▄', front = halves && (shown == L'▄') == (half == 1);
	int level = (front ? i / n : i % n) - 1; /* a text's is that of its background */

	if (level < 0 || (!halves && half))
		return '.';
	return of_size ? "0123456789ABCDEFGHIJK"[level] : (char)('A' + level);
}

static char look_at(int y, int x, int half)
{
	wchar_t text[CCHARW_MAX + 1] = {0};
	cchar_t cell;
	attr_t a = 0;
	short pair = 0;

	if (mvin_wch(y, x, &cell) == OK)
		getcchar(&cell, text, &a, &pair, NULL);
	if (pair >= PAIRS_SIZE)
		return level_letter(pair, text[0], half);
	return half ? '.' : letter_of(a, pair);
}

void term_save_attrs(FILE *f)
{
	bool halves = false;

	for (int half = 0; half < 1 + halves; half++)
		for (int y = 0; y < term.height; y++) {
			for (int x = 0; x < term.width; x++) {
				fputc(look_at(y, x, half), f);
				halves |= look_at(y, x, 1) != '.';
			}
			fputc('\n', f);
		}
}
