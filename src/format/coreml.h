/* What the files of the Core ML reader share. */
#ifndef FORMAT_COREML_H
#define FORMAT_COREML_H

#include "base/map.h"
#include "format/values.h"

enum {
	COREML_PREFIX_MAX = 512,    /* bytes before the names in these */
	COREML_NAMED = 20           /* findings of one kind told one by one */
};

/* A model, a neural network or a block of an ML Program that is still to be looked into: what is nested waits in a
 * queue, so that nothing recurses. */
enum coreml_kind { COREML_MODEL, COREML_NETWORK, COREML_BLOCK };

struct coreml_part {
	enum coreml_kind kind;
	struct bytes message;
	struct str prefix; /* of the names in it */
	unsigned depth;
};

struct coreml {
	struct model *m;
	struct values v;
	struct coreml_part *parts;
	size_t n_parts, cap_parts;
	size_t tensors, problems;
	struct map files;   /* of weights: name to member, or COREML_FILE_BROKEN */
	size_t text;        /* constants that are text, and lists: parameters of operations, not weights */
	const char *kind;   /* the first model's, by its field's name */
};

#define COREML_FILE_BROKEN (MAP_NONE - 1)

/* Puts a part into the queue; the names in it begin with `name` and a dot, or are plain for an empty one. */
enum rc coreml_push(struct coreml *, enum coreml_kind, struct bytes message, unsigned depth, struct str name,
		    struct err *);

/* PREFIX NAME.PART in the arena, without the dot where name or part is empty. */
struct str coreml_name(struct coreml *, struct str prefix, struct str name, struct str part);

/* Adds a tensor whose data is to follow; NULL, with a sentence, when there are too many. */
struct tensor *coreml_tensor(struct coreml *, struct str name, struct err *);

uint64_t coreml_at(const struct coreml *, struct bytes message); /* where it stands in the file */
void coreml_complain(struct coreml *, struct bytes message, const char *what);

enum rc coreml_network(struct coreml *, const struct coreml_part *, struct err *); /* NeuralNetwork */
enum rc coreml_program(struct coreml *, struct bytes program, struct str name, unsigned depth, struct err *);
enum rc coreml_block(struct coreml *, const struct coreml_part *, struct err *);

#endif
