/*
 * What libhdf5 finds in a file. The library is large, brings thirty others, and has crashed on many a file that was
 * made to that end: it is part of a program of its own, weigh-h5 (src/h5), which is run for each file, sends a list
 * of records through a pipe and ends. What comes out of the pipe is as untrusted as the file. The library is given the
 * mapped bytes, opens no file, loads no plugin, follows no link to another file, and reads only data that stand in
 * this one.
 *
 * Records, little-endian; texts are u32 bytes and these:
 *	H5_DATASET	text path, word; u8 dtype, big-endian, rank; rank u64 dimensions; u8 place; u64 offset, length;
 *			text why: why it is not decoded, or empty; with a ! before it, the file is at fault
 *	H5_ATTRIBUTE	text path, name; u8 kind; a value
 *	H5_LINK		text path, what it leads to
 *	H5_TROUBLE	text
 *	H5_DONE		u64 bytes of the spool
 */
#ifndef FORMAT_H5SCAN_H
#define FORMAT_H5SCAN_H

#include "base/buf.h"
#include "base/sandbox.h"
#include "bytes/spool.h"

#define H5_PROGRAM "weigh-h5"

/* What the two programs agree on: the descriptors that weigh-h5 finds open, beside its arguments VERSION OFFSET LENGTH
 * MOST, which are this program's version, where in the file the image is, and how many bytes the spool may come to; and
 * its exit status when it did not begin. */
enum { H5_FD_FILE = 3, H5_FD_SPOOL, H5_FD_PIPE, H5_FD_END };
enum { H5_OTHER_VERSION = 3, H5_NO_START = 127 /* as when libhdf5 is not there */ };

/* Bytes, at most: of all names, and of all attributes; a model's configuration is a few megabytes. */
#define H5_NAMES_MAX ((uint64_t)32 << 20)
#define H5_ATTRIBUTES_MAX ((uint64_t)32 << 20)

enum h5_record { H5_DATASET = 1, H5_ATTRIBUTE, H5_LINK, H5_TROUBLE, H5_DONE };

enum h5_place {
	H5_NOWHERE, /* it is not read */
	H5_IN_FILE, /* as the file has it */
	H5_SPOOLED,
	H5_FILLED   /* it was never written: one element in the spool stands for all */
};

/* The value is: a text; a u64, and as many texts; a u64; one; one, the bits of a double; a text that says what it
 * is. */
enum h5_kind { H5_TEXT, H5_TEXTS, H5_UINT, H5_INT, H5_REAL, H5_OTHER };

enum { H5_KEPT = 100000 }; /* texts of one attribute */

/* The version of libhdf5 that this build was made with, or NULL in a build without it. */
const char *h5_version(void);

/* Allows weigh-h5 to be started; nothing in a build without it. */
void h5_needs(struct sandbox *);

/* Scans the HDF5 file that the span is, which must be mapped. Records that came before something went wrong are there
 * all the same; that it did is the last of them. The spool is what datasets that do not lie in the file as they are go
 * to. */
enum rc h5_scan(const struct source *, struct span file, struct spool *, struct buf *records, struct err *);

#endif
