#include "batch/sarif.h"

#include <string.h>

#include "base/version.h"
#include "batch/batch.h"

/* SARIF knows no danger: an error is its word for what comes first. */
static json_t *level(enum severity s)
{
	return js_text(s == SEVERITY_DANGER ? STR("error") : s == SEVERITY_WARNING ? STR("warning") : STR("note"));
}

/* SARIF's objects take no members of ours: bytes that are no UTF-8 are replaced, and not told beside as elsewhere. */
static json_t *message(struct str text)
{
	json_t *o = json_object();

	js_put(o, "text", js_text(text));
	return o;
}

static json_t *rules(void)
{
	json_t *list = json_array();

	for (const struct check *c = checks; c->code; c++) {
		json_t *o = json_object(), *defaults = json_object(), *properties = json_object();

		js_put(o, "id", js_text(str_of(c->code)));
		js_put(o, "shortDescription", message(str_of(c->about)));
		js_put(defaults, "level", level(c->severity));
		js_put(o, "defaultConfiguration", defaults);
		js_put(properties, "basis", js_text(str_of(basis_names[c->basis])));
		js_put(o, "properties", properties);
		json_array_append_new(list, o);
	}
	return list;
}

/* A file's name as a URI reference (RFC 3986): what is not unreserved is %XX; a first segment may hold no colon. */
static json_t *uri(struct str path)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
	struct buf b = {0};
	json_t *j;

	for (size_t i = 0; i < path.n; i++) {
		if (path.p[i] && strchr(plain, path.p[i]))
			buf_putc(&b, path.p[i]);
		else
			buf_printf(&b, "%%%02X", (unsigned char)path.p[i]);
	}
	j = js_text(buf_view(&b));
	buf_free(&b);
	return j;
}

static json_t *locations(const struct audit *a, const struct finding *f)
{
	json_t *list = json_array(), *place = json_object(), *physical = json_object(), *artifact = json_object();
	uint64_t at = finding_offset(a->m, f);
	struct str file = finding_file(a->m, f);

	js_put(artifact, "uri", uri(file.n ? file : str_of(a->m->path)));
	js_put(physical, "artifactLocation", artifact);
	if (at != UINT64_MAX) {
		json_t *region = json_object();

		js_put(region, "byteOffset", js_u64(at));
		if (f->length)
			js_put(region, "byteLength", js_u64(f->length));
		js_put(physical, "region", region);
	}
	js_put(place, "physicalLocation", physical);
	if (f->tensor.n) {
		json_t *logical = json_object(), *names = json_array();

		js_put(logical, "name", js_text(f->tensor));
		json_array_append_new(names, logical);
		js_put(place, "logicalLocations", names);
	}
	json_array_append_new(list, place);
	return list;
}

static json_t *result(const struct audit *a, const struct finding *f, bool news)
{
	json_t *o = json_object(), *prints = json_object();
	struct buf text = {0};

	js_put(o, "ruleId", js_text(str_of(f->check->code)));
	js_put(o, "ruleIndex", js_u64((uint64_t)(f->check - checks)));
	js_put(o, "level", level(f->check->severity));
	if (f->tensor.n) {
		buf_str(&text, f->tensor);
		buf_puts(&text, ": ");
	}
	buf_puts(&text, f->message);
	js_put(o, "message", message(buf_view(&text)));
	js_put(o, "locations", locations(a, f));
	js_put(prints, "weigh/v1", js_text(f->key));
	js_put(o, "partialFingerprints", prints);
	if (news)
		js_put(o, "baselineState", js_text(STR("new")));
	buf_free(&text);
	return o;
}

/* Whether all could be looked at, and what could not: that there are few findings means little without. */
static json_t *invocations(const struct batch *b)
{
	json_t *list = json_array(), *o = json_object(), *notes = json_array();

	js_put(o, "executionSuccessful", json_boolean(!b->n_mishaps));
	for (size_t i = 0; i < b->n_mishaps; i++) {
		json_t *note = json_object();

		js_put(note, "level", js_text(STR("error")));
		js_put(note, "message", message(str_of(b->mishaps[i].message)));
		json_array_append_new(notes, note);
	}
	js_put(o, "toolExecutionNotifications", notes);
	json_array_append_new(list, o);
	return list;
}

void sarif_put(const struct batch *b, const struct audit *a, const struct finding **list, size_t n)
{
	bool news = b->s->n_models == 2;
	json_t *log = json_object(), *runs = json_array(), *run = json_object(), *tool = json_object();
	json_t *driver = json_object(), *results = json_array();

	js_put(log, "$schema", js_text(STR("https://json.schemastore.org/sarif-2.1.0.json")));
	js_put(log, "version", js_text(STR("2.1.0")));
	js_put(driver, "name", js_text(STR("weigh")));
	js_put(driver, "version", js_text(STR(WEIGH_VERSION)));
	js_put(driver, "rules", rules());
	js_put(tool, "driver", driver);
	js_put(run, "tool", tool);
	js_put(run, "invocations", invocations(b));
	for (size_t i = 0; i < n; i++)
		json_array_append_new(results, result(a, list[i], news));
	js_put(run, "results", results);
	json_array_append_new(runs, run);
	js_put(log, "runs", runs);
	js_print(log);
	out_puts("\n");
}
