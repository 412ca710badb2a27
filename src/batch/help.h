/* --help, from the tables of commands and options. */
#ifndef BATCH_HELP_H
#define BATCH_HELP_H

#include "analysis/opts.h"

/* --version, the help of the command that was named, or the whole. Returns 0. */
int help(const struct opts *);

#endif
