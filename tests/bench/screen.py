#!/usr/bin/env python3
"""How fast the screen answers, on a pseudo-terminal of 200x60: the first screen of 100,000 tensors, keys while all
threads compute, the bytes that moving the cursor costs, and what the program does when nothing happens.
BUILD: the build directory; BENCH_MB: megabytes of each of the two files."""
import json
import os
import struct
import subprocess
import sys
import tempfile
import time

BUILD = os.path.abspath(os.environ.get("BUILD", "."))
MB = os.environ.get("BENCH_MB", "512")
os.environ.setdefault("WEIGH", os.path.join(BUILD, "weigh"))
os.environ.setdefault("DEMO", "")
os.environ["XDG_CONFIG_HOME"] = "/nonexistent"
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "oracle"))
from terminal import Terminal  # noqa: E402

ROUNDS = 200


def line(what, value):
    print("%-66s %s" % (what, value), flush=True)


def many_tensors(path, n):
    header = {}
    for i in range(n):
        name = "model.layers.%d.mlp.experts.%d.%s.weight" % (i // 1000, i % 1000 // 4, "wqkvd"[i % 4])
        header[name] = {"dtype": "F32", "shape": [4, 4], "data_offsets": [64 * i, 64 * i + 64]}
    text = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        f.truncate(8 + len(text) + 64 * n)


def until(t, text):
    """Seconds until the text comes."""
    t.seen = b""
    start = time.perf_counter()
    while text not in t.seen and time.perf_counter() - start < 30:
        t.read(0.5)
    return time.perf_counter() - start


def quiet(t, seconds):
    """Reads until nothing came for so long; returns how many bytes came."""
    t.seen = b""
    while True:
        before = len(t.seen)
        t.read(seconds)
        if len(t.seen) == before:
            return before


def end(t):
    os.write(t.master, b"Q")
    t.report()
    t.close()


def first_screen(path):
    took = []
    for _ in range(7):
        start = time.perf_counter()
        t = Terminal(path, columns=200, rows=60)
        until(t, b"1/")  # the status line is drawn last
        took.append(time.perf_counter() - start)
        end(t)
    took.sort()
    line("first screen of 100,000 tensors, median of 7 starts", "%.0f ms" % (1000 * took[3]))


def shares(took):
    took.sort()
    return "median %.1f ms, 99th percentile %.1f ms, worst %.1f ms" % tuple(
        1000 * took[i] for i in (len(took) // 2, len(took) * 99 // 100, -1))


def answers(a, b):
    """Each key has an answer that nothing else draws: ^L clears the screen, ? has a title that the tree has not."""
    took = []
    while len(took) < ROUNDS:
        t = Terminal("--io=mmap", a, b, columns=200, rows=60)
        until(t, b"1/")
        for _ in range(ROUNDS // 3):
            for key, answer in ((b"\x0c", b"\x1b[2J"), (b"?", b"Everywhere"), (b"q", b"rel_l2")):
                os.write(t.master, key)
                took.append(until(t, answer))
                time.sleep(0.003)
            if b"computing" not in t.seen and len(took) > 30:
                break
        end(t)
    line("a key (^L ? q) while all threads compute, %d keys" % len(took), shares(took))


def median(figures):
    return sorted(figures)[len(figures) // 2]


def move(t, key):
    """The bytes that come at once, and those that come when the keys rest."""
    t.seen = b""
    os.write(t.master, key)
    t.read(0.05)
    time.sleep(0.02)
    t.read(0)
    return len(t.seen), quiet(t, 0.4)


def when_done(a, b):
    t = Terminal(a, b, columns=200, rows=60)
    until(t, b"? help")
    os.write(t.master, b"zR")
    while quiet(t, 1.0):
        pass
    for key, what in ((b"j", "to a tensor that was not looked at yet"), (b"k", "to one that was")):
        costs = [move(t, key) for _ in range(20)]
        at_once, later = zip(*[c for c in costs if c[0]])
        line("bytes to move the cursor " + what, "%d at once, %d for its details; at most %d and %d" % (
            median(at_once), median(later), max(at_once), max(later)))
    with open("/proc/%d/stat" % t.pid) as f:
        before = f.read().rsplit(")", 1)[1].split()
    came = quiet(t, 2)
    with open("/proc/%d/stat" % t.pid) as f:
        after = f.read().rsplit(")", 1)[1].split()
    ticks = sum(int(after[i]) - int(before[i]) for i in (11, 12))
    line("in 2 s without a key, all computed", "%d bytes, %d ms of processor time" % (
        came, 1000 * ticks // os.sysconf("SC_CLK_TCK")))
    end(t)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as d:
        many = os.path.join(d, "many.safetensors")
        many_tensors(many, 100000)
        first_screen(many)
        a, b = os.path.join(d, "a"), os.path.join(d, "b")
        subprocess.check_call([os.path.join(BUILD, "obj/tests/bench/bench"), "make", "BF16", MB, a, b])
        answers(a, b)
        when_done(a, b)
