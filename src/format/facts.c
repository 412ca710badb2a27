#include "format/facts.h"

#include "format/notes.h"

void fact_text(struct model *m, const char *key, struct str text)
{
	note_text(m, str_of(key), "str", text);
}

void fact_uint(struct model *m, const char *key, uint64_t x)
{
	note_uint(m, str_of(key), "u64", x);
}

void fact_int(struct model *m, const char *key, int64_t x)
{
	note_int(m, str_of(key), "i64", x);
}

void fact_f32(struct model *m, const char *key, float x)
{
	note_real(m, str_of(key), "f32", (double)x);
}
