/*
 * Python's pickles, protocols 0 to 5, without running one: a pickle is a program for a small stack machine, and here
 * that machine builds a graph of inert values. Where it would import or call something, the graph gets a node that
 * says so, and the model's list of calls gets an entry (model_add_call); nothing is imported, called or looked up.
 * Sources: CPython, Lib/pickle.py and Lib/pickletools.py.
 *
 * The graph may share nodes and may be cyclic (a list can hold itself): who walks it keeps count. Memory grows with the
 * bytes that were read, never with a number in them; texts and bytes stay where they are in the file.
 */
#ifndef FORMAT_PICKLE_H
#define FORMAT_PICKLE_H

#include "base/buf.h"
#include "bytes/cur.h"
#include "bytes/spool.h"
#include "model/model.h"

enum pk_kind {
	PK_NONE, PK_BOOL, PK_INT, PK_BIG, PK_REAL,
	PK_TEXT,  /* str; of Python 2, unicode */
	PK_BYTES, /* bytes, bytearray; of Python 2, str */
	PK_TUPLE, PK_LIST, PK_SET, PK_DICT,
	PK_GLOBAL,    /* a class or function, by name */
	PK_OBJECT,    /* what a call gives: callee(*args), and what was then put into it */
	PK_PERSISTENT /* a persistent id: what it means is the format's own affair */
};

/* How the characters of a text, or the bytes of a bytes, stand in the file. */
enum pk_code {
	PK_PLAIN,       /* as they are (texts: UTF-8) */
	PK_QUOTED,      /* STRING: 'a\x00b' as repr() writes it, here without the quotes */
	PK_RAW_UNICODE, /* UNICODE: Latin-1, with \uXXXX for the rest */
	PK_DECODED,     /* as they are, but in memory: pk_text was asked for them */
	PK_LATIN1       /* only of struct pk_bytes: each byte is a character up to U+00FF, in UTF-8 */
};

struct pk;

struct pk_seq {
	struct pk **items;
	uint32_t n, cap;
};

struct pk_object {
	struct pk *callee, *args;
	struct pk *state;  /* what BUILD gave it, or NULL */
	struct pk *list;   /* what was appended to it: a list, or NULL */
	struct pk *dict;   /* the items set in it: a dict, or NULL */
	bool made;         /* by NEWOBJ: callee is its class */
	struct span array; /* for whoever sets pickle.built: bytes that followed in the stream */
	struct pk *nested; /* likewise: what a pickle that followed gave */
};

struct pk {
	uint8_t kind; /* enum pk_kind */
	uint8_t code; /* PK_TEXT, PK_BYTES: enum pk_code; PK_BIG: PK_QUOTED when its digits are text */
	bool open;    /* a walker is inside it: set it, and clear it when leaving */
	bool py2;     /* PK_BYTES: a str of Python 2, which may be meant as text */
	uint32_t call; /* PK_GLOBAL: its entry in the model's calls, counted from 1; 0: none */
	uint64_t at;  /* offset of its opcode in the member */
	union {
		bool boolean;
		int64_t integer;
		double real;
		struct str text;          /* PK_TEXT, PK_BYTES: as in the file; PK_BIG: two's complement, low first */
		struct pk_seq seq;        /* PK_TUPLE, PK_LIST, PK_SET; PK_DICT: key, value, key, value ... */
		struct {
			struct str module, name;
		} global;
		struct pk_object *object;
		struct pk *id;            /* PK_PERSISTENT */
	} u;
};

struct pickle {
	/* Set by the caller before pickle_read; the rest is zeroed. */
	struct model *m;
	uint32_t member;  /* must be mapped */
	/* Called when BUILD has completed an object; c stands behind it. joblib's arrays follow there. May be NULL. */
	enum rc (*built)(struct pickle *, struct pk *, struct cur *c, struct err *);
	void *arg;        /* for built */
	unsigned depth;   /* of pickles inside this one's stream */
	struct bytes bytes; /* to be read instead of the member, if there are any; */
	uint64_t base;    /* they begin at this byte of it */
	bool stray;       /* what is read may be no pickle at all: calls without a sensible name are not noted */

	/* What pickle_read gives. The graph lives until pickle_free; texts point into the member. */
	struct pk *root;
	unsigned protocol; /* the highest that was announced */
	uint64_t end;      /* offset past STOP, or of where it broke off */
	struct pk_seq persistent; /* all nodes of that kind, in order */
	uint64_t work;     /* nodes looked at since, by whoever walks the graph: until pk_tired */

	struct arena arena;
	struct pk_machine *machine;
};

/* Runs the pickle that begins at offset `at`. On failure the sentence says where; pickle_free is still due. */
enum rc pickle_read(struct pickle *, uint64_t at, struct err *);
void pickle_free(struct pickle *);

/* Reads bytes as pickles, one after the other, whatever they are, for the calls alone; they begin at `at` of the
 * member. Whether they call something, or name what is dangerous, before they end or break off; if not, the model's
 * list is as it was. *took, if wanted, gets how many bytes were looked at. */
bool pickle_try(struct model *, uint32_t member, struct bytes, uint64_t at, uint64_t *took);

/* Whether the walk has gone on for long enough: a few hundred bytes can refer to the same things so often that it would
 * never end. An honest pickle's opcodes are looked at a few times each. */
bool pk_tired(const struct pickle *);

/* Whether bytes begin with a pickle's protocol, which says no more than that. */
bool pickle_begins(struct bytes);

/* Whether bytes begin as a pickle does: how many opcodes are sound as far as one looks (at most `most`), 0 when one is
 * not. cut: the bytes are only the beginning. whole: set when they came to STOP. */
unsigned pickle_looks(struct bytes, bool cut, unsigned most, bool *whole);

/* ---- reading the graph; a NULL node is taken as something that fits nothing ---- */

bool pk_is(const struct pk *, enum pk_kind);

/* The characters of a text, or of a str of Python 2 (decoded into the arena if need be); false for anything else. */
bool pk_text(struct pickle *, struct pk *, struct str *out);
bool pk_text_is(struct pickle *, struct pk *, const char *word);
bool pk_int(const struct pk *, int64_t *out); /* PK_INT or PK_BOOL */
bool pk_u64(const struct pk *, uint64_t *out); /* a PK_INT that is not negative */

/* A global with this module and name; a name of "*" fits any. */
bool pk_global_is(const struct pk *, const char *module, const char *name);

/* Item i of a tuple or a list; NULL when there is none. */
struct pk *pk_item(const struct pk *, size_t i);
size_t pk_count(const struct pk *); /* of a tuple, list or set; pairs of a dict; else 0 */

/* The value of a text key in a dict, the last one if there are several; NULL: none. */
struct pk *pk_get(struct pickle *, const struct pk *dict, const char *key);

/* The class (or function) that an object comes from, seen through copyreg's helpers and through persistent ids of
 * modules; NULL when it is no global. */
const struct pk *pk_class(const struct pk *x);

/* The class of something pickled with protocol 0 or 1 stands in the arguments: those are no arguments of its own. */
bool pk_rebuilt(const struct pk *object);

/* Bytes, whatever wrote them: PK_BYTES, _codecs.encode(text, 'latin1'), bytearray(bytes). */
struct pk_bytes {
	struct str raw;
	enum pk_code code; /* PK_PLAIN: they stand in the file as they are */
	bool bad;          /* a character that is no byte was met */
};
bool pk_bytes(struct pickle *, const struct pk *, struct pk_bytes *out); /* false: not bytes */

/* Decodes one byte from the front; false at the end, or where a character is no byte. */
bool pk_bytes_next(struct pk_bytes *, uint8_t *out);

/* Appends them, decoded, to a spool; *n gets how many. Fails where a character is no byte. */
enum rc pk_bytes_spool(struct pk_bytes, struct spool *, uint64_t *n, struct err *);

/* Appends the node as Python would write it, shortened to about `most` characters; the arguments of a call in round
 * brackets. */
void pk_show(struct buf *, const struct pk *, size_t most);
void pk_show_args(struct buf *, const struct pk *args, size_t most);

#endif
