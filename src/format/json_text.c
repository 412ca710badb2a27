#include "format/json_text.h"

#include <inttypes.h>
#include <stdlib.h>

/*
 * Strict JSON: no key twice, valid UTF-8. The whole tree goes into an arena, and is dropped with it: freeing the
 * nodes of a header of 100,000 tensors one by one takes as long as parsing it. jansson has one allocator for all, so
 * it is set for just this call; files are opened on one thread, before the others start.
 */
static struct arena *json_memory;

static void *json_take(size_t n)
{
	return arena_alloc(json_memory, n, 1);
}

static void json_leave(void *p)
{
	(void)p;
}

json_t *json_parse(struct arena *a, struct bytes text, uint64_t base, const char *what, struct err *e)
{
	json_error_t why;
	json_t *root;

	json_memory = a;
	json_set_alloc_funcs(json_take, json_leave);
	root = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &why);
	json_set_alloc_funcs(malloc, free);
	if (!root)
		err_set(e, "%s is not sound JSON: %s (byte %" PRIu64 ")", what, why.text,
			base + (uint64_t)(why.position > 0 ? why.position : 0));
	else if (!json_is_object(root))
		err_set(e, "%s is not a JSON object (byte %" PRIu64 ")", what, base);
	return json_is_object(root) ? root : NULL;
}

struct str json_str(const json_t *v)
{
	return (struct str){json_string_value(v), json_string_length(v)};
}

bool json_u64(const json_t *v, uint64_t *out)
{
	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return false;
	*out = (uint64_t)json_integer_value(v);
	return true;
}
