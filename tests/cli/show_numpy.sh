#!/bin/sh
# Values and slices against NumPy's own indexing.
[ -n "$PYTHON" ] || { echo 'no Python with NumPy'; exit 77; }
"$PYTHON" - <<'END'
import itertools, json, os, subprocess
import numpy as np
n = 0
for dtype, order in itertools.product(("<f4", ">f8", "<i2", "<f2", "<c8", "|u1", "<i8"), "CF"):
    x = ((np.arange(5 * 7 * 6) * 37) % 101 - 50).astype(dtype).reshape(5, 7, 6)
    x = np.asarray(x, order=order)
    np.save("x.npy", x)
    np.savez_compressed("x.npz", x=x)
    name = json.loads(subprocess.check_output([os.environ["WEIGH"], "list", "-o", "json", "x.npy"]))["tensors"][0]["name"]
    for s in ("", "0", "1:3", "::-1", "...,-1", "2,...", ":,2:5,::2", "-1,-1,-1", "4:0:-2,::3", "9:,1", ":-20"):
        want = eval("x[%s]" % s) if s else x
        want = np.stack([want.real, want.imag], -1) if np.iscomplexobj(want) else want
        for path, named in (("x.npy", name), ("x.npz", "x")):
            out = subprocess.check_output([os.environ["WEIGH"], "show", "-o", "json", path, named + ("[%s]" % s if s else "")])
            got = json.loads(out)["tensors"][0]["values"]
            if want.size == 0:
                assert np.asarray(got).size == 0, (dtype, order, s, got)
            else:
                assert np.array_equal(np.asarray(got, want.dtype.newbyteorder("=")), want), (dtype, order, s, got)
            n += 1
print(n, "slices")
END
