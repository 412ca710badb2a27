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
STARTS = 9


def line(what, value):
    print("%-76s %s" % (what, value), flush=True)


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


def first_screen(*paths):
    took = []
    for _ in range(STARTS):
        start = time.perf_counter()
        t = Terminal(*paths, columns=200, rows=60)
        until(t, b"1/")  # the status line is drawn last
        took.append(time.perf_counter() - start)
        end(t)
    took.sort()
    line("first screen of %s of 100,000 tensors, %d starts" % (models(paths), STARTS),
         "median %.0f ms, least %.0f ms, most %.0f ms" % tuple(1000 * took[i] for i in (STARTS // 2, 0, -1)))


def models(paths):
    return "1 model" if len(paths) < 2 else "2 models"


def shares(took):
    took.sort()
    return "median %.1f ms, 99th percentile %.1f ms, worst %.1f ms" % tuple(
        1000 * took[i] for i in (len(took) // 2, len(took) * 99 // 100, -1))


def answers(*paths):
    """Each key has an answer that nothing else draws: ^L clears the screen, ? has a title that the tree has not, which
    has one that depends on how many models there are."""
    took = []
    title = b"absmax" if len(paths) < 2 else b"rel_l2"
    while len(took) < ROUNDS:
        t = Terminal("--io=mmap", *paths, columns=200, rows=60)
        until(t, b"1/")
        for _ in range(ROUNDS // 3):
            for key, answer in ((b"\x0c", b"\x1b[2J"), (b"?", b"Everywhere"), (b"q", title)):
                os.write(t.master, key)
                took.append(until(t, answer))
                time.sleep(0.003)
            if b"computing" not in t.seen and len(took) > 30:
                break
        end(t)
    line("a key (^L ? q) while all threads compute, %s, %d keys" % (models(paths), len(took)), shares(took))


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


def spent(pid):
    """Processor time, in ticks, and how often one of its threads was woken."""
    with open("/proc/%d/stat" % pid) as f:
        stat = f.read().rsplit(")", 1)[1].split()
    woken = 0
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/status" % (pid, task)) as f:
            woken += sum(int(w.split()[1]) for w in f if w.startswith("voluntary"))
    return int(stat[11]) + int(stat[12]), woken


def when_done(*paths):
    t = Terminal(*paths, columns=200, rows=60)
    until(t, b"? help")
    os.write(t.master, b"zR")
    while quiet(t, 1.0):
        pass
    for key, what in ((b"j", "to a tensor that was not looked at yet"), (b"k", "to one that was")):
        costs = [move(t, key) for _ in range(20)]
        at_once, later = zip(*[c for c in costs if c[0]])
        line("bytes to move the cursor %s, %s" % (what, models(paths)),
             "median %d, most %d; when it rests, for its details: median %d, most %d" % (
                 median(at_once), max(at_once), median(later), max(later)))
    ticks, woken = spent(t.pid)
    came = quiet(t, 2)
    ticks, woken = (now - before for now, before in zip(spent(t.pid), (ticks, woken)))
    line("in 2 s without a key, all computed, %s" % models(paths), "%d bytes, %d ms of processor time, woken %d times" % (
        came, 1000 * ticks // os.sysconf("SC_CLK_TCK"), woken))
    end(t)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as d:
        many = os.path.join(d, "many.safetensors")
        many_tensors(many, 100000)
        many_tensors(os.path.join(d, "again.safetensors"), 100000)
        first_screen(many)
        first_screen(many, os.path.join(d, "again.safetensors"))
        a, b = os.path.join(d, "a"), os.path.join(d, "b")
        subprocess.check_call([os.path.join(BUILD, "obj/tests/bench/bench"), "make", "BF16", MB, a, b])
        answers(a)
        answers(a, b)
        when_done(a)
        when_done(a, b)
