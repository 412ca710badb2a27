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
	struct timespec start, last; /* last: when what was unpacked was drawn; {0}: never */
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

void progress_wake(void *progress)
{
	struct progress *p = progress;

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

static long long ms_since(const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)(now.tv_sec - then->tv_sec) * 1000 + (now.tv_nsec - then->tv_nsec) / 1000000;
}

static bool too_early(const struct progress *p)
{
	return !p->always && ms_since(&p->start) < QUIET_MS;
}

static void put_bar(struct buf *b, uint64_t done, uint64_t total)
{
	double f = total ? (double)done / (double)total : 0;
	size_t full = (size_t)(f * CELLS);

	buf_puts(b, "[");
	buf_repeat(b, '#', full);
	buf_repeat(b, '-', CELLS - full);
	buf_printf(b, "] %3.0f %%  ", floor(100 * f));
}

static void show(struct progress *p, struct buf *b)
{
	fprintf(stderr, "\r%s\x1b[K", b->p); /* erases to the end of the line */
	fflush(stderr);
	buf_free(b);
	p->drawn = true;
}

static void draw(struct progress *p, uint64_t done, uint64_t total)
{
	struct buf b = {0};

	if (too_early(p))
		return;
	put_bar(&b, done, total);
	fmt_bytes(&b, done);
	buf_puts(&b, " of ");
	fmt_bytes(&b, total);
	show(p, &b);
}

/* Called for every few KiB, while nothing else goes on. */
void progress_unpacked(void *progress, uint64_t out, uint64_t in, uint64_t of)
{
	struct progress *p = progress;
	struct buf b = {0};

	if (too_early(p) || (p->last.tv_sec && ms_since(&p->last) < STEP_MS))
		return;
	clock_gettime(CLOCK_MONOTONIC, &p->last);
	if (of)
		put_bar(&b, in, of);
	fmt_bytes(&b, out);
	buf_puts(&b, of ? " unpacked" : " came through the pipe");
	show(p, &b);
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
