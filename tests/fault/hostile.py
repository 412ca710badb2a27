"""Runs every line of hostile.tsv: a file in $FIXTURES/hostile (or a path; or two, with a blank between), a command, the exit
status, how many lines come on standard error, and what is said. For stats that is the first line, behind "weigh: FILE: "
(up to "..." where a library goes on); for audit the codes of the findings that matter, which must all be there: each code
of audit has a line. None may take a second, or more than 64 MiB.

hostile.py --bless FILE... writes lines for the files (or all that are there) to standard output, to be looked at."""
import csv
import io
import json
import os
import signal
import sys
import tempfile
import time

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hostile.tsv")
SECONDS, MIB = 1, 64
SLOW = int(os.environ.get("SLOW") or 1)
MEASURED = SLOW == 1  # sanitizers need time and memory of their own


def run(args):
    """(status, standard output, standard error, seconds, MiB at most)"""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.monotonic()
        pid = os.fork()
        if not pid:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            signal.alarm(20 * SLOW)
            os.execv(args[0], args)
        _, status, used = os.wait4(pid, 0)
        took = min(time.monotonic() - start, used.ru_utime + used.ru_stime)  # the machine may have other things to do
        out.seek(0)
        err.seek(0)
        peak = used.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
        return os.waitstatus_to_exitcode(status), out.read(), err.read(), took, peak


def said_of(command, name, out, err):
    """What the table keeps of it, and the lines on standard error."""
    lines = err.decode("utf-8", "replace").splitlines()
    if command == "audit":
        codes = {row[1] for row in csv.reader(io.StringIO(out.decode("utf-8", "replace"))) if len(row) > 2}
        return codes, len(lines)
    first = lines[0] if lines else ""
    return first.removeprefix("weigh: ").removeprefix(name + ": "), len(lines)


def weigh(command, name):
    args = [os.environ["WEIGH"], command, "-o", "csv", "--", *name.split(" ")]
    status, out, err, took, peak = run(args)
    return (status, *said_of(command, name, out, err), took, peak, err)


def check(row):
    """What is wrong with it."""
    name, command, want, lines, text = row
    text = "" if text == "-" else text
    status, said, n, took, peak, err = weigh(command, name)
    faults = []
    if status != int(want):
        faults.append(f"status {status}, not {want}")
    if n != int(lines):
        faults.append(f"{n} lines on standard error, not {lines}: {err[:400]}")
    if command == "audit" and not set(text.split()) <= said:
        faults.append(f"found {sorted(said)}, not {text}")
    if command != "audit" and not (said.startswith(text[:-3]) if text.endswith("...") else said == text):
        faults.append(f"said {said!r}, not {text!r}")
    if any(c < 32 and c != 10 or c == 127 for c in err):
        faults.append(f"control characters on standard error: {err[:400]}")
    if MEASURED and (took > SECONDS or peak > MIB):
        faults.append(f"{took:.1f} seconds, {peak:.0f} MiB")
    return faults


def left_out():
    """The files that are not for valgrind and why, lines "fault/hostile:FILE" of its list; none without it."""
    if not os.environ.get("MEMCHECK"):
        return {}
    with open(os.path.join(os.environ["TESTS"], "memcheck", "skip"), encoding="utf-8") as f:
        lines = [line.rstrip("\n").partition(":")[2].split("\t") for line in f if line.startswith("fault/hostile:")]
    return dict(lines)


def without_file(rows):
    """Codes of the table in the program that no line here has, and the other way round."""
    rules = json.loads(run([os.environ["WEIGH"], "audit", "-o", "sarif", "--", "ok.safetensors"])[1])["runs"][0]["tool"]["driver"]["rules"]
    known = {code for row in rows if row[1] == "audit" for code in row[4].split()} - {"-"}
    return {rule["id"] for rule in rules} ^ known


def bless(names):
    for name in names:
        status, said, n, took, peak, _ = weigh("stats", name)
        print(name, "stats", status, n, said or "-", sep="\t")
        if took > SECONDS or peak > MIB:
            print(f"{name}: {took:.1f} seconds, {peak:.0f} MiB", file=sys.stderr)


def main():
    os.chdir(os.path.join(os.environ["FIXTURES"], "hostile"))
    if sys.argv[1:2] == ["--bless"]:
        bless(sys.argv[2:] or sorted(os.listdir(".")))
        return
    with open(TABLE, encoding="utf-8") as f:
        rows = [line.rstrip("\n").split("\t") for line in f if line.strip() and line[0] != "#"]
    codes = without_file(rows)
    missing = set(os.listdir(".")) - {name.split("/")[0] for row in rows for name in row[0].split(" ")} - {"weigh-was-here"}
    rows = [row for row in rows if not row[0].startswith("../hdf5") or os.path.isdir("../hdf5")]  # h5py makes those
    if b"HDF5: libhdf5" not in run([os.environ["WEIGH"], "--version"])[1]:
        rows = [row for row in rows if not row[0].endswith((".h5", ".keras"))]
    skip = left_out()
    wrong = 0
    print(f"1..{len(rows) + 3}")
    for i, row in enumerate(rows, 1):
        if row[0] in skip:
            print("ok", i, "-", row[1], row[0], "# SKIP", skip[row[0]])
            continue
        faults = check(row)
        print("not ok" if faults else "ok", i, "-", row[1], row[0])
        wrong += bool(faults)
        for fault in faults:
            print("#", fault)
    print("not ok" if missing else "ok", len(rows) + 1, "- every file has its line")
    if missing:
        print("#", *sorted(missing))
    ran = any(f.startswith("weigh-was-here") for _, _, files in os.walk(os.environ["FIXTURES"]) for f in files) or \
        os.path.exists("/etc/weigh-was-here.safetensors")
    print("not ok" if ran else "ok", len(rows) + 2, "- nothing was run, and nothing written outside")
    print("not ok" if codes else "ok", len(rows) + 3, "- every code of audit has a line, and those of the lines are all there")
    if codes:
        print("#", *sorted(codes))
    sys.exit(1 if wrong or missing or ran or codes else 0)


if __name__ == "__main__":
    main()
