#!/usr/bin/env python3
"""What a file, its name and a user's own typing put on a terminal: the bytes that weigh sends to one, followed by an
emulator that knows nothing but what terminfo has for xterm-256color. Names, metadata, types, shards and messages carry
what would steer a terminal. Anything else than text and those sequences is a failure, and so is a screen that differs
from the cells that --keys saves, which another machine than curses' own counted. Prints TAP."""
import base64
import json
import os
import re
import struct
import subprocess
import tempfile
import time
import unicodedata
import zipfile

import pickles
from pickles import G, Call
from terminal import PATIENCE, WEIGH, Terminal, check, finish
from wire import field

# By bytes; the first of each pair is how it looks when it was made harmless, where it is short enough to be seen whole.
STEERING = [
    (r"\x1b[2J", b"\x1b[2J"), (r"\x1b]0;t\x07", b"\x1b]0;t\x07"), (r"\x1b]52;c;eA==\x1b\ ".strip(), b"\x1b]52;c;eA==\x1b\\"),
    (r"\x1bP1$q\x1b\ ".strip(), b"\x1bP1$q\x1b\\"), (r"\x1b_apc", b"\x1b_apc\x1b\\"), (r"\x1bc", b"\x1bc"), (r"\x0e\x0f", b"\x0e\x0f"),
    (r"\x07\x08\x7f", b"\x07\x08\x7f"), (r"\r\n\t\x0b", b"\r\n\t\x0b"), (r"\x9b5m", b"\x9b5m"), (r"\u009b5m", b"\xc2\x9b5m"),
    (r"\u009d0;t\u009c", b"\xc2\x9d0;t\xc2\x9c"), (r"\u202e\u2066", "\u202e\u2066".encode()), (r"\u200d\u200b", "\u200d\u200b".encode()),
    (r"\ufeff\u00ad", "\ufeff\xad".encode()), (r"\U000e0041", "\U000e0041\U000e007f".encode()), (r"\u115f\u3164", "\u115f\u3164".encode()),
    (r"\ufe0f\u034f", "\ufe0f\u034f".encode()), (r"\u2028\u2029", "\u2028\u2029".encode()), (r"\xc0\xaf\xe0\x80\xaf", b"\xc0\xaf\xe0\x80\xaf"),
    (r"\xed\xa0\x80", b"\xed\xa0\x80"), (r"\xff\xfe", b"\xff\xfe"), (r"\u0336\u0336", "\u0336\u0336".encode()), (r"\u0301", ("o" + "\u0301" * 60).encode()),
]
ODD = [("層" * 50).encode(), ("x" + "層" * 50).encode(), "\U0001f469\u200d\U0001f467 \U0001f3f3\ufe0f \U0001f44d\U0001f3fd".encode(),
       ("e\u0301" * 60).encode(), "größe".encode(), b"long_" * 12000 + b"\x1b[2J"]

# Drawn as nothing or as a blank, or changing how others are drawn: Default_Ignorable_Code_Point, and the separators.
INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
                       "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]")
MARKS_MOST = 4

# ---- the terminal ----

TOKEN = re.compile(rb"\x1b\[(?P<args>\??[0-9;]*)(?P<final>[@A-DGHJ-MPSTXZbdhlmrt])|\x1b(?P<plain>[78=>M]|[()][0B])|"
                   rb"\x1b\](?:104|52;c;(?P<copy>[A-Za-z0-9+/=]*))\x07|(?P<move>[\r\n\t\x08])|"
                   rb"(?P<text>[\x20-\x7e]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3})")
PART = re.compile(rb"\x1b(\[\??[0-9;]*|[()]|\](?:1?0?4?|52?;?c?;?[A-Za-z0-9+/=]*))?|[\xc2-\xf4][\x80-\xbf]{0,2}")
PRIVATE_MODES = {"1", "7", "12", "25", "1000", "1002", "1006", "1034", "1049"}
WINDOW = {"22;0;0", "23;0;0"}  # smcup and rmcup keep the title, and give it back


def columns_of(c):
    if unicodedata.category(c) in ("Mn", "Me") or "\u1160" <= c <= "\u11ff":
        return 0
    return 2 if unicodedata.east_asian_width(c) in "WF" else 1


class Emulator:
    def __init__(self, columns, rows, ascii):
        self.ascii, self.bad, self.copied, self.rest = ascii, [], [], b""
        self.resize(columns, rows)

    def resize(self, columns, rows):
        self.w, self.h = columns, rows
        self.cells = [[" "] * columns for _ in range(rows)]
        self.y = self.x = 0
        self.top, self.bottom, self.full, self.last = 0, rows - 1, False, " "

    def lines(self):
        return ["".join(line).rstrip(" ") for line in self.cells]

    def wrong(self, what, data):
        self.bad.append("%s: %r" % (what, data))

    def feed(self, data):
        data, at = self.rest + data, 0
        while at < len(data):
            m = TOKEN.match(data, at)
            if m:
                self.do(m)
                at = m.end()
            elif PART.fullmatch(data, at):
                break
            else:
                self.wrong("not in terminfo", data[at:at + 40])
                at += 1
        self.rest = data[at:]

    def do(self, m):
        if m["text"]:
            try:
                self.put(m["text"].decode())
            except UnicodeDecodeError:
                self.wrong("no UTF-8", m["text"])
        elif m["final"]:
            self.control(m["final"].decode(), m["args"].decode(), m[0])
        elif m["copy"] is not None:
            self.copied.append(base64.b64decode(m["copy"]))
        elif m["move"]:
            self.full = False
            if m["move"] == b"\r":
                self.x = 0
            elif m["move"] == b"\n":
                self.down()
            elif m["move"] == b"\t":
                self.x = min(self.w - 1, self.x // 8 * 8 + 8)
            else:
                self.x = max(0, self.x - 1)
        elif m["plain"] == b"M":
            self.up()

    def put(self, c):
        n = columns_of(c)
        if INVISIBLE.match(c) or unicodedata.category(c) in ("Cc", "Cf", "Cn", "Cs", "Zl", "Zp"):
            return self.wrong("invisible", c)
        if self.ascii and c > "~":
            return self.wrong("not ASCII", c)
        if n == 0:
            return self.mark(c)
        if self.full or self.x + n > self.w:
            self.x, self.full = 0, False
            self.down()
        for i in range(n):
            self.break_at(self.y, self.x + i)
        self.cells[self.y][self.x:self.x + n] = [c] + [""] * (n - 1)
        self.x, self.full, self.last = min(self.x + n, self.w - 1), self.x + n >= self.w, c

    def mark(self, c):
        """On what stands before the cursor."""
        x = self.x if self.full else self.x - 1
        while x > 0 and self.cells[self.y][x] == "":
            x -= 1
        if x < 0 or self.cells[self.y][x] == " " or len(self.cells[self.y][x]) > MARKS_MOST:
            return self.wrong("a mark on nothing, or one too many", c)
        self.cells[self.y][x] += c

    def break_at(self, y, x):
        """Half of a wide character does not stay."""
        line = self.cells[y]
        if line[x] == "":
            line[x - 1] = " "
        if x + 1 < self.w and line[x + 1] == "":
            line[x + 1] = " "

    def down(self):
        if self.y == self.bottom:
            self.scroll(self.top, 1)
        else:
            self.y = min(self.y + 1, self.h - 1)

    def up(self):
        if self.y == self.top:
            self.scroll(self.top, -1)
        else:
            self.y = max(self.y - 1, 0)

    def scroll(self, top, n):
        region, blank = self.cells[top:self.bottom + 1], [[" "] * self.w for _ in range(abs(n))]
        self.cells[top:self.bottom + 1] = (region + blank)[n:] if n > 0 else (blank + region)[:len(region)]

    def erase(self, y, start, end):
        for x in range(start, min(end, self.w)):
            self.break_at(y, x)
            self.cells[y][x] = " "

    def control(self, final, args, whole):
        if final in "hl":
            if not set(args.lstrip("?").split(";")) <= (PRIVATE_MODES if args.startswith("?") else {"4"}):
                self.wrong("a mode not in terminfo", whole)
            if args == "4" and final == "h":
                self.wrong("insert mode is not followed here", whole)
            if args == "?1049":
                self.resize(self.w, self.h)
            return None
        if final == "t":
            return None if args in WINDOW else self.wrong("a window operation", whole)
        if final == "m":
            return None
        if "?" in args:
            return self.wrong("not in terminfo", whole)
        p = [int(a) if a else 0 for a in args.split(";")]
        self.moved(final, p, max(p[0], 1))

    def moved(self, final, p, n):
        line, full, self.full = self.cells[self.y], self.full, False
        if final == "H":
            self.y, self.x = min(n, self.h) - 1, min(max(p[1] if len(p) > 1 else 1, 1), self.w) - 1
        elif final == "A":
            self.y = max(0, self.y - n)
        elif final == "B":
            self.y = min(self.h - 1, self.y + n)
        elif final == "C":
            self.x = min(self.w - 1, self.x + n)
        elif final == "D":
            self.x = max(0, self.x - n)
        elif final == "G":
            self.x = min(n, self.w) - 1
        elif final == "d":
            self.y = min(n, self.h) - 1
        elif final == "J":
            self.erase(self.y, self.x if p[0] != 2 else 0, self.w)
            for y in range(self.y + 1 if p[0] != 2 else 0, self.h):
                self.erase(y, 0, self.w)
        elif final == "K":
            self.full = full
            self.erase(self.y, 0 if p[0] else self.x, self.x + 1 if p[0] == 1 else self.w)
        elif final == "X":
            self.erase(self.y, self.x, self.x + n)
        elif final == "@":
            self.break_at(self.y, self.x)
            line[self.x:] = ([" "] * n + line[self.x:])[:self.w - self.x]
        elif final == "P":
            line[self.x:] = (line[self.x + n:] + [" "] * n)[:self.w - self.x]
        elif final in "LM":
            self.scroll(self.y, -n if final == "L" else n)
        elif final in "ST":
            self.scroll(self.top, n if final == "S" else -n)
        elif final == "b":
            self.full = full
            for _ in range(n):
                self.put(self.last)
        elif final == "r":
            self.top, self.bottom = p[0] - 1, p[1] - 1
            self.y = self.x = 0
        else:
            self.wrong("not followed here", final)


# ---- what is looked at ----

def safetensors(path, names, dtype="F32", metadata=None):
    head = {"__metadata__": metadata} if metadata else {}
    for i, name in enumerate(names):
        head[name] = {"dtype": dtype if i == 0 else "F32", "shape": [2, 2], "data_offsets": [16 * i, 16 * i + 16]}
    text = json.dumps(head, ensure_ascii=False).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + struct.pack("<4f", 1, 2, -3, len(names)) * len(names))


def string(s):
    return struct.pack("<Q", len(s)) + s


def gguf(path, names, metadata, value=1):
    """Names and texts as bytes, whatever they are."""
    head = b"".join(string(k) + struct.pack("<I", 8) + string(v) for k, v in metadata)
    head += string(b"tokens\x1b[2J") + struct.pack("<IIQ", 9, 8, len(names)) + b"".join(map(string, names))
    for i, name in enumerate(names):
        head += string(name) + struct.pack("<IQQIQ", 2, 2, 2, 0, 32 * i)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(names), len(metadata) + 1) + head
    with open(path, "wb") as f:
        f.write(head + bytes(-len(head) % 32) + (struct.pack("<4f", value, 2, -3, 4) + bytes(16)) * len(names))


def texts(list_of_bytes):
    """Those that are UTF-8."""
    for b in list_of_bytes:
        try:
            yield b.decode()
        except UnicodeDecodeError:
            pass


def make_models():
    """Of bytes a, of text b; c is refused, d is in shards; e is PyTorch's, f NumPy's, g a pickle, h ONNX."""
    evil = [b for _, b in STEERING]
    names = [b"blk.%d." % i + b for i, b in enumerate(evil)] + evil + ODD
    gguf(b"a" + evil[0] + evil[9] + evil[12] + b".gguf", names, [(b"k." + b, b"v" + b) for b in evil + ODD[:5]] +
         [(b"general.license", b"".join(evil)), (b"general.name", ODD[0])])
    gguf(b"b.gguf", [n[:-1] + b"?" if i % 3 == 0 else n for i, n in enumerate(names)], [(b"k." + b, b"w" + b) for b in evil], 2)
    words = list(texts(evil + ODD))
    safetensors("c" + words[1] + ".safetensors", words + ["blk." + w for w in words], "F32" + words[0],
                {"k" + w: "v" + w for w in words})
    shards = {w: w.replace("/", "") + ".safetensors" for w in words[:8]}
    for name, shard in shards.items():
        safetensors(shard, [name])
    with open("model.safetensors.index.json", "w") as f:
        json.dump({"metadata": {}, "weight_map": dict(shards, gone="gone" + words[0] + ".safetensors")}, f)
    safetensors("d" + words[7] + ".safetensors", ["w"])
    obj = {w: pickles.tensor("FloatStorage", "0", 4, (2, 2), (2, 1)) for w in words[:20]}
    with zipfile.ZipFile("e.pt", "w") as z:
        z.writestr("r" + words[0] + "/data.pkl", pickles.dumps(obj | {"call": Call(G("os" + words[0], "system" + words[1]), words[2])}))
        z.writestr("r" + words[0] + "/data/0", bytes(16))
        z.writestr("r" + words[0] + "/version", "3" + words[1] + words[11])
    with zipfile.ZipFile("f.npz", "w") as z:
        for w in words[:20]:
            head = repr({"descr": "<f4", "fortran_order": False, "shape": (2, 2)}).ljust(117).encode() + b"\n"
            z.writestr(w + ".npy", b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head + bytes(16))
    with open("g.pkl", "wb") as f:
        f.write(pickles.dumps({w: w for w in words[:20]} | {"x": Call(G("a" + words[0], "b" + words[9]), 1)}))
    tensors = b"".join(field(5, field(1, 4) + field(2, 1) + field(9, bytes(16)) + field(8, b)) for b in evil)
    outside = field(5, field(1, 4) + field(2, 1) + field(8, "far") + field(14, 1) +
                    field(13, field(1, "location") + field(2, b"x" + evil[0] + evil[9])))
    nodes = b"".join(field(1, field(2, b"y" + b) + field(4, b"op" + b) + field(7, b"domain" + b)) for b in evil)
    with open("h.onnx", "wb") as f:
        f.write(field(1, 10) + field(2, b"weigh" + evil[1]) + field(7, nodes + field(2, b"g" + evil[0]) + tensors + outside) +
                field(8, field(2, 20)) + b"".join(field(14, field(1, b"k" + b) + field(2, b"v" + b)) for b in evil))


NAMED = {"Enter": "\r", "Esc": "\x1b", "Tab": "\t", "Space": " ", "Backspace": "\x7f"}
KEYS = re.compile(r'"((?:[^"\\]|\\.)*)"|(@size) (\d+)x(\d+)|(\S+)')


def strike(t, screen, keys):
    for typed, size, columns, rows, key in KEYS.findall(keys):
        if size:
            screen.resize(int(columns), int(rows))
            t.resize(int(columns), int(rows))
            continue
        if not key:
            out = re.sub(r"\\(.)", r"\1", typed)
        else:
            out = NAMED[key] if key in NAMED else chr(ord(key[1]) - 64) if key[0] == "^" and len(key) == 2 else key
        os.write(t.master, out.encode())
        if key == "Esc":
            time.sleep(0.06)


def follow(t, screen, want, patience):
    """Takes in what comes until it is the screen that is wanted."""
    end = time.monotonic() + patience
    while time.monotonic() < end and screen.lines() != want:
        t.seen = b""
        t.read(0.02)
        screen.feed(t.seen)
    return screen.lines() == want


def tour(label, args, stages, env):
    """The same keys by a script, whose cells are saved, and on a terminal. Returns all the text that was shown."""
    env = dict({"LC_ALL": "C.UTF-8", "XDG_CONFIG_HOME": os.path.abspath("config")}, **env)
    if env["LC_ALL"] == "C":  # where other characters cannot be typed
        stages = [keys.encode("ascii", "ignore").decode() for keys in stages]
    with open("keys", "w") as f:
        f.write("".join("@wait %s @wait @save screen.%d\n" % (keys, i) for i, keys in enumerate(stages)))
    run = subprocess.run([WEIGH, "--keys", "keys", "--size", "80x24"] + args, env=dict(os.environ, **env), capture_output=True)
    if run.returncode:
        check(False, label, run.stderr.decode("utf-8", "backslashreplace"))
        return ""
    for written in (n for n in os.listdir(".") if n.startswith("written")):
        os.remove(written)
    shown, wrong = "", []
    screen, t = Emulator(80, 24, env["LC_ALL"] == "C"), Terminal(*args, env=env)
    for i, keys in enumerate(stages):
        with open("screen.%d" % i, encoding="utf-8", newline="\n") as f:
            want = f.read().split("\n")[:-1]
        strike(t, screen, keys)
        if not follow(t, screen, want, 0.5 if wrong else PATIENCE / 4):
            lines = ["%r\n%r" % (a, b) for a, b in zip(want, screen.lines()) if a != b]
            wrong.append("after %s (wanted, shown):\n%s" % (keys, "\n".join(lines[:3])))
        shown += "\n".join(screen.lines())
    os.write(t.master, b"\x1b")
    time.sleep(0.06)
    os.write(t.master, b"Q")
    t.seen, how = b"", t.report()
    screen.feed(t.seen)
    check(not wrong, label + ": the screen is what curses thinks it is", "\n".join(wrong))
    check(not screen.bad and not screen.rest, label + ": nothing but text and what terminfo has", "\n".join(screen.bad[:20]) + repr(screen.rest))
    steers = [c for c in screen.copied if re.search("[\x00-\x1f\x7f-\x9f\ufffd]", c.decode("utf-8", "replace"))]
    check(not steers and len(screen.copied) == stages.count("Y"), label + ": what is copied can be pasted", repr(screen.copied))
    check(how == "exit 0" and t.is_restored(), label + ": ends as always", how)
    t.close()
    return shown


TWO = [
    "", "zR", "^F", "^F", "^F", "G", "t", "^F", "g ^F ^F", "t zM zR g j j j", "j j j", "^F ^F",
    "1", "^F", "Esc", "m", "zR ^F", "^F", "^F", "^F", "Enter", "Esc Esc", "L", "j j", "Esc", "x", "Esc", "v", "Esc", "H", "Esc", "b", "Esc",
    '/ "5m"', "Enter", "n n", 'Esc / "e\u202e\u009b5m"', "Enter", 'Esc & "std>\u202e"', "Enter", ': "x\u202e\u0301\u0301\u200d"', "Enter",
    'w ^U "written\u202e\u009b.json"', "Enter", "w Enter", "n", "Y", "?", "^F", "Esc", "C", "Esc", "o", "Esc", "s", "Esc",
    "@size 60x16", "G", "m", "L", "1", "Esc Esc Esc", "@size 20x5", "@size 131x40", "g j j j j", "x", "Esc", "@size 80x24", "X", "^F",
]
ONE = ["", "zR", "^F", "1", "^F", "Esc", "m", "zR", "^F", "Enter", "Esc Esc", "G x", "Esc", "L", "Esc"]
ADD = ["", ': "diff "', "Tab", "Tab", '"d" Tab', "Enter", "zR", "1", "Esc", "m", "Esc"]
REFUSED = ["", ': "diff c" Tab', "Enter", ': "diff n\u202e\u009bo"', "Enter", ': "write " Tab', 'Esc : "wr /no\u202e/x"', "Enter"]


def main():
    make_models()
    os.makedirs("config/weigh")
    with open("config/weigh/config", "wb") as f:
        f.write(b"col\x1b]0;t\x07\x9b\xe2\x80\xae 1\nbind \x1b[2J quit\n")
    a, b, c, d = (next(n for n in sorted(os.listdir(b".")) if n.startswith(x)) for x in (b"a", b"b.", b"c\x1b", b"d"))
    for locale in ("C.UTF-8", "C"):
        env = {"LC_ALL": locale}
        shown = tour(locale + ": two", [a, b], TWO, env)
        missing = [seen for seen, _ in STEERING if seen not in shown and (locale == "C.UTF-8" or r"\u" not in seen)]
        check(not missing, locale + ": what would steer is shown as what it is", repr(missing))
        if locale != "C":
            tour(locale + ": shards, and a second model", ["model.safetensors.index.json"], ADD, env)
        tour(locale + ": what is refused", ["f.npz"], REFUSED, env)
        for one in (c, b"e.pt", b"f.npz", b"g.pkl", b"h.onnx") if locale != "C" else (b"e.pt",):
            tour("%s: %s" % (locale, "a type" if one == c else one.decode()), [one], ONE, env)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        main()
        os.chdir("/")
    finish()
