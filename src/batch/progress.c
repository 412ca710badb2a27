#include "batch/progress.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fmt.h"

enum { CELLS = 30, STEP_MS = 100, QUIET_MS = 300 }; /* what is done within QUIET_MS shows no bar */

struct progress {
	pthread_mutex_t lock;
	pthread_cond_t ready;
	bool awake, drawn, always;
	struct timespec start;
};

struct progress *progress_new(const struct opts *o)
{
	struct progress *p;

	if (o->progress == WHEN_NEVER || (o->progress == WHEN_AUTO && !isatty(STDERR_FILENO)))
		return NULL;
	p = xcalloc(1, sizeof(*p));
	p->always = o->progress == WHEN_ALWAYS;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->ready, NULL);
	clock_gettime(CLOCK_MONOTONIC, &p->start);
	return p;
}

void progress_wake(void *arg)
{
	struct progress *p = arg;

	pthread_mutex_lock(&p->lock);
	p->awake = true;
	pthread_cond_signal(&p->ready);
	pthread_mutex_unlock(&p->lock);
}

static void sleep_a_step(struct progress *p)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until); /* what pthread_cond_timedwait goes by */
	until.tv_nsec += STEP_MS * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	pthread_mutex_lock(&p->lock);
	while (!p->awake && pthread_cond_timedwait(&p->ready, &p->lock, &until) == 0)
		;
	p->awake = false;
	pthread_mutex_unlock(&p->lock);
}

static bool too_early(const struct progress *p)
{
	struct timespec now;
	long long ms;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (long long)(now.tv_sec - p->start.tv_sec) * 1000 + (now.tv_nsec - p->start.tv_nsec) / 1000000;
	return !p->always && ms < QUIET_MS;
}

static void draw(struct progress *p, uint64_t done, uint64_t total)
{
	double f = total ? (double)done / (double)total : 0;
	size_t full = (size_t)(f * CELLS);
	struct buf b = {0};

	if (too_early(p))
		return;
	buf_puts(&b, "\r[");
	buf_repeat(&b, '#', full);
	buf_repeat(&b, '-', CELLS - full);
	buf_printf(&b, "] %3.0f %%  ", floor(100 * f));
	fmt_bytes(&b, done);
	buf_puts(&b, " of ");
	fmt_bytes(&b, total);
	buf_puts(&b, "\x1b[K"); /* erase to the end of the line */
	fputs(b.p, stderr);
	fflush(stderr);
	buf_free(&b);
	p->drawn = true;
}

void progress_wait(struct progress *p, struct scan *scan, const struct row *rows, size_t row)
{
	uint64_t done, total;
	size_t got;

	for (;;) {
		while (scan_take(scan, &got))
			;
		scan_progress(scan, &done, &total);
		draw(p, done, total);
		if (rows[row].result || done == total)
			break;
		sleep_a_step(p);
	}
	scan_wait(scan, row);
}

void progress_erase(struct progress *p)
{
	if (!p || !p->drawn)
		return;
	fputs("\r\x1b[K", stderr);
	fflush(stderr);
	p->drawn = false;
}

void progress_free(struct progress *p)
{
	if (!p)
		return;
	progress_erase(p);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->ready);
	free(p);
}
