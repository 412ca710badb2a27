/* Linux's filter of system calls. No library: a short program for the kernel's own small machine. */
#ifndef BASE_SECCOMP_H
#define BASE_SECCOMP_H

#include <stdbool.h>

/* From now on the calls that start programs (unless `run`), reach the network or other processes, or change the system
 * fail with EPERM. Returns whether that holds. */
bool seccomp_enter(bool run);

#endif
