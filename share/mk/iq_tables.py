#!/usr/bin/env python3
"""Prints src/num/iq_tables.c from a JSON file of the grids of ggml's IQ types:

    python3 share/mk/iq_tables.py iq-grids.json >src/num/iq_tables.c

Of each grid the file has `alphabet`, `code_bits`, `codes`, `words_hex` (an entry as one number, element 0 in its lowest
byte) and `sha256_of_little_endian_bytes`. Nothing is printed unless all of these agree."""
import hashlib
import json
import sys

ELEMENTS = {"iq2xxs": 8, "iq2xs": 8, "iq2s": 8, "iq3xxs": 4, "iq3s": 4, "iq1s": 8}
COLUMNS = 120

HEAD = """/*
 * Made by share/mk/iq_tables.py. The grids of ggml's IQ types (ggml-org/ggml, src/ggml-common.h), one code an entry;
 * see num/iq_tables.h. Which points a grid has was chosen by the authors of ggml; no rule gives them. Their notice:
 *
%s
 */
#include "num/iq_tables.h"
"""

NOTICE = """MIT License

Copyright (c) 2023-2026 The ggml authors

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE."""


def expand(code, grid, n):
    bits = grid["code_bits"]
    return bytes(grid["alphabet"][code >> bits * j & (1 << bits) - 1] & 255 for j in range(n))


def check(name, grid, n):
    whole = b"".join(expand(code, grid, n) for code in grid["codes"])
    words = b"".join(int(w, 16).to_bytes(n, "little") for w in grid["words_hex"])
    if whole != words or hashlib.sha256(whole).hexdigest() != grid["sha256_of_little_endian_bytes"]:
        sys.exit(f"{name}: codes, words_hex and sha256 do not agree")


def array(name, codes):
    print(f"\nconst uint16_t {name}_codes[{name.upper()}_SIZE] = {{")
    line = ""
    for code in codes:
        item = f"{code},"
        if 8 + len(line) + 1 + len(item) > COLUMNS:
            print("\t" + line)
            line = ""
        line += (" " if line else "") + item
    print("\t" + line + "\n};")


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        grids = json.load(f)["grids"]
    for name, n in ELEMENTS.items():
        check(name, grids[name + "_grid"], n)
    print(HEAD % "\n".join(" *\t" + line if line else " *" for line in NOTICE.splitlines()), end="")
    for name in ELEMENTS:
        array(name, grids[name + "_grid"]["codes"])


if __name__ == "__main__":
    main()
