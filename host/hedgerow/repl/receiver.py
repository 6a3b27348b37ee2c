"""Knows the Python that runs on a board while files are copied to it; knows nothing of how the host sends them.

Three rules shape it:
- 03 never travels while it runs, so Ctrl-C always stops it, and a board that lost its host is never stuck.
- While flash is written nothing is on its way to the board: the input buffer of an ESP32 holds 260 bytes, and its
  interrupts wait while a sector is erased.
- A file is written under another name, read back, and takes its own name only if its SHA-256 is the expected one.

A frame is a line: escape(number | data | CRC-32 little-endian) 0A. Bits 0-4 of `number` count frames modulo 32, bit 5
ends a batch, bit 6 ends the copying. 03, 0A and 10 are escaped as 10 and themselves + 40. The board answers each line
with one character, 64 + the number of the frame that it wants next.

A batch is one raw deflate stream of pieces: path length u8 (0: more of the file before), data length u16
little-endian, last u8, path, data, and after the last data the SHA-256 of the file.

Each byte costs 87 us on the wire, so the code is short where a comment here can explain it: CRC-32 over data and its
own CRC-32 is always the same number, and deflate.RAW is 1.
"""

import re
import zlib
from functools import lru_cache

# Of data: 90 ms at 115,200 baud. With two on the way the cable never idles, though an adapter takes 16 ms for a turn
# and a busy computer more.
FRAME_BYTES = 1024
BATCH_BYTES = 8192  # the board holds one batch compressed in memory
READY = b"@"
TEMPORARY_PATH = "/~copying"
SHORT_DIGITS = 16  # of a SHA-256 in hex: enough to see that a file is another one
ALL_DIGITS = 64
CODE_WINDOW_BITS = 12
_CRC_WITH_ITSELF = 0x2144DF1C
_TRIES = 4096

_LOADER = """
import sys, deflate
print(end='@')
exec(deflate.DeflateIO(sys.stdin.buffer, 1, 12).read())
"""

_LOOK = """
import os, hashlib
m = memoryview(bytearray(512))
def hr_hash(p):
    h = hashlib.sha256()
    n = 0
    with open(p, 'rb') as f:
        while k := f.readinto(m):
            h.update(m[:k])
            n += k
    return n, h.digest().hex()
def hr_look(p, w):
    try:
        n, h = hr_hash(p)
        print(n, h[:w])
    except OSError: print()
"""

_RECEIVE = """
import io, gc, binascii
def hr_unpack(s, p, f):
    while h := s.read(4):
        if h[0]:
            p = s.read(h[0]).decode()
            f = open('/~copying', 'wb')
        n = h[1] | h[2] << 8
        while n: n -= f.write(m[:s.readinto(m[:n])])
        if h[3]:
            f.close()
            if hr_hash('/~copying')[1] != s.read(32).hex(): raise ValueError(p)
            os.rename('/~copying', p)
    return p, f
def hr_receive(r, z):
    p = f = u = w = 0
    v = memoryview(bytearray(r))
    try:
        while 1:
            d = sys.stdin.buffer.readline()[:-1]
            for i in b'CJP': d = d.replace(bytes((16, i)), bytes((i - 64,)))
            n = len(d) - 5
            if n > 0 and d[0] & 31 == w and binascii.crc32(d) == CRC:
                v[u:u + n] = d[1:-4]
                u += n
                w = w + 1 & 31
                if d[0] > 31:
                    s = io.BytesIO(v[:u])
                    p, f = hr_unpack(deflate.DeflateIO(s, 1, z) if z else s, p, f)
                    u = 0
            else: n = 0
            print(end=chr(64 + w))
            if n and d[0] > 63: return
    finally:
        if f: f.close()
""".replace("CRC:", f"{_CRC_WITH_ITSELF}:")

_SPACE = """
s = os.statvfs('/')
print(s[1], s[4], gc.mem_free())
"""


def look(paths: list[str], digits: int) -> str:
    """Code that prints a line for each path: its size and so many hex digits of its SHA-256; nothing: it is missing."""
    return _small(_LOOK) + f"for p in{paths!r}:{_short('hr_look')}(p,{digits})\n"


def look_and_prepare(paths: list[str]) -> str:
    """The same, and then a line with block size and free blocks of the flash and free bytes of memory.

    Leaves the board ready for `receive`.
    """
    return _small(_RECEIVE) + look(paths, SHORT_DIGITS) + _small(_SPACE)


def receive(room_bytes: int, window_bits: int, folders: list[str]) -> str:
    """Code that makes `folders` and receives batches of at most `room_bytes`; `window_bits` 0: uncompressed ones."""
    makes = f"for d in{folders!r}:\n try:os.mkdir(d)\n except OSError:pass\n" if folders else ""
    return f"{makes}{_short('hr_receive')}({room_bytes},{window_bits})"


def tidy() -> str:
    """Code that removes what an interrupted copying left behind."""
    return f"import os\ntry:os.remove({TEMPORARY_PATH!r})\nexcept OSError:pass\n"


def loader() -> str:
    """Code that says READY and then runs the code that comes as `compressed`. ImportError: run it as `plain`."""
    return _small(_LOADER).strip()


@lru_cache(256)  # some texts take a thousand tries, and many boards get the same one
def compressed(code: str) -> bytes | None:
    """`code` for the loader, half as long as text. None if, against all odds, it cannot be had without Ctrl-C in it.

    03 would interrupt the board. Another comment before the code shifts every bit behind it: about every 15th number
    gives a stream without 03.
    """
    for number in range(_TRIES):
        packer = zlib.compressobj(9, zlib.DEFLATED, -CODE_WINDOW_BITS)
        data = packer.compress(f"#{number}\n{code}".encode()) + packer.flush()
        if b"\x03" not in data:
            return data
    return None


def plain(code: str) -> str:
    """`code` for a board without the deflate module."""
    return f"import sys\n{code}"


def frame(number: int, data: bytes, *, ends_batch: bool = False, ends_all: bool = False) -> bytes:
    """One line for the board. `data` is at most FRAME_BYTES."""
    body = bytes([number & 31 | ends_batch << 5 | ends_all << 6]) + data
    return _escaped(body + zlib.crc32(body).to_bytes(4, "little"))


def _escaped(body: bytes) -> bytes:
    return body.replace(b"\x10", b"\x10P").replace(b"\x03", b"\x10C").replace(b"\n", b"\x10J") + b"\n"


def _short(name: str) -> str:
    """hr_look on the wire is l_."""
    return re.sub(r"\bhr_(\w)\w*", r"\1_", name)


def _small(code: str) -> str:
    """The same code with short names, one space a level and none around operators."""
    lines = []
    for line in code.splitlines():
        if text := line.strip():
            depth = (len(line) - len(line.lstrip())) // 4
            lines.append(" " * depth + re.sub(r" ?(:=|\+=|-=|==|!=|<<|[-=<>|&+,:]) ", r"\1", _short(text)))
    return "\n".join(lines) + "\n"
