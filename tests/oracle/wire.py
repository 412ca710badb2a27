"""Protocol buffers written and read without the program under test: protobuf.dev/programming-guides/encoding."""
import struct


def varint(x):
    x &= (1 << 64) - 1
    out = b""
    while x > 127:
        out += bytes([x & 127 | 128])
        x >>= 7
    return out + bytes([x])


def tag(n, wire):
    return varint(n << 3 | wire)


def field(n, value):
    """A number as a varint; text, bytes and messages with their length."""
    if isinstance(value, int):
        return tag(n, 0) + varint(value)
    if isinstance(value, str):
        value = value.encode()
    return tag(n, 2) + varint(len(value)) + value


def fixed32(n, value):
    return tag(n, 5) + struct.pack("<I", value)


def f32(n, value):
    return tag(n, 5) + struct.pack("<f", value)


def f64(n, value):
    return tag(n, 1) + struct.pack("<d", value)


def varints(values):
    return b"".join(varint(int(v)) for v in values)


def unpacked(b):
    """The numbers of a packed field of varints."""
    out, x, shift = [], 0, 0
    for c in b:
        x |= (c & 127) << shift
        shift += 7
        if c < 128:
            out.append(x)
            x = shift = 0
    return out


def parse(b):
    """(field, wire type, number or bytes), one after the other."""
    at = 0

    def number():
        nonlocal at
        x = shift = 0
        while True:
            c = b[at]
            at += 1
            x |= (c & 127) << shift
            shift += 7
            if c < 128:
                return x

    while at < len(b):
        t = number()
        wire = t & 7
        if wire == 0:
            value = number()
        else:
            n = {1: 8, 2: 0, 5: 4}[wire] or number()
            value = b[at:at + n]
            at += n
        yield t >> 3, wire, value


def all_of(b, n):
    return [value for f, _, value in parse(b) if f == n]


def get(b, *path):
    """What the last occurrence of a field in a field in ... holds; empty when there is none."""
    for n in path:
        found = all_of(b, n)
        b = found[-1] if found else b""
    return b
