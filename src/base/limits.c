#include "base/limits.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

struct limits limits = {
#define LIMIT(name, usual, most, about) .name = (usual),
#include "base/limits.def"
#undef LIMIT
};

const struct limit_info limit_infos[] = {
#define LIMIT(name, usual, most, about) {#name, about, usual, most, &limits.name},
#include "base/limits.def"
#undef LIMIT
	{NULL, NULL, 0, 0, NULL},
};

bool limits_number(const char *arg, uint64_t *out)
{
	const char *units = "KMGT", *unit;
	uint64_t n;
	char *end;

	if (*arg < '0' || *arg > '9')
		return false;
	errno = 0;
	n = strtoull(arg, &end, 10);
	unit = *end ? strchr(units, *end) : NULL;
	if (errno || end[unit != NULL] || (unit && !u64_mul(n, (uint64_t)1 << 10 * (unit - units + 1), &n)))
		return false;
	*out = n;
	return true;
}

static enum rc unknown(const char *name, size_t n, struct err *e)
{
	struct buf all = {0};

	for (const struct limit_info *i = limit_infos; i->name; i++)
		buf_printf(&all, "%s%s", i == limit_infos ? "" : ", ", i->name);
	err_set(e, "no limit '%.*s'; there are %s", (int)n, name, all.p);
	buf_free(&all);
	return RC_FAIL;
}

enum rc limits_set(const char *arg, struct err *e)
{
	size_t n = strcspn(arg, "=");
	const struct limit_info *i = limit_infos;
	uint64_t value;

	while (i->name && (strlen(i->name) != n || memcmp(i->name, arg, n) != 0))
		i++;
	if (!i->name)
		return unknown(arg, n < 100 ? n : 100, e);
	if (!arg[n] || !limits_number(arg + n + 1, &value) || !value)
		return err_set(e, "--limit %s takes a number, such as %s=2M, not '%s'", i->name, i->name,
			       arg[n] ? arg + n + 1 : "");
	if (value > i->most)
		return err_set(e, "--limit %s takes at most %" PRIu64, i->name, i->most);
	*i->value = value;
	return RC_OK;
}

enum rc(limits_passed)(const uint64_t *limit, struct err *e)
{
	const struct limit_info *i = limit_infos;

	while (i->value != limit)
		i++;
	if (*limit >= i->most)
		return err_set(e, "more than %" PRIu64 " %s: refused", *limit, i->about);
	return err_set(e, "more than %" PRIu64 " %s: refused (--limit %s=N allows more)", *limit, i->about, i->name);
}

uint64_t limits_names(uint64_t file)
{
	uint64_t n;

	return u64_mul(file, 16, &n) && u64_add(n, limits.names, &n) ? n : UINT64_MAX;
}
