/* The whole way over two files, or one: found out, opened, put side by side, computed, audited. */
#include "fuzz/fuzz.h"

#include <stdlib.h>

#include "analysis/audit.h"
#include "analysis/scan.h"
#include "analysis/session.h"
#include "analysis/verdict.h"
#include "base/limits.h"

enum { ROWS = 16, ELEMENTS = 1 << 22 }; /* repeated constants may be of any size */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

static void compute(struct session *s)
{
	struct scan *scan = scan_new(s, NULL, NULL);
	size_t n = s->n_rows < ROWS ? s->n_rows : ROWS;
	size_t bytes = 0;

	for (size_t i = 0; i < n; i++) {
		const struct row *r = &s->rows[i];

		bytes += (r->t[A] ? r->t[A]->count & 0xffffff : 0) + (r->t[B] ? r->t[B]->count & 0xffffff : 0);
		if (bytes > ELEMENTS)
			n = i;
		else
			scan_ask(scan, i, WANT_STATS | WANT_DIST | WANT_BINS, PRIO_BATCH, 16);
	}
	for (size_t i = 0; i < n; i++)
		scan_wait(scan, i);
	scan_free(scan);
}

static bool is_small(const struct model *m)
{
	return m->n_tensors <= 2 * ROWS && model_parameters(m) <= ELEMENTS;
}

/* As weigh audit does: of two, what is new in B. */
static void audit(struct session *s)
{
	struct audit a = {0}, b = {0};

	for (int side = 0; side < (int)s->n_models; side++)
		if (!is_small(&s->m[side]))
			return;
	audit_model(&a, s, A, NULL);
	if (s->n_models == 2) {
		audit_model(&b, s, B, NULL);
		audit_news(&b, &a);
	}
	audit_free(&a);
	audit_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct command audits = {.findings = true}; /* opened as for an audit: with what is refused */
	struct opts o = {.threads = 1, .cmd = &audits};
	struct session s = {0};
	struct fuzz_files files;
	struct err e;

	limits.inflated = 4 << 20;
	if (fuzz_write(&files, p, n, "x")) {
		for (unsigned i = 0; i < files.n && i < 2; i++)
			o.path[o.n_paths++] = files.path[i];
		if (session_open(&s, &o, &e) == RC_OK) {
			size_t n_meta;

			session_start(&s);
			compute(&s);
			audit(&s);
			free(session_meta(&s, &n_meta));
			session_close(&s);
		}
	}
	fuzz_remove(&files);
	return 0;
}
