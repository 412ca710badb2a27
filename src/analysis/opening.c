#include "analysis/opening.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/errand.h"
#include "base/err.h"

struct opening {
	struct errand errand; /* first: the pool hands it back */
	const struct opts *opts;
	char *path;
	struct unpacking unpacking;
	struct model model;
	bool open; /* and not handed over */
	enum rc rc;
	struct err why;
	_Atomic uint64_t out, in, of;
};

/* On a worker, as every so many bytes came out. */
static void note_progress(void *arg, uint64_t out, uint64_t in, uint64_t of)
{
	struct opening *o = arg;

	o->out = out;
	o->in = in;
	o->of = of;
}

static bool is_dropped(void *arg)
{
	struct opening *o = arg;

	return o->errand.job.cancel;
}

static void run(struct job *job, uint64_t part, void *out, unsigned worker)
{
	struct opening *o = (struct opening *)job;
	(void)part, (void)out, (void)worker;

	o->rc = session_read(&o->model, o->opts, o->path, &o->unpacking, &o->why);
	o->open = o->rc == RC_OK;
}

static void free_opening(struct errand *e)
{
	struct opening *o = (struct opening *)e;

	if (o->open)
		model_close(&o->model);
	free(o->path);
	free(o);
}

struct opening *opening_start(struct session *s, const char *path, void (*wake)(void *), void *arg)
{
	enum { FIRST = 3 }; /* of the pool's priorities */
	struct opening *o = xcalloc(1, sizeof(*o));

	o->opts = s->opts;
	o->path = xstrdup(path);
	o->unpacking = (struct unpacking){note_progress, is_dropped, o};
	o->errand.job.parts = 1;
	o->errand.job.priority = FIRST;
	o->errand.job.run = run;
	o->errand.free = free_opening;
	errand_start(&o->errand, s->pool, wake, arg);
	return o;
}

bool opening_done(struct opening *o)
{
	return errand_done(&o->errand);
}

void opening_wait(struct opening *o, unsigned ms)
{
	errand_wait(&o->errand, ms);
}

void opening_progress(struct opening *o, uint64_t *out, uint64_t *in, uint64_t *of)
{
	*out = o->out;
	*in = o->in;
	*of = o->of;
}

enum rc opening_result(struct opening *o, struct err *e)
{
	if (o->rc != RC_OK)
		*e = o->why;
	return o->rc;
}

void opening_take(struct opening *o, struct session *s)
{
	o->model.source.unpacking = &s->opts->unpacking;
	o->open = false;
	session_add(s, &o->model);
	errand_drop(&o->errand);
}

void opening_drop(struct opening *o)
{
	if (o)
		errand_drop(&o->errand);
}
