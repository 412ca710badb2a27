/* The version, here and nowhere else: configure, `make dist` and the manual read this line. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define WEIGH_VERSION "0.1.0"

#endif
