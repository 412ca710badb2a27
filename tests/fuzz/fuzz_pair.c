/* The whole way over two files: found out, opened, put side by side, computed. */
#include "fuzz/fuzz.h"

#include <stdlib.h>

#include "analysis/scan.h"
#include "analysis/session.h"
#include "analysis/verdict.h"

enum { ROWS = 50 };

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
		if (bytes > 1 << 22) /* repeated constants may be of any size */
			n = i;
		else
			scan_ask(scan, i, WANT_STATS | WANT_DIST | WANT_BINS, PRIO_BATCH, 16);
	}
	for (size_t i = 0; i < n; i++)
		scan_wait(scan, i);
	scan_free(scan);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct opts o = {.threads = 1, .unpacking = {.most = 4 << 20}};
	struct session s = {0};
	struct fuzz_files files;
	struct err e;

	if (fuzz_write(&files, p, n, "x")) {
		for (unsigned i = 0; i < files.n && i < 2; i++)
			o.path[o.n_paths++] = files.path[i];
		if (session_open(&s, &o, &e) == RC_OK) {
			size_t n_meta;

			session_start(&s);
			compute(&s);
			free(session_meta(&s, &n_meta));
			session_close(&s);
		}
	}
	fuzz_remove(&files);
	return 0;
}
