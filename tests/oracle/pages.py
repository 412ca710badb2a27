"""-o html of every command: one whole page, well formed, without scripts or anything to fetch, whatever names a file has."""
import os
import subprocess
import sys
from html.parser import HTMLParser

sys.dont_write_bytecode = True

import numpy as np

import check
import weightfiles as wf

ALLOWED = {"html", "head", "meta", "title", "style", "body", "h1", "pre", "span", "table", "thead", "tbody", "tr", "th", "td"}
ATTRIBUTES = {"lang", "charset", "http-equiv", "content", "name", "class"}
HOSTILE = ['<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', "a&amp;b", "</pre></td></table>", "line\nbreak",
           "\x01cred\x02", "'quoted'", "<!-- gone -->"]


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.faults, self.tables, self.cell, self.pre, self.title = [], [], [], None, "", ""
        self.feed(text)
        self.close()
        self.faults += [f"{tag} is not closed" for tag in self.open]
        if not text.startswith("<!DOCTYPE html>\n") or not text.endswith("</html>\n"):
            self.faults.append("not a whole page")

    def handle_starttag(self, tag, attrs):
        if tag not in ALLOWED or any(name not in ATTRIBUTES for name, _ in attrs):
            self.faults.append(f"{tag} {attrs}")
        if tag == "meta":
            return
        self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.cell = ""

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> in the wrong place")
        if tag in ("td", "th"):
            self.tables[-1][-1].append(self.cell)
            self.cell = None

    def handle_data(self, data):
        if self.cell is not None:
            self.cell += data
        elif "pre" in self.open:
            self.pre += data
        elif "title" in self.open:
            self.title += data

    def handle_comment(self, data):
        self.faults.append(f"a comment: {data}")


def page(*args, want):
    p = subprocess.run([os.environ["WEIGH"], *args, "-o", "html"], capture_output=True, check=False)
    got = Page(p.stdout.decode())
    if p.returncode != want:
        got.faults.append(f"exit status {p.returncode}, want {want}: {p.stderr.decode()}")
    check.ok(not got.faults, f"weigh {args[0]}: a page", got.faults)
    return got


def plain(*args):
    return subprocess.run([os.environ["WEIGH"], *args], capture_output=True, check=False, env={**os.environ, "COLUMNS": "500"}).stdout.decode()


def main():
    x = np.arange(32, dtype="<f4")
    wf.write_gguf("a.gguf", {n: ("F32", (4, 8), x.tobytes()) for n in HOSTILE})
    wf.write_gguf("b.gguf", {n: ("F32", (4, 8), (x + i).tobytes()) for i, n in enumerate(HOSTILE)})
    for args, want in ((("summary", "a.gguf"), 0), (("summary", "a.gguf", "b.gguf"), 1), (("stats", "a.gguf"), 0),
                       (("hist", "a.gguf", "b.gguf"), 1), (("meta", "a.gguf"), 0), (("meta", "a.gguf", "b.gguf"), 0),
                       (("formats",), 0), (("diff", "-q", "a.gguf", "b.gguf"), 1), (("diff", "-g", "1", "a.gguf", "b.gguf"), 1)):
        page(*args, want=want)
    lines = [line.split("  ")[0] for line in plain("list", "a.gguf").splitlines()]
    got = page("list", "a.gguf", want=0)
    check.ok([row[0] for row in got.tables[0]] == lines, "names as text has them", [str(got.tables[0]), str(lines)])
    check.ok(got.title == "weigh list a.gguf", "the title", [got.title])
    got = page("diff", "a.gguf", "b.gguf", want=1)
    said = plain("diff", "a.gguf", "b.gguf").splitlines()[-1]
    check.ok(got.pre.strip() == said, "the verdict of diff", [got.pre, said])
    got = page("show", "a.gguf", "*quoted*", want=0)
    check.ok(got.pre.strip("\n") == plain("show", "a.gguf", "*quoted*").strip("\n"), "values as text has them", [got.pre])
    with open("short.gguf", "wb") as f:
        f.write(open("a.gguf", "rb").read()[:-64])
    got = page("list", "short.gguf", want=2)
    check.ok("leave the file" in got.pre, "a page says what is missing in it", [got.pre])
    check.end()


if __name__ == "__main__":
    main()
