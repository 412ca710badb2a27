/*
 * The table of formats. One file a format, one const struct; format.c holds the only list, in no particular order:
 * the reader whose probe verified most bits wins.
 */
#ifndef FORMAT_FORMAT_H
#define FORMAT_FORMAT_H

#include "model/model.h"

/* What a probe may look at: the beginning and the end of the file (each up to PROBE_BYTES), and its name. */
struct probe {
	struct bytes head, tail;
	uint64_t size; /* of the whole file */
	const char *name;
};

enum { PROBE_BYTES = 64 * 1024 };

/* Of the files of one directory, those of the highest rank count. */
enum format_rank {
	RANK_PART = -1, /* what an index names: no model by itself */
	RANK_WHOLE,     /* most files */
	RANK_INDEX      /* names the other files of its model */
};

struct format {
	const char *name;  /* one word: gguf */
	const char *about; /* one line: whose format it is */
	const char *reads; /* what of it is read, and what is not */
	const char *files; /* usual file names, as globs: "*.safetensors *.safetensors.index.json" */

	enum format_rank rank;

	/* Bits verified: 0 for "not mine". Looks at bytes; a name alone is worth nothing. */
	int (*probe)(const struct probe *);

	/* Fills the model from the member, prints nothing. RC_FAIL: nothing of it can be shown. What is wrong with a
	 * single tensor, or with the file as a whole without hiding its tensors, becomes a problem of the model. */
	enum rc (*read)(struct model *, uint32_t member, struct err *);
};

extern const struct format format_safetensors, format_safetensors_index, format_gguf, format_npy, format_npz;
extern const struct format format_torch, format_torch_index, format_pickle, format_paddle;
extern const struct format format_onnx, format_coreml, format_coreml_package, format_caffe, format_mxnet;
extern const struct format format_ncnn, format_ncnn_bin, format_darknet, format_dlib, format_ggml;
extern const struct format format_lc0, format_leela, format_katago, format_nnue, format_nnue_raw;
extern const struct format format_gnubg, format_rnnoise;
extern const struct format format_tensorflow, format_tensorflow_shard, format_graphdef, format_savedmodel;
extern const struct format format_tflite, format_flax, format_flax_index, format_hdf5, format_keras;
extern const struct format *const formats[]; /* NULL-terminated */

const struct format *format_by_name(const char *name); /* NULL: no such format */

/*
 * Opens a model: a file, a directory that holds one model, a shard or the index of a sharded model, an archive
 * (ARCHIVE:ENTRY names one of several), "-" for standard input. `want` is a format's name or NULL to decide by
 * content; `unpacking` may be NULL. On failure the sentence says what was found instead; the model is closed.
 */
enum rc model_open(struct model *, const char *path, const char *want, const struct unpacking *, struct err *);

/*
 * The same for who looks for what would harm. What is in another format may be a pickle, too: it is tried. And a file
 * that is refused stays open all the same where its pickle names functions before it breaks off, or where programs
 * stand beside what was looked for in an archive. Then `refusal` says why it was, and there are neither tensors nor
 * metadata.
 */
enum rc model_inspect(struct model *, const char *path, const char *want, const struct unpacking *, struct err *);

/*
 * For the calls alone of a file that is no part of a model, but stands beside one; there may be none, nor anything
 * else. An archive is not searched; what is compressed as a whole is unpacked only where a pickle begins in it, or a
 * file that may hold some. Fails where it cannot be looked at, by a limit for instance, and there are no calls; if
 * there are, that is the refusal. That it is no sound file of any kind is neither.
 */
enum rc model_inspect_neighbour(struct model *, const char *path, const struct unpacking *, struct err *);

/* Whether a file that begins like that is worth it: a pickle, a zip, tar or NumPy file, or something packed. */
bool model_may_call(struct bytes head, uint64_t size, const char *path);

#endif
