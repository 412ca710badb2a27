/*
 * A file is loaded by what it is called, not by what it is: torch.load takes a safetensors file for a pickle, if it is
 * one, too. And zip files are read by rules of one's own: PyTorch takes the folder of the first entry, and its names
 * without regard to case; Python's zipfile does not mind what stands before the file, others not the local headers,
 * flags and checksums. What is found here is noted for its calls alone.
 */
#include "format/pickle_hidden.h"

#include <stdlib.h>
#include <string.h>

#include "bytes/inflate.h"
#include "format/pickle.h"
#include "format/pickled.h"

enum {
	HEAD = 4096, BEGINNING = 16,
	LOCAL_SIZE = 30,
	INFLATED = 16 << 20, /* of an entry that no directory vouches for */
	RUINS_BYTES = 64 << 20,
	RUINS_MAX = 10000    /* local headers that are looked behind */
};

static bool reads_pickles(const struct model *m)
{
	return strcmp(m->format, "pickle") == 0 || strcmp(m->format, "pytorch") == 0 ||
	       strcmp(m->format, "paddle") == 0;
}

static bool may_begin(struct bytes b)
{
	return pickle_begins(b) || (b.n && strchr("(c]}", b.p[0]));
}

/* An entry of a zip file that begins as a pickle. */
static void try_entry(struct model *m, uint32_t i)
{
	struct source *s = &m->source;
	struct bytes head;
	struct err e;

	if (source_head(s, i, BEGINNING, &head, &e) == RC_OK && may_begin(head) &&
	    source_head(s, i, HEAD, &head, &e) == RC_OK && pickled_looks(head, head.n < s->members[i].size) &&
	    source_unpack(s, i, &e) == RC_OK)
		pickle_try(m, i, s->members[i].data, 0, NULL);
}

static void try_file(struct model *m, uint32_t i)
{
	bool none = !m->n_calls;

	if (pickle_try(m, i, m->source.members[i].data, 0, NULL) && none)
		m->disguised = true;
}

void hidden_pickles(struct model *m)
{
	struct source *s = &m->source;
	size_t n = s->n; /* what is unpacked adds none */
	bool *read = xcalloc(n, sizeof(*read));

	for (size_t i = 0; i < m->n_calls; i++)
		read[m->calls[i].member] = true;
	for (uint32_t i = 0; i < n; i++) {
		const struct member *x = &s->members[i];

		if (x->kind == MEMBER_PIECES || read[i])
			continue;
		if (x->file != i)
			try_entry(m, i);
		else if (x->kind == MEMBER_MAPPED && x->data.n && !reads_pickles(m))
			try_file(m, i);
	}
	free(read);
}

/* ---- without a directory ---- */

/* NOLINTNEXTLINE(readability-non-const-parameter): zlib writes there */
static size_t inflated(struct bytes in, uint8_t *out, size_t most)
{
	z_stream z = {.next_in = (Bytef *)in.p, .avail_in = (uInt)u64_min(in.n, 1 << 30), .next_out = out,
		      .avail_out = (uInt)most};
	size_t n;

	inflate_begin(&z, -MAX_WBITS);
	(void)inflate_step(&z, Z_SYNC_FLUSH); /* as far as it goes */
	n = most - z.avail_out;
	inflateEnd(&z);
	return n;
}

/* Stored or deflated: what the header says of it is not believed. *left: how many bytes may still be looked at. */
static void try_bytes(struct model *m, uint32_t member, struct bytes b, uint64_t at, uint64_t *left)
{
	uint8_t head[HEAD], *all;
	uint64_t took;
	size_t n;
	bool found;

	b.n = (size_t)u64_min(b.n, *left);
	found = pickle_try(m, member, b, at, &took);
	*left -= took;
	if (found)
		return;
	n = inflated(b, head, sizeof(head));
	if (!pickled_looks((struct bytes){head, n}, n == sizeof(head)))
		return;
	all = xcalloc(INFLATED, 1);
	n = inflated(b, all, (size_t)u64_min(INFLATED, *left));
	pickle_try(m, member, (struct bytes){all, n}, at, NULL);
	*left -= n;
	free(all);
}

static void try_ruin(struct model *m, uint32_t member, uint64_t *left)
{
	struct bytes all = m->source.members[member].data;
	const uint8_t *p = all.p, *end = all.p + all.n;

	for (int n = 0; n < RUINS_MAX && *left && (p = memmem(p, (size_t)(end - p), "PK\3\4", 4)); n++) {
		struct bytes rest = {p, (size_t)(end - p)};
		uint64_t skip = LOCAL_SIZE;

		if (rest.n < LOCAL_SIZE)
			break;
		skip += load_uint(p + 26, 2, false) + load_uint(p + 28, 2, false);
		if (skip < rest.n)
			try_bytes(m, member, (struct bytes){p + skip, rest.n - (size_t)skip},
				  (uint64_t)(p + skip - all.p), left);
		p += 4;
	}
}

void hidden_in_ruins(struct model *m)
{
	size_t n = m->source.n;
	uint64_t left = RUINS_BYTES;

	for (uint32_t i = 0; i < n; i++) {
		const struct member *x = &m->source.members[i];

		if (x->file == i && x->kind == MEMBER_MAPPED && x->data.n)
			try_ruin(m, i, &left);
	}
}
