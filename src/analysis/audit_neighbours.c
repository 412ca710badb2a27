/*
 * Pickles that stand beside a model in its directory: training_args.bin, optimizer.pt. A trainer or a user loads them
 * with the model, so that what they would call is told as if it were the model's, with the file's name.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analysis/audit_check.h"
#include "format/format.h"

enum {
	FILES_MAX = 1000,
	KEPT_MAX = 2 * FINDINGS_MAX /* calls of a risk; called and only imported ones are findings of two kinds */
};
#define UNPACKED_MAX ((uint64_t)1 << 30) /* bytes that come out of all of them */

struct file_id {
	uint64_t device, inode;
};

struct neighbour_call {
	struct neighbour_call *next;
	struct call call;
	const char *name, *path; /* of the file that it comes of: from the model's directory; as it was opened */
	const char *entry;       /* NULL, or where in the file */
	uint64_t at;             /* in the file; UINT64_MAX: in what was unpacked from it */
	bool disguised;
};

struct neighbours {
	struct file_id *read; /* the model's own files, and these: a shard brings the others of its set */
	size_t n, cap;
	unsigned files;
	struct neighbour_call *first, **end;
	size_t kept[CALL_DANGEROUS + 1];
	uint64_t more;        /* calls that are not kept */
	uint64_t before, out; /* unpacked bytes: by what is done, by what goes on */
};

/* ---- how much is unpacked ---- */

static void count_unpacked(void *arg, uint64_t out, uint64_t in, uint64_t of)
{
	struct neighbours *x = arg;
	(void)in, (void)of;

	if (out < x->out)
		x->before += x->out;
	x->out = out;
}

static bool is_too_much(void *arg)
{
	const struct neighbours *x = arg;

	return x->before + x->out > UNPACKED_MAX;
}

/* ---- which files ---- */

static bool was_read(const struct neighbours *x, uint64_t device, uint64_t inode)
{
	for (size_t i = 0; i < x->n; i++)
		if (x->read[i].inode == inode && x->read[i].device == device)
			return true;
	return false;
}

static void note_file(struct neighbours *x, uint64_t device, uint64_t inode)
{
	if (x->n == x->cap) {
		x->cap = x->cap ? 2 * x->cap : 16;
		x->read = xrealloc(x->read, x->cap, sizeof(*x->read));
	}
	x->read[x->n++] = (struct file_id){device, inode};
}

static void note_files(struct neighbours *x, const struct source *s)
{
	struct stat st;

	for (uint32_t i = 0; i < s->n; i++)
		if (s->members[i].file == i && !s->members[i].entry && s->members[i].name.n &&
		    stat(s->members[i].name.p, &st) == 0)
			note_file(x, (uint64_t)st.st_dev, (uint64_t)st.st_ino);
}

static struct neighbours *neighbours_of(struct auditor *a)
{
	struct neighbours *x = a->neighbours;

	if (x)
		return x;
	x = a->neighbours = xcalloc(1, sizeof(*x));
	x->end = &x->first;
	note_files(x, &a->m->source);
	return x;
}

/* ---- what they call ---- */

/* Whether the member stands in its file as it is; what is inflated from one bears its name, or one that is in it. */
static bool in_place(const struct source *s, const struct member *in)
{
	uint32_t first = 0;

	if (s->gone_through)
		return false;
	while (!str_eq(s->members[first].name, s->members[in->file].name))
		first++;
	return in->kind == MEMBER_MAPPED && !in->packed.p && first == in->file;
}

/* It may stand in another file than the one that was opened: the next shard, a side file of joblib's. */
static void place(struct arena *arena, struct neighbour_call *k, const struct source *s)
{
	const struct member *in = &s->members[k->call.member];
	struct str file = s->members[in->file].name;
	size_t before = strlen(k->path) - strlen(k->name); /* the directory */
	bool below;

	if (in_place(s, in))
		k->at = in->file_offset + k->call.offset;
	if (s->gone_through || str_eq(file, str_of(k->path)))
		return;
	below = file.n > before && memcmp(file.p, k->path, before) == 0;
	k->path = arena_str(arena, file).p;
	k->name = below ? k->path + before : k->path;
}

static void keep(struct auditor *a, struct neighbours *x, const struct model *m, const struct call *c, const char *name,
		 const char *path)
{
	struct arena *arena = &a->out->arena;
	struct neighbour_call *k;

	if (x->kept[c->risk]++ >= KEPT_MAX) {
		x->more++;
		return;
	}
	k = arena_new(arena, struct neighbour_call, 1);
	*k = (struct neighbour_call){.call = *c, .name = name, .path = path, .at = UINT64_MAX};
	k->call.module = arena_str(arena, c->module);
	k->call.name = arena_str(arena, c->name);
	k->call.args = arena_str(arena, c->args);
	k->disguised = m->disguised;
	if (m->source.members[c->member].file != c->member)
		k->entry = said(a, m->source.members[c->member].name);
	place(arena, k, &m->source);
	*x->end = k;
	x->end = &k->next;
}

/* NULL, or why what was read of it counts for nothing. */
static const char *lost(const struct source *s)
{
	struct str name;

	source_watch(s, &name);
	for (uint32_t i = 0; i < s->n; i++)
		if (s->members[i].kind == MEMBER_MAPPED && s->members[i].file == i &&
		    source_lost(s, (struct span){i, 0, s->members[i].size}))
			return "it shrank while it was open";
	return NULL;
}

const char *neighbours_take(struct auditor *a, const char *path, const char *name, uint64_t device, uint64_t inode)
{
	struct neighbours *x = neighbours_of(a);
	const struct unpacking unpacking = {count_unpacked, is_too_much, x};
	const char *why;
	struct model m;
	struct err e;
	enum rc rc;

	if (was_read(x, device, inode))
		return NULL;
	if (x->files++ >= FILES_MAX)
		return "there are too many files that may be pickles";
	if (is_too_much(x))
		return "the pickles before it unpacked to more than 1 GiB";
	rc = model_inspect_neighbour(&m, path, &unpacking, &e);
	x->before += x->out;
	x->out = 0;
	note_file(x, device, inode);
	if (rc != RC_OK)
		return is_too_much(x) ? "the pickles up to here unpack to more than 1 GiB" :
					arena_printf(&a->out->arena, "%s", e.msg);
	note_files(x, &m.source);
	for (size_t i = 0; i < m.n_calls; i++)
		if (m.calls[i].risk != CALL_HARMLESS)
			keep(a, x, &m, &m.calls[i], name, path);
	x->more += m.more_calls;
	why = m.refusal ? arena_printf(&a->out->arena, "%s", m.refusal) : lost(&m.source);
	model_close(&m);
	return why;
}

void neighbours_free(struct neighbours *x)
{
	if (x)
		free(x->read);
	free(x);
}

/* ---- findings ---- */

static void found_neighbour(struct auditor *a, const struct neighbour_call *k)
{
	struct finding *f;

	f = found(a, STR(""), "loading the file %s in the model's directory%s %s %s (byte %" PRIu64 "%s%s)",
		  said(a, str_of(k->name)), k->disguised ? " as a pickle" : "",
		  k->call.called ? "calls" : "imports", call_said(a, &k->call), k->call.offset,
		  k->entry ? " of " : "", k->entry ? k->entry : "");
	if (!f)
		return;
	f->key = str_of(arena_printf(&a->out->arena, "%s: %s", k->name, call_said(a, &k->call)));
	f->file = k->path;
	f->offset = k->at;
}

void check_neighbours(struct auditor *a, enum call_risk risk, bool called)
{
	look_beside(a);
	for (const struct neighbour_call *k = a->neighbours ? a->neighbours->first : NULL; k; k = k->next)
		if (k->call.risk == risk && k->call.called == called)
			found_neighbour(a, k);
}

void check_neighbours_more(struct auditor *a)
{
	if (a->neighbours && a->neighbours->more)
		found(a, STR(""), "%" PRIu64 " more calls of pickles in the model's directory are not told",
		      a->neighbours->more);
}
