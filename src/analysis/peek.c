#include "analysis/peek.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/errand.h"
#include "analysis/scan.h"
#include "base/err.h"
#include "bytes/stream.h"

struct peek {
	struct errand errand; /* first */
	struct session *s;
	const struct row *r;
	struct peek_ask ask;
	uint8_t *bytes[2];
	size_t n[2];
	char *error[2];
};

static enum rc inflate(struct peek *p, int side, struct err *e)
{
	const struct tensor *t = p->r->t[side];
	struct stream *in;
	uint64_t left = p->ask.offset[side];
	uint8_t waste[4096];
	enum rc rc = stream_open(&in, &p->s->m[side].source, t->data, e);

	if (rc != RC_OK)
		return rc;
	while (rc == RC_OK && left && !p->errand.job.cancel) {
		size_t n = (size_t)u64_min(sizeof(waste), left);

		rc = stream_read(in, waste, n, e);
		left -= n;
	}
	if (rc == RC_OK && !p->errand.job.cancel)
		rc = stream_read(in, p->bytes[side], p->n[side], e);
	stream_close(in);
	return rc;
}

static void read_side(struct peek *p, int side)
{
	const struct tensor *t = p->r->t[side];
	struct bytes all;
	struct err e;

	if (!t || !p->ask.n[side] || p->ask.offset[side] > t->data.length)
		return;
	p->n[side] = (size_t)u64_min(p->ask.n[side], t->data.length - p->ask.offset[side]);
	p->bytes[side] = xmalloc(p->n[side] ? p->n[side] : 1);
	if (source_slice(&p->s->m[side].source, t->data, &all))
		memcpy(p->bytes[side], all.p + p->ask.offset[side], p->n[side]);
	else if (inflate(p, side, &e) != RC_OK)
		p->error[side] = xstrdup(e.msg);
}

static void run(struct job *job, uint64_t part, void *out, unsigned worker)
{
	(void)part, (void)out, (void)worker;
	for (int side = A; side <= B; side++)
		read_side((struct peek *)job, side);
}

static void peek_free(struct errand *e)
{
	struct peek *p = (struct peek *)e;

	for (int side = A; side <= B; side++) {
		free(p->bytes[side]);
		free(p->error[side]);
	}
	free(p);
}

struct peek *peek_start(struct session *s, size_t row, const struct peek_ask *ask, void (*wake)(void *), void *arg)
{
	struct peek *p = xcalloc(1, sizeof(*p));

	p->s = s;
	p->r = &s->rows[row];
	p->ask = *ask;
	p->errand.job.parts = 1;
	p->errand.job.priority = PRIO_SELECTED;
	p->errand.job.run = run;
	p->errand.free = peek_free;
	errand_start(&p->errand, s->pool, wake, arg);
	return p;
}

void peek_drop(struct peek *p)
{
	errand_drop(p ? &p->errand : NULL);
}

void peek_wait(struct peek *p, unsigned ms)
{
	errand_wait(&p->errand, ms);
}

bool peek_done(struct peek *p)
{
	return errand_done(&p->errand);
}

const uint8_t *peek_bytes(struct peek *p, int side, size_t *n, const char **error)
{
	*n = p->n[side];
	*error = p->error[side];
	return p->error[side] ? NULL : p->bytes[side];
}
