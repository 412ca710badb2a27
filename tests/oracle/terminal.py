#!/usr/bin/env python3
"""The screen on a real terminal: started, resized, suspended, resumed, quit, killed, and left without its terminal or
its file. Whatever happens, the terminal's settings are those from before. Prints TAP."""
import base64
import fcntl
import json
import os
import re
import select
import signal
import struct
import sys
import tempfile
import termios
import time

WEIGH = os.environ["WEIGH"]
DEMO = os.environ["DEMO"]
PATIENCE = 20 * int(os.environ.get("SLOW", "1"))

number = 0
failed = False


def check(good, name, detail=""):
    global number, failed
    number += 1
    failed = failed or not good
    print("%sok %d - %s" % ("" if good else "not ", number, name), flush=True)
    if not good:
        lines = detail.splitlines()[:60] if isinstance(detail, str) else [repr(detail)[-600:]]
        print("\n".join("# " + line for line in lines), flush=True)


def finish():
    print("1..%d" % number)
    sys.exit(1 if failed else 0)


class Terminal:
    """A pseudo-terminal, and weigh on it as the foreground job of a small shell: one that only waits."""

    def __init__(self, *args, columns=80, rows=24, env=None):
        self.master, self.slave = os.openpty()
        self.resize(columns, rows)
        self.before = termios.tcgetattr(self.slave)
        self.seen = b""
        self.env = env or {}
        status_read, status_write = os.pipe()
        self.shell = os.fork()
        if self.shell == 0:
            try:
                self.be_shell(args, status_write)
            finally:
                os._exit(99)
        os.close(status_write)
        self.status = status_read
        self.pid = int(self.report())

    def be_shell(self, args, status):
        os.setsid()
        fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        os.close(self.master)
        pid = os.fork()
        if pid == 0:
            os.setpgid(0, 0)
            os.tcsetpgrp(self.slave, os.getpid())
            for name in (signal.SIGTTOU, signal.SIGHUP):
                signal.signal(name, signal.SIG_DFL)
            for fd in range(3):
                os.dup2(self.slave, fd)
            os.closerange(3, 50)
            env = dict(os.environ, TERM="xterm-256color", LC_ALL="C.UTF-8") | self.env
            for name in ("COLUMNS", "LINES"):
                env.pop(name, None)
            os.execve(WEIGH, [WEIGH] + list(args), env)
        os.write(status, b"%d\n" % pid)
        while True:
            _, how = os.waitpid(pid, os.WUNTRACED)
            if os.WIFSTOPPED(how):
                os.write(status, b"stopped\n")
                continue
            by_signal = os.WIFSIGNALED(how)
            word, n = (b"signal", os.WTERMSIG(how)) if by_signal else (b"exit", os.WEXITSTATUS(how))
            os.write(status, b"%s %d\n" % (word, n))
            os._exit(0)

    def report(self):
        """The next line of what the shell has to say of weigh: stopped, exit N, signal N."""
        line, end = b"", time.monotonic() + PATIENCE
        while not line.endswith(b"\n"):
            if self.master >= 0:
                self.read(0)
            if select.select([self.status], [], [], 0.05)[0]:
                got = os.read(self.status, 1)
                if not got:
                    break
                line += got
            elif time.monotonic() > end:
                return "nothing"
        return line.decode().strip()

    def read(self, seconds):
        while select.select([self.master], [], [], seconds)[0]:
            try:
                self.seen += os.read(self.master, 65536)
            except OSError:
                return
            seconds = 0

    def wait_for(self, text, keys=b""):
        """Whether the text comes after the keys; where only a part of it would change, ^L has the screen drawn anew."""
        self.seen = b""
        if keys:
            os.write(self.master, keys)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            self.read(0.05)
            if text in re.sub(rb"\x1b\[[0-9;]*[mHGd]", b"", self.seen) or text in self.seen:
                self.read(0.1)
                return True
        return False

    def resize(self, columns, rows):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def is_restored(self):
        return termios.tcgetattr(self.slave) == self.before

    def close(self):
        for fd in (self.master, self.slave, self.status):
            if fd >= 0:
                os.close(fd)
        os.waitpid(self.shell, 0)


def pair():
    return [DEMO + "/prophet-conv-r1.npz", DEMO + "/prophet-conv-r2.npz"]


def whole_life():
    t = Terminal(*pair())
    check(t.wait_for(b"? help"), "it starts", t.seen)
    t.seen = b""
    t.resize(110, 30)
    check(t.wait_for(b"rmse"), "more columns show when it is made larger", t.seen)
    t.resize(20, 5)
    check(t.wait_for(b"too small"), "it says when it is too small", t.seen)
    t.resize(80, 24)
    check(t.wait_for(b"? help"), "it comes back", t.seen)
    os.write(t.master, b"\x1a")
    check(t.report() == "stopped" and t.is_restored(), "^Z stops it, the terminal as it was", t.seen)
    mouse_off = re.search(rb"\x1b\[\?(1006;)?1000l", t.seen)
    check(b"\x1b[?1049l" in t.seen and mouse_off, "the screen and the mouse are given back", t.seen)
    t.resize(100, 24)
    os.kill(t.pid, signal.SIGCONT)
    check(t.wait_for(b"prophet-conv-r1"), "fg draws it anew", t.seen)
    check(t.wait_for(b"2/5", b"j\x0c"), "keys work again", t.seen)
    check(t.wait_for(b"4/5", b"\x1b[<0;12;6M\x1b[<0;12;6m\x0c"), "a click selects", t.seen)
    text = b"\x1b]52;c;" + base64.b64encode(b"3.0") + b"\a"
    check(t.wait_for(text, b"Y"), "Y copies the name", t.seen)
    os.write(t.master, b"Q")
    check(t.report() == "exit 0", "Q quits")
    check(t.is_restored(), "the terminal's settings are those from before")
    check(t.seen.rfind(b"\x1b[?1049l") > t.seen.rfind(b"\x1b[?1049h"), "the screen from before is back", t.seen)
    t.close()


def killed(sig):
    t = Terminal(*pair())
    t.wait_for(b"? help")
    os.kill(t.pid, sig)
    how = t.report()
    name = signal.Signals(sig).name
    check(how == "signal %d" % sig and t.is_restored(), "%s ends it, the terminal as it was" % name, how)
    check(b"\x1b[?1049l" in t.seen, "and the screen from before is back", t.seen)
    t.close()


def interrupted():
    t = Terminal(*pair())
    t.wait_for(b"? help")
    os.write(t.master, b"\x03")
    how = t.report()
    check(how == "signal %d" % signal.SIGINT and t.is_restored(), "^C ends it, the terminal as it was", how)
    t.close()


def no_terminal():
    t = Terminal(*pair())
    t.wait_for(b"? help")
    os.close(t.slave)
    os.close(t.master)
    t.master = t.slave = -1
    how = t.report()
    check(how in ("exit 0", "signal %d" % signal.SIGHUP), "a terminal that dies ends it", how)
    t.close()


def make_model(path, tensors, size):
    """A safetensors file of so many F32 tensors of `size` bytes."""
    header = {"layer.%d.weight" % i: {"dtype": "F32", "shape": [size // 4], "data_offsets": [i * size, (i + 1) * size]}
              for i in range(tensors)}
    text = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for i in range(tensors):
            f.write(struct.pack("<f", i + 1) * (size // 4))


def shrinking(path):
    make_model(path, 40, 1 << 20)
    t = Terminal("-j1", "--io=mmap", path)
    t.wait_for(b"weigh")
    os.truncate(path, 3 << 20)
    check(t.wait_for(b"shrank", b"zR"), "a file that shrinks is told of", t.seen)
    check(t.wait_for(b"41/41", b"G\x0c"), "it goes on", t.seen)
    check(b"?" in re.sub(rb"\x1b[^a-zA-Z]*[a-zA-Z]", b"", t.seen), "the rows are marked", t.seen)
    check(t.wait_for(b"values are lost", b"x"), "what is lost is not shown as values", t.seen)
    os.write(t.master, b"QQ")
    how = t.report()
    check(how == "exit 0" and t.is_restored(), "and ends as always", how)
    t.close()


def vanishing(path):
    make_model(path, 4, 1 << 16)
    t = Terminal(path)
    t.wait_for(b"? help")
    os.unlink(path)
    time.sleep(1.1)
    check(t.wait_for(b"was removed", b"j"), "a file that vanishes is told of", t.seen)
    check(t.wait_for(b"5/5", b"zRG\x0c"), "what was opened is still there", t.seen)
    os.write(t.master, b"Q")
    how = t.report()
    check(how == "exit 0" and t.is_restored(), "and it ends as always", how)
    t.close()


if __name__ == "__main__":
    whole_life()
    for sig in (signal.SIGTERM, signal.SIGHUP):
        killed(sig)
    interrupted()
    no_terminal()
    with tempfile.TemporaryDirectory() as d:
        shrinking(os.path.join(d, "shrinks.safetensors"))
        vanishing(os.path.join(d, "vanishes.safetensors"))
    finish()
