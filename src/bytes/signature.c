#include "bytes/signature.h"

#include <string.h>

/* The header of a Windows program stands where the field at byte 60 says. */
const char *signature_program(struct bytes b)
{
	uint32_t word = b.n < 4 ? 0 : (uint32_t)b.p[0] << 24 | (uint32_t)b.p[1] << 16 | (uint32_t)b.p[2] << 8 | b.p[3];
	uint32_t pe = b.n < 64 ? 0 : (uint32_t)b.p[61] << 8 | b.p[60];

	if (word == 0x7f454c46)
		return "an ELF program or library";
	if (word == 0xfeedface || word == 0xfeedfacf || word == 0xcefaedfe || word == 0xcffaedfe)
		return "a Mach-O program or library";
	if (word >> 16 == 0x4d5a && pe && pe + 4 <= b.n && memcmp(b.p + pe, "PE\0\0", 4) == 0)
		return "a Windows program or library";
	return NULL;
}

bool signature_script(struct bytes head)
{
	return head.n >= 3 && memcmp(head.p, "#!/", 3) == 0;
}

#define MAGIC(text, what) {{(text), sizeof(text) - 1}, (what)}

const char *signature_of(struct bytes b)
{
	static const struct {
		struct str magic;
		const char *what;
	} magics[] = {
		MAGIC("GIF87a", "a GIF picture"),
		MAGIC("GIF89a", "a GIF picture"),
		MAGIC("\x89PNG\r\n", "a PNG picture"),
		MAGIC("\xff\xd8\xff", "a JPEG picture"),
		MAGIC("%PDF-", "a PDF document"),
		MAGIC("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a Microsoft Office document"),
		MAGIC("<?xml", "an XML document"),
		MAGIC("<!DOCTYPE", "an HTML document"),
		MAGIC("<html", "an HTML document"),
		MAGIC("\xca\xfe\xba\xbe", "a Java class or a Mach-O program"),
		MAGIC("\0asm", "a WebAssembly program"),
		MAGIC("SQLite format 3", "an SQLite data base"),
		MAGIC("PK\3\4", "a zip file"),
		MAGIC("\x1f\x8b\x08", "a gzip file"),
		MAGIC("7z\xbc\xaf\x27\x1c", "a 7z archive"),
		MAGIC("Rar!\x1a\7", "a RAR archive"),
		MAGIC("\xfd" "7zXZ", "an xz file"),
		MAGIC("\x80\2}", "a pickle"),
		MAGIC("\x80\2c", "a pickle"),
		MAGIC("\x80\3}", "a pickle"),
		MAGIC("\x80\3c", "a pickle"),
		MAGIC("\x80\4\x95", "a pickle"),
		MAGIC("\x80\5\x95", "a pickle"),
	};

	if (signature_program(b))
		return signature_program(b);
	if (signature_script(b))
		return "a script";
	for (size_t i = 0; i < COUNT(magics); i++)
		if (b.n >= magics[i].magic.n && memcmp(b.p, magics[i].magic.p, magics[i].magic.n) == 0)
			return magics[i].what;
	return NULL;
}

bool signature_name(struct str name)
{
	static const char *const endings[] = {".py", ".pyc", ".pyd", ".so", ".sh", ".bash", ".exe", ".dll", ".dylib",
					      ".bat", ".cmd", ".ps1", ".vbs", ".js", ".jar", ".lnk", ".scr", ".com",
					      ".msi", ".desktop", ".pth"};

	for (size_t i = 0; i < COUNT(endings); i++) {
		size_t n = strlen(endings[i]);

		if (name.n >= n && memcmp(name.p + name.n - n, endings[i], n) == 0)
			return true;
	}
	return false;
}
