"""make bench-peers: the same job, with the same files, by NumPy and PyTorch where they are installed.

The job is that of `weigh diff` on two safetensors files, a tensor at a time: extremes, mean, standard deviation, norms,
skewness and kurtosis of both sides, and the differences; with --distribution also quantiles and a histogram. Prints wall
seconds (the better of two runs, where one takes less than five) and how many times as long as weigh that is.

usage: peers.py WEIGH BENCH MEGABYTES DIRECTORY; BENCH_TYPES: which of F32 BF16 F16
"""
import json
import os
import struct
import subprocess
import sys
import time

import numpy as np

try:
    import torch
except ImportError:
    torch = None


def tensors(path, kind):
    with open(path, "rb") as f:
        (n,) = struct.unpack("<Q", f.read(8))
        header = json.loads(f.read(n))
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        yield name, np.memmap(path, np.uint8, "r", 8 + n + begin, (end - begin,)).view("<f4" if kind == "F32" else "<u2")


def numpy_values(raw, kind):
    if kind == "F32":
        return raw
    return (raw.astype(np.uint32) << 16).view(np.float32) if kind == "BF16" else raw.view(np.float16).astype(np.float32)


def numpy_side(x, counts):
    wide = x.astype(np.float64)
    centred = wide - wide.mean()
    out = [x.min(), x.max(), wide.std(), np.abs(wide).sum(), np.sqrt((wide * wide).sum()), (centred**3).mean(),
           (centred**4).mean(), np.isnan(x).sum(), (x == 0).sum()]
    if counts:
        out += [np.quantile(x, [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]), np.histogram(x, 256)]
    return out


def by_numpy(a_path, b_path, kind, counts):
    for (_, a), (_, b) in zip(tensors(a_path, kind), tensors(b_path, kind)):
        a, b = numpy_values(a, kind), numpy_values(b, kind)
        numpy_side(a, counts), numpy_side(b, counts)
        d = b.astype(np.float64) - a
        [np.abs(d).max(), np.abs(d).mean(), np.sqrt((d * d).mean()), (a != b).sum(), (np.sign(a) != np.sign(b)).sum(),
         (a.astype(np.float64) * b).sum()]
        if counts:
            np.quantile(np.abs(d), [0.5, 0.99])


def torch_side(x, counts):
    wide = x.double()
    centred = wide - wide.mean()
    out = [x.min(), x.max(), wide.std(), wide.abs().sum(), wide.norm(), (centred**3).mean(), (centred**4).mean(),
           x.isnan().sum(), (x == 0).sum()]
    if counts:
        out += [x.float().sort().values[:: max(1, x.numel() // 100)], torch.histc(x.float(), 256)]
    return out


def by_torch(a_path, b_path, kind, counts):
    for (_, a), (_, b) in zip(tensors(a_path, kind), tensors(b_path, kind)):
        if kind == "F32":
            a, b = torch.from_numpy(np.array(a)), torch.from_numpy(np.array(b))
        else:
            a, b = (torch.from_numpy(np.array(x).view(np.int16)).view(torch.bfloat16 if kind == "BF16" else torch.float16)
                    for x in (a, b))
        torch_side(a, counts), torch_side(b, counts)
        d = b.double() - a.double()
        [d.abs().max(), d.abs().mean(), d.norm(), (a != b).sum(), (a.sign() != b.sign()).sum(), (a.double() * b.double()).sum()]
        if counts:
            d.abs().sort()


def best(job):
    times = []
    while len(times) < 2 and sum(times) < 5:
        start = time.monotonic()
        job()
        times.append(time.monotonic() - start)
    return min(times)


def main():
    weigh, bench, megabytes, directory = sys.argv[1:]
    a, b = directory + "/a", directory + "/b"
    print("%-5s %-16s %-8s %9s %9s" % ("type", "job", "by", "seconds", "of weigh"))
    for kind in os.environ.get("BENCH_TYPES", "F32 BF16 F16").split():
        subprocess.run([bench, "make", kind, megabytes, a, b], check=True)
        for counts in (False, True):
            args = [weigh, "diff", "-o", "json", *(["--distribution"] if counts else []), a, b]
            ours = best(lambda: subprocess.run(args, stdout=subprocess.DEVNULL, check=False))
            rows = [("weigh", ours), ("NumPy", best(lambda: by_numpy(a, b, kind, counts)))]
            if torch:
                rows.append(("PyTorch", best(lambda: by_torch(a, b, kind, counts))))
            for who, seconds in rows:
                job = "with counts" if counts else "differences"
                print("%-5s %-16s %-8s %9.3f %9.1f" % (kind, job, who, seconds, seconds / ours), flush=True)


if __name__ == "__main__":
    main()
