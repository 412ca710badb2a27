/*
 * What bytes begin with that is no model: programs, scripts, pictures. A reader that passes by what it does not know
 * opens a file all the same, so that weigh audit looks.
 */
#ifndef BYTES_SIGNATURE_H
#define BYTES_SIGNATURE_H

#include "base/util.h"

enum { SIGNATURE_HEAD = 4096 }; /* bytes that are enough to tell */

/* Each returns static words ("an ELF program or library"), or NULL: none that is known. */
const char *signature_program(struct bytes b);
const char *signature_of(struct bytes b); /* these, and scripts, pictures, documents, archives, pickles */

bool signature_script(struct bytes head); /* #!/ */

/* Whether a name ends like that of a program or a script: .so, .py, .bat. */
bool signature_name(struct str name);

#endif
