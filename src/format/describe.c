#include "format/describe.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"

/* Beginnings, and what has them. Longer and rarer ones first: the first that fits is taken. */
static const struct {
	unsigned at;
	struct str magic;
	const char *what;
} magics[] = {
	{4, {"ET12", 4}, "is an ExecuTorch program"},
	{0, {"\x80\2", 2}, "is a Python pickle (PyTorch, joblib?)"},
	{0, {"\x80\3", 2}, "is a Python pickle (PyTorch, joblib?)"},
	{0, {"\x80\4", 2}, "is a Python pickle (PyTorch, joblib?)"},
	{0, {"\x80\5", 2}, "is a Python pickle (PyTorch, joblib?)"},
	{64, {"\xef\xbe\xad\xde", 4}, "is a file of Core ML weights: open the model that it belongs to (.mlmodel)"},
	{0, {"\x7f" "ELF", 4}, "is a program (ELF)"},
	{0, {"\x89PNG", 4}, "is a PNG picture"},
	{0, {"%PDF", 4}, "is a PDF document"},
	{0, {"PK\3\4", 4}, "is a zip file"},
	{0, {"PK\5\6", 4}, "is an empty zip file"},
	{0, {"\x93NUMPY", 6}, "begins like a NumPy file, of a version that does not exist"},
	{0, {"GGUF", 4}, "begins like a GGUF file, of a version that is not read"},
};

static bool starts(struct bytes b, const char *word)
{
	size_t n = strlen(word);

	return b.n >= n && strncasecmp((const char *)b.p, word, n) == 0;
}

/* A few bytes may be cut off in the middle of a character. */
static bool is_text(struct bytes b)
{
	size_t n = b.n < 512 ? b.n : 512;

	if (memchr(b.p, 0, n))
		return false;
	for (size_t cut = 0; cut < 4 && cut < n; cut++)
		if (utf8_valid((struct str){(const char *)b.p, n - cut}))
			return true;
	return false;
}

static const char *what_text(struct bytes head)
{
	while (head.n && strchr(" \t\r\n", head.p[0])) {
		head.p++;
		head.n--;
	}
	if (starts(head, "<!doctype html") || starts(head, "<html"))
		return "is a web page (HTML), not a weight file: the download went wrong";
	if (starts(head, "[net]") || starts(head, "[network]"))
		return "is Darknet's description of a net: open its weights (.weights)";
	if (head.n && (head.p[0] == '{' || head.p[0] == '['))
		return "is JSON, but not the index of a model";
	return "is text, not a weight file";
}

static bool all_zero(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i])
			return false;
	return true;
}

/* The name of the first entry of a zip file. */
static struct str first_entry(struct bytes head)
{
	size_t n;

	if (head.n < 30 || memcmp(head.p, "PK\3\4", 4) != 0)
		return STR("");
	n = (size_t)head.p[26] | (size_t)head.p[27] << 8;
	return n <= head.n - 30 ? (struct str){(const char *)head.p + 30, n} : STR("");
}

const char *describe_zip(struct bytes head)
{
	static const struct {
		struct str ending;
		const char *what;
	} endings[] = {
		{{"/data.pkl", 9}, "is a PyTorch file (a zip with a pickle)"},
		{{"/.format_version", 16}, "is a PyTorch file (a zip with a pickle)"},
		{{"/byteorder", 10}, "is a PyTorch file (a zip with a pickle)"},
		{{"/version", 8}, "is a PyTorch file (a zip with a pickle)"},
		{{"metadata.json", 13}, "is a Keras model, but without model.weights.h5"},
	};
	struct str name = first_entry(head);

	for (size_t i = 0; i < COUNT(endings); i++)
		if (name.n >= endings[i].ending.n &&
		    str_eq((struct str){name.p + name.n - endings[i].ending.n, endings[i].ending.n}, endings[i].ending))
			return endings[i].what;
	return NULL;
}

static const char *what_pointer(struct bytes head)
{
	static const struct str magic = {"version https://git-lfs", 23};

	return head.n >= magic.n && memcmp(head.p, magic.p, magic.n) == 0
		       ? "is a Git LFS pointer, not the file itself: fetch it with git lfs pull" : NULL;
}

enum rc describe_pointer(struct bytes head, struct err *e)
{
	const char *what = what_pointer(head);

	return what ? err_set(e, "%s", what) : RC_OK;
}

static const char *what_is(struct bytes head)
{
	const char *zip = describe_zip(head), *pointer = what_pointer(head);

	if (zip || pointer)
		return zip ? zip : pointer;
	for (size_t i = 0; i < COUNT(magics); i++)
		if (head.n >= magics[i].at + magics[i].magic.n &&
		    memcmp(head.p + magics[i].at, magics[i].magic.p, magics[i].magic.n) == 0)
			return magics[i].what;
	if (is_text(head))
		return what_text(head);
	if (all_zero(head))
		return "holds only zeros at its beginning: an unfinished download?";
	return "is in no format that is known here";
}

enum rc describe_unknown(struct bytes head, uint64_t size, struct err *e)
{
	return err_set(e, "%s (%" PRIu64 " bytes); weigh formats lists what is read", what_is(head), size);
}
