#include "format/format.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "bytes/decompress.h"
#include "bytes/member.h"
#include "bytes/spool.h"
#include "format/describe.h"
#include "format/pickle_hidden.h"
#include "format/pickle.h"
#include "format/shards.h"

const struct format *const formats[] = {
	&format_safetensors, &format_safetensors_index, &format_gguf, &format_npy, &format_npz,
	&format_torch, &format_torch_index, &format_pickle, &format_paddle,
	&format_onnx, &format_coreml, &format_coreml_package, &format_caffe, &format_mxnet,
	&format_ncnn, &format_ncnn_bin, &format_darknet, &format_dlib, &format_ggml,
	&format_tensorflow, &format_tensorflow_shard, &format_graphdef, &format_savedmodel, &format_tflite,
	&format_flax, &format_flax_index, &format_hdf5, &format_keras,
	&format_lc0, &format_leela, &format_katago, &format_nnue, &format_nnue_raw, &format_gnubg, &format_rnnoise,
	NULL,
};

const struct format *format_by_name(const char *name)
{
	for (size_t i = 0; formats[i]; i++)
		if (strcmp(formats[i]->name, name) == 0)
			return formats[i];
	return NULL;
}

static const struct format *best(const struct probe *p)
{
	const struct format *found = NULL;
	int most = 0;

	for (size_t i = 0; formats[i]; i++) {
		int bits = formats[i]->probe(p);

		if (bits > most) {
			most = bits;
			found = formats[i];
		}
	}
	return found;
}

static struct bytes first_bytes(struct bytes b)
{
	return (struct bytes){b.p, b.n < PROBE_BYTES ? b.n : PROBE_BYTES};
}

/* Of an archive's entry only the beginning is known, unless it is short. A part alone is no model there. A zip file of
 * a format that is not read counts, too: it is named as a whole instead of being searched. */
static enum entry_kind look_inside(struct bytes head, const char *name)
{
	struct probe p = {.head = first_bytes(head), .size = UINT64_MAX, .name = name};
	const struct format *f;

	if (head.n < PROBE_BYTES) {
		p.tail = head;
		p.size = head.n;
	}
	f = best(&p);
	if (!f && pickle_begins(p.head))
		return ENTRY_PICKLE;
	if (!f)
		return describe_zip(p.head) ? ENTRY_MODEL : ENTRY_OTHER;
	return f->rank == RANK_INDEX ? ENTRY_INDEX : f->rank == RANK_WHOLE ? ENTRY_MODEL : ENTRY_OTHER;
}

static const struct format *probe_member(const struct model *m, uint32_t member)
{
	const struct member *in = &m->source.members[member];
	struct probe p = {.head = first_bytes(in->data), .size = in->size, .name = in->name.p};

	p.tail = p.head;
	p.tail.p = in->data.p + (in->data.n - p.tail.n);
	return best(&p);
}

/* Readers look before they allocate, but for those whose every tensor takes bytes of the file and has a name of their
 * own making: what is documented holds for these, too. */
static enum rc within_limits(const struct model *m, struct err *e)
{
	if (m->n_tensors > limits.tensors)
		return limits_passed(&limits.tensors, e);
	for (size_t i = 0; i < m->n_tensors; i++)
		if (m->tensors[i].name.n > limits.name) {
			limits_passed(&limits.name, e);
			return err_prefix(e, "tensor %zu", i + 1);
		}
	return RC_OK;
}

static enum rc read_member(struct model *m, uint32_t member, const char *want, struct err *e)
{
	const struct member *in = &m->source.members[member];
	const struct format *f = want ? format_by_name(want) : probe_member(m, member);

	if (!f && want)
		return err_set(e, "there is no format %s; weigh formats lists them", want);
	if (!f)
		return describe_unknown(first_bytes(in->data), in->size, e);
	m->format = f->name;
	m->variant = "";
	return f->read(m, member, e) == RC_OK ? within_limits(m, e) : RC_FAIL;
}

/* ---- directories ---- */

struct found {
	char *path;
	const struct format *format; /* NULL: it is packed, and what is in it is seen when it is opened */
};

struct listing {
	struct found *items;
	size_t n, cap;
	char *pointer; /* NULL, or the first file that stands for one which Git LFS has */
	char *closed;  /* NULL, or one that may not be opened */
};

static void listing_free(struct listing *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->items[i].path);
	free(l->items);
	free(l->pointer);
	free(l->closed);
}

static void note_first(char **first, const char *name)
{
	if (*first && strcmp(name, *first) > 0)
		return;
	free(*first);
	*first = xstrdup(name);
}

/* Looks into a file without mapping it: only regular files, and only their first and last bytes. buf has room for
 * both. Whether it may be a model: *f gets its format, or NULL where it is packed; of others the list keeps which were
 * meant to be one. */
static bool look(struct listing *l, const char *path, const char *name, uint8_t *buf, const struct format **f)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	bool packed = false;
	struct stat st;
	struct err why;
	ssize_t n, k;

	*f = NULL;
	if (fd < 0) {
		if (errno == EACCES)
			note_first(&l->closed, name);
		return false;
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (n = pread(fd, buf, PROBE_BYTES, 0)) > 0 &&
	    (k = pread(fd, buf + n, (size_t)n, st.st_size - n)) >= 0) {
		*f = best(&(struct probe){.head = {buf, (size_t)n}, .tail = {buf + n, (size_t)k},
					  .size = (uint64_t)st.st_size, .name = path});
		packed = archive_looks((struct bytes){buf, (size_t)n});
		if (!*f && !packed && describe_pointer((struct bytes){buf, (size_t)n}, &why) != RC_OK)
			note_first(&l->pointer, name);
	}
	close(fd);
	return *f || packed;
}

static int by_path(const void *a, const void *b)
{
	return str_cmp_natural(str_of(((const struct found *)a)->path), str_of(((const struct found *)b)->path));
}

static enum rc list_directory(struct listing *l, const char *dir, struct err *e)
{
	enum { LOOKED_AT = 10000 };
	DIR *d = opendir(dir);
	uint8_t *head;
	struct dirent *entry;

	if (!d)
		return err_set(e, "the directory cannot be read: %s", strerror(errno));
	head = xmalloc(2 * PROBE_BYTES);
		/* cppcheck-suppress readdirCalled ; one thread */
	for (size_t seen = 0; seen < LOOKED_AT && (entry = readdir(d)); seen++) {
		struct buf path = {0};
		const struct format *f;

		if (entry->d_name[0] == '.')
			continue;
		buf_printf(&path, "%s%s%s", dir, dir[strlen(dir) - 1] == '/' ? "" : "/", entry->d_name);
		if (!look(l, path.p, entry->d_name, head, &f)) {
			buf_free(&path);
			continue;
		}
		if (l->n == l->cap) {
			l->cap = l->cap ? 2 * l->cap : 16;
			l->items = xrealloc(l->items, l->cap, sizeof(*l->items));
		}
		l->items[l->n++] = (struct found){path.p, f};
	}
	free(head);
	closedir(d);
	if (l->n)
		qsort(l->items, l->n, sizeof(*l->items), by_path);
	return RC_OK;
}

static bool same_set(const char *a, const char *b)
{
	static const char *const endings[] = {".safetensors", ".gguf", ".bin", ".pt", ".pth", ".msgpack"};
	struct str na = base_name(str_of(a)), nb = base_name(str_of(b));
	struct shard sa, sb;

	for (size_t i = 0; i < COUNT(endings); i++)
		if (shard_parse(na, endings[i], &sa) && shard_parse(nb, endings[i], &sb))
			return str_eq(sa.prefix, sb.prefix) && sa.count == sb.count;
	return false;
}

static enum rc too_many(const struct listing *l, struct err *e)
{
	enum { NAMED = 6 };
	struct buf names = {0};
	enum rc rc;

	for (size_t i = 0; i < l->n && i < NAMED; i++) {
		if (i)
			buf_puts(&names, ", ");
		buf_str(&names, base_name(str_of(l->items[i].path)));
	}
	if (l->n > NAMED)
		buf_puts(&names, ", ...");
	rc = err_set(e, "is a directory with %zu %s files (%s): name one of them", l->n,
		     l->items[0].format ? "weight" : "packed", names.p);
	buf_free(&names);
	return rc;
}

/* A packed file counts where there is nothing else. */
static int rank_of(const struct found *f)
{
	return f->format ? (int)f->format->rank : (int)RANK_PART - 1;
}

/* Leaves only the files of the highest rank. */
static void keep_highest(struct listing *l)
{
	int highest = l->n ? rank_of(&l->items[0]) : 0;
	size_t n = 0;

	for (size_t i = 1; i < l->n; i++)
		if (rank_of(&l->items[i]) > highest)
			highest = rank_of(&l->items[i]);
	for (size_t i = 0; i < l->n; i++) {
		if (rank_of(&l->items[i]) == highest)
			l->items[n++] = l->items[i];
		else
			free(l->items[i].path);
	}
	l->n = n;
}

static enum rc no_weights(const struct listing *l, struct err *e)
{
	if (l->pointer)
		return err_set(e, "is a directory without a weight file; %.200s is a Git LFS pointer, not the file "
			       "itself: fetch it with git lfs pull", l->pointer);
	if (l->closed)
		return err_set(e, "is a directory without a weight file that can be read; %.200s cannot be opened: "
			       "Permission denied", l->closed);
	return err_set(e, "is a directory without a weight file that this build reads");
}

/* The one model in a directory, of whose files only those of the highest rank are listed: its only index, its only
 * weight file, or its only set of shards. */
static enum rc choose(struct listing *l, const char **path, struct err *e)
{
	if (!l->n || (l->n > 1 && !l->items[0].format && l->pointer))
		return no_weights(l, e);
	*path = l->items[0].path;
	if (rank_of(&l->items[0]) == RANK_PART) /* what it is a part of will be missed when it is opened */
		return RC_OK;
	for (size_t i = 1; i < l->n; i++)
		if (!same_set(l->items[0].path, l->items[i].path))
			return too_many(l, e);
	return RC_OK;
}

/* The file inside by which a directory that holds no weight file itself is known to be a model. */
static const char *deeper(struct arena *a, const char *dir)
{
	static const char *const paths[] = {
		"Data/com.apple.CoreML/model.mlmodel", /* a package without its manifest */
		"variables/variables.index",           /* TensorFlow's SavedModel without its graph */
	};

	for (size_t i = 0; i < COUNT(paths); i++) {
		const char *path = arena_printf(a, "%s/%s", dir, paths[i]);

		if (access(path, R_OK) == 0)
			return path;
	}
	return NULL;
}

static enum rc open_directory(struct model *m, const char *dir, uint32_t *member, struct err *e)
{
	struct listing l = {0};
	const char *path = NULL;
	enum rc rc = list_directory(&l, dir, e);

	if (rc == RC_OK)
		keep_highest(&l);
	if (rc == RC_OK && (!l.n || !l.items[0].format))
		path = deeper(&m->arena, dir);
	if (rc == RC_OK && !path)
		rc = choose(&l, &path, e);
	if (rc == RC_OK) {
		rc = source_open(&m->source, path, look_inside, member, e);
		if (rc != RC_OK && l.n && !l.items[0].format && l.pointer) /* a document, which is a zip file, too */
			no_weights(&l, e);
		else if (rc != RC_OK)
			err_prefix(e, "%s", path);
	}
	listing_free(&l);
	return rc;
}

/* On failure the model is not closed. */
static enum rc open_path(struct model *m, const char *path, const char *want, const struct unpacking *unpacking,
			 struct err *e)
{
	struct stat st;
	uint32_t member = 0;
	const char *index;
	enum rc rc;

	*m = (struct model){.source.unpacking = unpacking};
	m->path = arena_str(&m->arena, str_of(path)).p;
	m->variant = "";
	index = arena_printf(&m->arena, "%s.index", path); /* TensorFlow's users name a checkpoint without an ending */
	if (strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		rc = open_directory(m, path, &member, e);
	else
		rc = source_open(&m->source, access(path, F_OK) != 0 && access(index, F_OK) == 0 ? index : path,
				 look_inside, &member, e);
	return rc == RC_OK ? read_member(m, member, want, e) : rc;
}

enum rc model_open(struct model *m, const char *path, const char *want, const struct unpacking *unpacking,
		   struct err *e)
{
	enum rc rc = open_path(m, path, want, unpacking, e);

	if (rc != RC_OK)
		model_close(m);
	return rc;
}

/* Python runs what it meets before it comes to what is wrong, whatever the file was taken for here, and what it unpacks
 * before a gzip file breaks off. */
static void try_pickles(struct model *m)
{
	struct source *s = &m->source;
	uint64_t packed;
	uint32_t part;
	struct err e;

	/* the file itself to its end: it may have several */
	for (uint32_t i = 0; i < s->n && (!i || !m->n_calls); i++) {
		struct bytes b = s->members[i].kind == MEMBER_MAPPED ? s->members[i].data : (struct bytes){NULL, 0};

		if (b.n && pickle_try(m, i, b, 0, NULL))
			m->format = format_pickle.name;
		else if (i == 0 && s->n == 1 && b.n > 2 && memcmp(b.p, "\x1f\x8b", 2) == 0)
			source_inflate(s, i, 0, &part, &packed, &e);
	}
}

/* rc: what came of reading it. */
static enum rc inspect(struct model *m, enum rc rc, struct err *e)
{
	if (rc == RC_OK) {
		hidden_pickles(m);
		return RC_OK;
	}
	try_pickles(m);
	hidden_in_ruins(m);
	if (!m->n_calls && !m->source.n_strays) {
		model_close(m);
		return RC_FAIL;
	}
	m->n_tensors = m->n_meta = m->n_problems = m->n_notes = 0;
	m->more_meta = 0;
	m->format = m->format ? m->format : "";
	m->refusal = arena_str(&m->arena, str_of(e->msg)).p;
	return RC_OK;
}

enum rc model_inspect(struct model *m, const char *path, const char *want, const struct unpacking *unpacking,
		      struct err *e)
{
	return inspect(m, open_path(m, path, want, unpacking, e), e);
}

static bool may_hold(struct bytes head, uint64_t size, const char *path)
{
	struct probe p = {.head = head, .tail = head, .size = size, .name = path};

	return pickle_begins(head) || format_pickle.probe(&p) || format_torch.probe(&p) ||
	       (head.n > 6 && (memcmp(head.p, "PK\3\4", 4) == 0 || memcmp(head.p, "\x93NUMPY", 6) == 0));
}

bool model_may_call(struct bytes head, uint64_t size, const char *path)
{
	return may_hold(head, size, path) || decompress_looks(head);
}

/* What is not the file's fault: a limit, or a temporary file that cannot be made, written or mapped. */
static bool is_given_up(const struct err *e)
{
	static const char *const words[] = {"allows more", "temporary file", "cannot be mapped", "cannot be read",
					    "stopped", "address space"};

	for (size_t i = 0; i < COUNT(words); i++)
		if (strstr(e->msg, words[i]))
			return true;
	return false;
}

enum rc model_inspect_neighbour(struct model *m, const char *path, const struct unpacking *unpacking, struct err *e)
{
	uint8_t first[4096];
	uint32_t member = 0;
	struct bytes all;
	enum rc rc;
	size_t n;

	*m = (struct model){.source.unpacking = unpacking, .variant = ""};
	m->path = arena_str(&m->arena, str_of(path)).p;
	rc = source_open(&m->source, path, NULL, &member, e);
	all = rc == RC_OK ? m->source.members[member].data : (struct bytes){NULL, 0};
	if (decompress_looks(all)) {
		n = packed_head(all, first, sizeof(first));
		model_close(m);
		if (!may_hold((struct bytes){first, n}, UINT64_MAX, path))
			return RC_OK;
		*m = (struct model){.source.unpacking = unpacking, .variant = ""};
		rc = source_open(&m->source, path, look_inside, &member, e);
	}
	if (rc != RC_OK) {
		try_pickles(m);
		rc = m->n_calls ? RC_OK : RC_FAIL;
		if (rc != RC_OK)
			model_close(m);
		return rc;
	}
	rc = inspect(m, read_member(m, member, NULL, e), e);
	if (rc == RC_OK && m->refusal && !is_given_up(e))
		m->refusal = NULL;
	return rc == RC_OK || !is_given_up(e) ? RC_OK : RC_FAIL;
}
