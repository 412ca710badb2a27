/*
 * What stands beside a model in its directory: programs and scripts, pickles, and settings that name code. A directory
 * is looked into where it is the model: it was named, or an index or the graph of a SavedModel was; not where one file
 * of it was named, for its neighbours may be anything. The settings are looked at in either case: they say what they
 * belong to.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analysis/audit_check.h"
#include "base/buf.h"
#include "bytes/signature.h"
#include "format/format.h"
#include "format/json_pull.h"
#include "format/pickle.h"

enum { SEEN_MAX = 10000, DEPTH_MAX = 8 };

struct stray_file {
	const char *path;    /* from the model's directory */
	const char *program; /* what kind of one; NULL: none */
	bool script, named;  /* one by its first bytes; by its name */
	bool may_call;       /* it may be a pickle, or hold one: this file, */
	uint64_t device, inode;
	const char *why;     /* it cannot be looked at; NULL: it was */
};

struct beside {
	struct arena *arena;
	struct stray_file *files;
	size_t n, cap;
	size_t seen;
	bool deep;
};

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool audit_looks_beside(const struct model *m)
{
	const struct format *f = m->format ? format_by_name(m->format) : NULL;

	return is_directory(m->path) || (f && f->rank == RANK_INDEX && access(m->path, F_OK) == 0);
}

/* The directory that is the model; NULL: it is none. deep: with what is below it. */
static const char *own_directory(struct auditor *a, bool *deep)
{
	const struct format *f = a->m->format ? format_by_name(a->m->format) : NULL;
	const char *path = a->m->path, *slash = strrchr(path, '/');

	*deep = true;
	if (!audit_looks_beside(a->m))
		return NULL;
	if (is_directory(path))
		return path;
	*deep = f == &format_savedmodel || f == &format_coreml_package;
	return slash ? arena_str(&a->out->arena, (struct str){path, (size_t)(slash + 1 - path)}).p : ".";
}

/* Up to n bytes from the front; -1, and errno says why. */
static ssize_t read_front(int fd, uint8_t *p, size_t n)
{
	size_t at = 0;

	while (at < n) {
		ssize_t k = pread(fd, p + at, n - at, (off_t)at);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -1;
		if (k == 0)
			break;
		at += (size_t)k;
	}
	return (ssize_t)at;
}

static void add(struct beside *b, struct stray_file f, const char *path)
{
	if (b->n == b->cap) {
		b->cap = b->cap ? 2 * b->cap : 16;
		b->files = xrealloc(b->files, b->cap, sizeof(*b->files));
	}
	f.path = arena_str(b->arena, str_of(path)).p;
	b->files[b->n++] = f;
}

static void cannot(struct beside *b, const char *path, int why)
{
	add(b, (struct stray_file){.why = arena_printf(b->arena, "%s", strerror(why))}, path);
}

/* By its first bytes, or else by its name where those say nothing. */
static void look_at(struct beside *b, int dir, const char *name, const char *path)
{
	uint8_t buf[SIGNATURE_HEAD];
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
	ssize_t n = fd < 0 ? -1 : read_front(fd, buf, sizeof(buf));
	int why = errno;
	struct bytes head = {buf, n > 0 ? (size_t)n : 0};
	struct stray_file f = {.program = signature_program(head), .script = signature_script(head)};
	struct stat st;

	f.named = !signature_of(head) && !pickle_begins(head) && signature_name(str_of(name));
	if (n > 0 && fstat(fd, &st) == 0) {
		f.may_call = model_may_call(head, (uint64_t)st.st_size, path);
		f.device = (uint64_t)st.st_dev;
		f.inode = (uint64_t)st.st_ino;
	}
	if (fd >= 0)
		close(fd);
	if (n < 0)
		cannot(b, path, why);
	else if (f.program || f.script || f.named || f.may_call)
		add(b, f, path);
}

/* What is hidden is left out, as it is where a model is looked for: version control has scripts. NULL: at the end. */
static struct dirent *next_entry(DIR *d)
{
	struct dirent *entry;

	do {
		errno = 0;
		/* cppcheck-suppress readdirCalled ; one thread */
		entry = readdir(d);
	} while (entry && entry->d_name[0] == '.');
	return entry;
}

/* The directory `path` ("" for the model's own), opened as fd, which is taken over. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as DEPTH_MAX */
static void walk(struct beside *b, int fd, const char *path, unsigned depth)
{
	const char *slash = *path ? "/" : "";
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct stat st;

	if (!d) {
		cannot(b, path, errno);
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = next_entry(d))) {
		const char *below = arena_printf(b->arena, "%s%s%s", path, slash, entry->d_name);

		if (b->seen++ >= SEEN_MAX) {
			add(b, (struct stray_file){.why = "there are too many files"}, path);
			break;
		}
		if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			cannot(b, below, errno);
		else if (S_ISREG(st.st_mode))
			look_at(b, fd, entry->d_name, below);
		else if (S_ISDIR(st.st_mode) && b->deep && depth == DEPTH_MAX)
			add(b, (struct stray_file){.why = "directories are nested too deep"}, below);
		else if (S_ISDIR(st.st_mode) && b->deep)
			walk(b, openat(fd, entry->d_name, O_RDONLY | O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW), below,
			     depth + 1);
	}
	if (!entry && errno)
		cannot(b, path, errno);
	closedir(d);
}

static int by_path(const void *a, const void *b)
{
	return str_cmp_natural(str_of(((const struct stray_file *)a)->path),
			       str_of(((const struct stray_file *)b)->path));
}

static void look_into(struct auditor *a, struct beside *b, const char *dir)
{
	const char *slash = dir[strlen(dir) - 1] == '/' ? "" : "/";

	for (size_t i = 0; i < b->n; i++) {
		struct stray_file *f = &b->files[i];

		if (f->may_call)
			f->why = neighbours_take(a, arena_printf(b->arena, "%s%s%s", dir, slash, f->path), f->path,
						 f->device, f->inode);
	}
}

static const struct beside *look_around(struct auditor *a)
{
	struct beside *b = a->beside;
	const char *dir;

	if (b)
		return b;
	b = a->beside = xcalloc(1, sizeof(*b));
	b->arena = &a->out->arena;
	dir = own_directory(a, &b->deep);
	if (dir)
		walk(b, open(dir, O_RDONLY | O_CLOEXEC | O_DIRECTORY), "", 0);
	if (b->n)
		qsort(b->files, b->n, sizeof(*b->files), by_path);
	if (dir)
		look_into(a, b, dir);
	return b;
}

void look_beside(struct auditor *a)
{
	look_around(a);
}

void beside_free(struct beside *b)
{
	if (b)
		free(b->files);
	free(b);
}

void check_programs_beside(struct auditor *a)
{
	const struct beside *b = look_around(a);

	for (size_t i = 0; i < b->n; i++)
		if (b->files[i].program)
			found(a, STR(""), "the file %s in the model's directory is %s",
			      said(a, str_of(b->files[i].path)), b->files[i].program);
}

void check_scripts_beside(struct auditor *a)
{
	const struct beside *b = look_around(a);

	for (size_t i = 0; i < b->n; i++)
		if (!b->files[i].program && (b->files[i].script || b->files[i].named))
			found(a, STR(""), "the file %s in the model's directory is %s",
			      said(a, str_of(b->files[i].path)),
			      b->files[i].script ? "a script" : "named like a program or a script");
}

void check_unread_beside(struct auditor *a)
{
	const struct beside *b = look_around(a);

	for (size_t i = 0; i < b->n; i++)
		if (b->files[i].why)
			found(a, STR(""), "%s in the model's directory cannot be looked at: %s",
			      *b->files[i].path ? said(a, str_of(b->files[i].path)) : "what is", b->files[i].why);
}

/* ---- settings that name code ---- */

/* "modeling_own.OwnModel"; "owner/model--modeling_own.OwnModel" for code that stands in another model's repository. */
static void found_code(struct auditor *a, const char *file, struct str class, struct str from)
{
	const char *dashes = from.n ? memmem(from.p, from.n, "--", 2) : NULL;
	size_t module = from.n;

	if (dashes) {
		found(a, STR(""), "%s has %s made by code that stands elsewhere: %s", file, said(a, class),
		      said(a, from));
		return;
	}
	while (module && from.p[module - 1] != '.')
		module--;
	if (module > 1)
		found(a, STR(""), "%s has %s made by %s, which is in the file %s.py", file, said(a, class),
		      said(a, from), said(a, (struct str){from.p, module - 1}));
}

/* "AutoModel": "module.Class"; of tokenizers a list of two; of pipelines an object, whose "impl" it is. */
static void take_class(struct auditor *a, struct pull *p, const char *file, struct str class)
{
	struct str s;

	if (pull_string(p, &s)) {
		found_code(a, file, class, s);
	} else if (pull_array(p)) {
		while (pull_item(p)) {
			if (pull_string(p, &s))
				found_code(a, file, class, s);
			else
				pull_skip(p);
		}
	} else if (pull_object(p)) {
		while (pull_member(p, &s)) {
			struct str impl;

			if (str_eq(s, STR("impl")) && pull_string(p, &impl))
				found_code(a, file, class, impl);
			else
				pull_skip(p);
		}
	} else {
		pull_skip(p);
	}
}

/* As Python reads them, for it is Python's libraries that take the names. */
static void take_settings(struct auditor *a, struct bytes text, const char *file)
{
	struct pull p = pull_of(text, 0, file, &a->out->arena);
	struct str key, class;

	p.python = true;
	for (bool object = pull_object(&p) || !pull_skip(&p); object && pull_member(&p, &key);) {
		bool names = str_eq(key, STR("auto_map")) || str_eq(key, STR("custom_pipelines"));

		if (!names)
			pull_skip(&p);
		else if (!pull_object(&p))
			take_class(a, &p, file, key); /* of old tokenizers a list */
		else
			while (pull_member(&p, &class))
				take_class(a, &p, file, class);
	}
	if (!pull_end(&p))
		found(a, STR(""), "what code it names is not known: %s", p.why.msg);
}

/* The whole of a small file, for the caller to free. NULL: there is none of that kind, or *why it cannot be read. */
static uint8_t *read_small(const char *path, size_t *n, const char **why)
{
	enum { MOST = 4 << 20 };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	uint8_t *text = NULL;
	struct stat st;
	ssize_t k;

	*why = NULL;
	if (fd < 0) {
		*why = errno == ENOENT ? NULL : strerror(errno);
		return NULL;
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > MOST) {
		*why = "it is too large";
	} else if (S_ISREG(st.st_mode) && st.st_size > 0) {
		*n = (size_t)st.st_size;
		text = xmalloc(*n);
		k = read_front(fd, text, *n);
		if (k != st.st_size) {
			*why = k < 0 ? strerror(errno) : "it became shorter";
			free(text);
			text = NULL;
		}
	}
	close(fd);
	return text;
}

/* The path of a file in the model's directory, or beside it; NULL: the model has no path. */
static const char *path_beside(struct arena *a, const struct model *m, const char *file)
{
	const char *slash = strrchr(m->path, '/');
	struct stat st;

	if (stat(m->path, &st) != 0)
		return NULL;
	return S_ISDIR(st.st_mode)
		? arena_printf(a, "%s/%s", m->path, file)
		: arena_printf(a, "%.*s%s", slash ? (int)(slash + 1 - m->path) : 0, m->path, file);
}

void check_custom_code(struct auditor *a)
{
	static const char *const files[] = {"config.json", "tokenizer_config.json", "processor_config.json",
					    "preprocessor_config.json"};

	for (size_t i = 0; i < COUNT(files); i++) {
		const char *why = NULL, *at = path_beside(&a->out->arena, a->m, files[i]);
		size_t n = 0;
		uint8_t *text = at ? read_small(at, &n, &why) : NULL;

		if (why)
			found_unread(a, files[i], why);
		if (text)
			take_settings(a, (struct bytes){text, n}, files[i]);
		free(text);
	}
}

/* ---- chat templates in files ---- */

/* One text, or a list of {"name": ..., "template": ...}. */
static void take_templates(struct pull *p, const char *file, template_fn *take, void *arg)
{
	struct str key, name, text;

	if (pull_string(p, &text)) {
		take(arg, str_of(arena_printf(p->arena, "chat_template in %s", file)), text);
		return;
	}
	if (!pull_array(p)) {
		pull_skip(p);
		return;
	}
	while (pull_item(p)) {
		name = text = STR("");
		if (!pull_object(p)) {
			pull_skip(p);
			continue;
		}
		while (pull_member(p, &key))
			if (!(str_eq(key, STR("name")) && pull_string(p, &name)) &&
			    !(str_eq(key, STR("template")) && pull_string(p, &text)))
				pull_skip(p);
		take(arg, str_of(arena_printf(p->arena, "chat_template %.*s in %s", (int)u64_min(name.n, 200), name.p,
					      file)), text);
	}
}

void templates_beside(struct arena *a, const struct model *m, template_fn *take, void *arg)
{
	static const char *const files[] = {"tokenizer_config.json", "processor_config.json", "chat_template.json",
					    "chat_template.jinja"};

	for (size_t i = 0; i < COUNT(files); i++) {
		const char *why, *at = path_beside(a, m, files[i]);
		size_t n = 0;
		uint8_t *text = at ? read_small(at, &n, &why) : NULL;
		struct pull p = pull_of((struct bytes){text, n}, 0, files[i], a);
		struct str key;

		p.python = true;
		if (text && i + 1 == COUNT(files))
			take(arg, str_of(files[i]), (struct str){(const char *)text, n});
		else if (text && pull_object(&p))
			while (pull_member(&p, &key)) {
				if (str_eq(key, STR("chat_template")))
					take_templates(&p, files[i], take, arg);
				else
					pull_skip(&p);
			}
		free(text);
	}
}
