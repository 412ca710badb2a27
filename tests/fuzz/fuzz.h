/*
 * What the fuzz entries share: an input becomes files in a directory of its own.
 *
 * An input is one file, or, to have the files of a model side by side, several: the line "weigh-fuzz-files", then for
 * each a line "NAME SIZE" and SIZE bytes. seeds.py writes such.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

enum { FUZZ_FILES = 8 };

struct fuzz_files {
	char *path[FUZZ_FILES]; /* in the order of the input */
	unsigned n;
};

/* Writes the files; one alone gets the name. False: the input is none of these, or too much. */
int fuzz_write(struct fuzz_files *, const uint8_t *p, size_t n, const char *name);
void fuzz_remove(struct fuzz_files *);

/* Finishes a model that was opened, and looks at every name, message and value of it. */
struct model;
void fuzz_look(struct model *);

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

#endif
