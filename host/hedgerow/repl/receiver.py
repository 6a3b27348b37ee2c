"""Knows the Python that runs on a board while files are copied to it; knows nothing of how the host sends them.

Three rules shape it:
- 03 never travels inside a frame, so Ctrl-C always stops the receiver, and a board that lost its host is never stuck.
- While flash is written nothing is on its way to the board: the input buffer of an ESP32 holds 260 bytes, and its
  interrupts wait while a sector is erased.
- A file is written under another name, read back, and takes its own name only if its SHA-256 is the expected one.

A frame is a line: escape(number | data | CRC-32 little-endian) 0A. Bits 0-4 of `number` count frames modulo 32, bit 5
ends a batch, bit 6 ends the copying. 03, 0A and 10 are escaped as 10 and themselves + 40. The board answers each line
with one character, 64 + the number of the frame that it wants next.

A batch is one raw deflate stream of pieces: path length u8 (0: more of the file before), data length u16
little-endian, last u8, path, data, and after the last data the SHA-256 of the file.
"""

import re
import zlib

FRAME_BYTES = 512  # of data; about 44 ms at 115,200 baud, longer than the turn of a USB adapter
BATCH_BYTES = 8192  # the board holds one batch compressed in memory
READY = b"@"

_LINE = """
import sys, io, deflate
def hr_line():
    d = sys.stdin.buffer.readline()[:-1]
    for i in b'CJP': d = d.replace(bytes((16, i)), bytes((i - 64,)))
    return d
"""

_LOAD = """
print(end='@')
exec(deflate.DeflateIO(io.BytesIO(hr_line()), deflate.RAW, 12).read())
"""

_LOOK = """
import os, hashlib, binascii
def hr_hash(path):
    b = bytearray(512)
    m = memoryview(b)
    h = hashlib.sha256()
    n = 0
    with open(path, 'rb') as f:
        while 1:
            k = f.readinto(b)
            if not k: return n, h.digest()
            h.update(m[:k])
            n += k
def hr_look(paths):
    for p in paths:
        try:
            n, h = hr_hash(p)
            print(n, binascii.b2a_base64(h).decode()[:43])
        except OSError:
            print()
"""

_RECEIVE = """
def hr_space():
    import gc
    gc.collect()
    try: os.remove('/~copying')
    except OSError: pass
    s = os.statvfs('/')
    print(s[1], s[4], gc.mem_free())
def hr_unpack(s, f):
    b = bytearray(512)
    m = memoryview(b)
    while 1:
        h = s.read(4)
        if not h: return f
        if h[0]:
            f = s.read(h[0]).decode(), open('/~copying', 'wb')
        n = h[1] | h[2] << 8
        while n:
            k = s.readinto(m[:n])
            if not k: raise OSError(5)
            f[1].write(m[:k])
            n -= k
        if h[3]:
            p = f[0]
            f[1].close()
            if hr_hash('/~copying')[1] != s.read(32): raise ValueError(p)
            i = p.find('/', 1)
            while i > 0:
                try: os.mkdir(p[:i])
                except OSError: pass
                i = p.find('/', i + 1)
            os.rename('/~copying', p)
def hr_receive(room, bits):
    f = 0, io.BytesIO()
    v = memoryview(bytearray(room))
    u = w = 0
    try:
        while 1:
            d = hr_line()
            n = len(d) - 5
            if n > 0 and d[0] & 31 == w and binascii.crc32(d[:-4]) == int.from_bytes(d[-4:], 'little'):
                v[u:u + n] = d[1:-4]
                u += n
                w = w + 1 & 31
                if d[0] > 31:
                    s = io.BytesIO(v[:u])
                    f = hr_unpack(deflate.DeflateIO(s, deflate.RAW, bits) if bits else s, f)
                    u = 0
            else:
                n = 0
            sys.stdout.write(chr(64 + w))
            if n and d[0] > 63: return
    except:
        f[1].close()
        try: os.remove('/~copying')
        except OSError: pass
        raise
"""


def look(paths: list[str]) -> str:
    """Code that prints a line for each path: its size and its SHA-256 in base64, or nothing where it is missing."""
    return _small(_LOOK) + f"hr_look({paths!r})\n"


def look_and_prepare(paths: list[str]) -> str:
    """The same, and then a line with block size and free blocks of the flash and free bytes of memory.

    Removes what an earlier copying left behind, and leaves the board ready for `receive`.
    """
    return _small(_LOOK + _RECEIVE) + f"hr_look({paths!r})\nhr_space()\n"


def receive(room_bytes: int, window_bits: int) -> str:
    """Code that receives batches of at most `room_bytes`; `window_bits` is 0 for uncompressed ones."""
    return f"hr_receive({room_bytes},{window_bits})"


def loader() -> str:
    """Code that says READY and then runs the code that comes as `compressed`. ImportError: run `plain` instead."""
    return _small(_LINE + _LOAD)


def compressed(code: str) -> bytes:
    """`code` as one line for the loader: half of what it is as text."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -12)
    return _escaped(packer.compress(code.encode()) + packer.flush())


def plain(code: str) -> str:
    """`code` with all that it needs, for a board without the deflate module."""
    return _small(_LINE).replace(",deflate", "") + code


def frame(number: int, data: bytes, *, ends_batch: bool = False, ends_all: bool = False) -> bytes:
    """One line for the board. `data` is at most FRAME_BYTES."""
    body = bytes([number & 31 | ends_batch << 5 | ends_all << 6]) + data
    return _escaped(body + zlib.crc32(body).to_bytes(4, "little"))


def _escaped(body: bytes) -> bytes:
    return body.replace(b"\x10", b"\x10P").replace(b"\x03", b"\x10C").replace(b"\n", b"\x10J") + b"\n"


def _small(code: str) -> str:
    """The same code with one space a level and none around operators: each byte costs 87 us on the wire."""
    lines = []
    for line in code.splitlines():
        if text := line.strip():
            depth = (len(line) - len(line.lstrip())) // 4
            lines.append(" " * depth + re.sub(r" ?(\+=|-=|==|!=|[=<>|&+,:]) ", r"\1", text))
    return "\n".join(lines) + "\n"
