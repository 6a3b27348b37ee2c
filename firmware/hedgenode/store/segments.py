"""An append-only log of records in numbered files, safe against power cuts and bit rot. Knows no meaning of a record.

Frame: magic u8, length u16 little-endian, CRC-32 (4 bytes, little-endian) over token, length and record; record.
The token is in the CRC so that a record counts only where it was written: a forged frame inside a message, found while
resynchronising, does not pass for one of ours.
"""

import binascii
import struct

HEADER_BYTES = 7
MAX_RECORD_BYTES = 0xFFFF
# A segment begins a record below this offset, so a token is number * TOKEN_SPAN + offset.
TOKEN_SPAN = 1 << 14
# LittleFS keeps a few pointers in each 4,096-byte block: this fills four of them and opens no fifth.
SEGMENT_BYTES = 16320

_MAGIC = 0xD7
_MAGIC_BYTE = b"\xd7"
_SUFFIX = ".seg"
_PIECE = 320


def _seed(token, length):
    return binascii.crc32(struct.pack("<IH", token, length))


class SegmentLog:
    """Records in `directory`, which must exist. One writer; call from one task.

    `preamble()` gives the first record of every new segment (or is None): what the owner wants to find in the newest
    segment even when all older ones are gone. A segment is closed when the next record would pass `segment_bytes`;
    a record larger than that gets a segment of its own. max_segments 0: no limit, the owner drops.
    """

    def __init__(self, files, directory: str, segment_bytes: int = SEGMENT_BYTES, max_segments: int = 0, preamble=None):
        if segment_bytes > TOKEN_SPAN:
            raise ValueError("a segment has at most %d bytes" % TOKEN_SPAN)
        self._files = files
        self._directory = directory
        self._segment_bytes = segment_bytes
        self._max_segments = max_segments
        self._preamble = preamble
        self._piece = bytearray(_PIECE)
        self._active = None  # the open file that takes appends
        self._resumable = False  # whether the newest segment is known to end with a whole record
        self._appended = False  # bytes wait for sync()
        self.damaged = 0
        self.numbers = []
        self._sizes = {}
        for name in files.listdir(directory):
            if name.endswith(_SUFFIX):
                number = int(name[: -len(_SUFFIX)])
                size = files.size(self._path(number))
                if size:
                    self.numbers.append(number)
                    self._sizes[number] = size
                else:  # power went between making the file and its first commit
                    files.remove(self._path(number))
        self.numbers.sort()
        self.used_bytes = sum(self._sizes.values())
        # Numbers only grow, so their order is order of time (2**18 segments of 16 kB outlast the flash of a board).
        self._next_number = self.numbers[-1] + 1 if self.numbers else 1

    @property
    def ends_whole(self) -> bool:
        """After a scan of the newest segment: whether nothing damaged stands at the end of the log."""
        return self._active is not None or self._resumable or not self.numbers

    # ---- writing

    def append(self, record, more: "bytes | memoryview" = b"", sync: bool = True) -> int:
        """Add a record (of two parts, if the owner has two); with `sync` it is durable on return.

        Returns its token. OSError: it is not in the log, nor is what waits for sync().
        """
        length = len(record) + len(more)
        if not 0 < length <= MAX_RECORD_BYTES:
            raise ValueError("a record has 1 to %d bytes" % MAX_RECORD_BYTES)
        if not self._fits(length):
            self._open_next()
        try:
            token = self._write(record, more)
            if sync:
                self.sync()
        except OSError:
            self._close_torn()
            raise
        return token

    def sync(self) -> None:
        """Make everything appended so far durable."""
        if self._appended:
            self._files.sync(self._active)
            self._appended = False

    def roll(self) -> None:
        """Begin a new segment now, with its preamble durable in it. OSError: the log is as before."""
        self._open_next()
        self.sync()

    def close(self) -> None:
        if self._active is not None:
            try:
                self.sync()
            finally:
                self._active.close()
                self._active = None

    def drop_segment(self, number: int) -> None:
        """Delete a whole segment; a preamble is never deleted before a newer one is durable."""
        if number == self.numbers[-1]:
            self.roll()
        self._files.remove(self._path(number))
        self.numbers.remove(number)
        self.used_bytes -= self._sizes.pop(number)

    # ---- reading

    def read(self, token: int, skip: int = 0) -> "bytes | None":
        """The record at token without its first `skip` bytes; None (and counted) if it is damaged or gone."""
        number = token // TOKEN_SPAN
        if number not in self._sizes:
            return None
        try:
            file = self._files.open(self._path(number), "rb")
        except OSError:
            self.damaged += 1
            return None
        try:
            file.seek(token % TOKEN_SPAN)
            header = file.read(HEADER_BYTES)
            if len(header) == HEADER_BYTES and header[0] == _MAGIC:
                length = header[1] | header[2] << 8
                record = file.read(length)
                if binascii.crc32(record, _seed(token, length)).to_bytes(4, "little") == header[3:]:
                    return record[skip:] if skip else record
        finally:
            file.close()
        self.damaged += 1
        return None

    def scan(self, keep_bytes: int = MAX_RECORD_BYTES, start: int = 0):
        """Yield (token, first keep_bytes of the record, its length) of every whole record in segments from `start` on.

        Damage is counted and skipped. After a full pass over the newest segment, appending goes on behind it if its end
        is whole, otherwise in a new segment.
        """
        for number in list(self.numbers):
            if number >= start:
                for found in self.scan_segment(number, keep_bytes):
                    yield found

    def scan_segment(self, number: int, keep_bytes: int = MAX_RECORD_BYTES):
        """As scan(), for one segment."""
        size = self._sizes[number]
        base = number * TOKEN_SPAN
        stop = min(size, TOKEN_SPAN)
        offset = 0
        whole = True
        file = self._files.open(self._path(number), "rb")
        try:
            while offset < stop:
                record, length = self._check(file, number, offset, keep_bytes)
                if record is None:
                    if whole:  # one gap is one damage, however many bytes are tried
                        self.damaged += 1
                    whole = False
                    offset = self._next_magic(file, offset + 1, stop)
                else:
                    whole = True
                    token = base + offset
                    offset += HEADER_BYTES + length
                    yield token, record, length
        finally:
            file.close()
        if number == self.numbers[-1] and self._active is None:
            self._resumable = whole

    # ---- inside

    def _path(self, number):
        return "%s/%08d%s" % (self._directory, number, _SUFFIX)

    def _fits(self, length):
        if self._active is None and not self._resumable:
            return False
        return self._sizes[self.numbers[-1]] + HEADER_BYTES + length <= self._segment_bytes

    def _open_next(self):
        """Begin a new segment; on failure the log is as before."""
        self.close()
        if self._max_segments and len(self.numbers) >= self._max_segments:
            raise OSError(28)  # ENOSPC: the owner has to drop one first
        number = self._next_number
        self._active = self._files.open(self._path(number), "wb")
        self._next_number += 1
        self._resumable = True
        self.numbers.append(number)
        self._sizes[number] = 0
        if self._preamble is not None:
            try:
                self._write(self._preamble(), b"")
            except OSError:
                self._close_torn()
                raise

    def _write(self, record, more):
        number = self.numbers[-1]
        length = len(record) + len(more)
        token = number * TOKEN_SPAN + self._sizes[number]
        header = bytearray((_MAGIC, length & 0xFF, length >> 8))
        header.extend(binascii.crc32(more, binascii.crc32(record, _seed(token, length))).to_bytes(4, "little"))
        if self._active is None:
            self._active = self._files.open(self._path(number), "ab")
        file = self._active
        self._appended = True
        file.write(header)
        file.write(record)
        if more:
            file.write(more)
        self._sizes[number] += HEADER_BYTES + length
        self.used_bytes += HEADER_BYTES + length
        return token

    def _close_torn(self):
        """A write failed: what is in the file now is unknown, so nothing goes behind it."""
        number = self.numbers[-1]
        self._appended = False
        file, self._active = self._active, None
        try:
            if file is not None:
                file.close()
        except OSError:
            pass  # the same failure once more
        self._resumable = False
        try:
            size = self._files.size(self._path(number))
        except OSError:
            size = 0  # it was never committed
        self.used_bytes += size - self._sizes[number]
        self._sizes[number] = size
        if size == 0:
            self.numbers.pop()
            del self._sizes[number]
            self._next_number = number  # trying again and again on full flash uses up no numbers

    def _check(self, file, number, offset, keep_bytes):
        """(first bytes of the record, length) if a whole record begins there, else (None, 0). Bounded memory."""
        file.seek(offset)
        piece = memoryview(self._piece)
        got = file.readinto(self._piece)
        if got <= HEADER_BYTES or piece[0] != _MAGIC:
            return None, 0
        length = piece[1] | piece[2] << 8
        if length == 0 or offset + HEADER_BYTES + length > self._sizes[number]:
            return None, 0
        wanted = bytes(piece[3:HEADER_BYTES])
        body = piece[HEADER_BYTES : min(got, HEADER_BYTES + length)]
        keep_bytes = min(length, keep_bytes)
        kept = bytes(body[:keep_bytes])
        crc = binascii.crc32(body, _seed(number * TOKEN_SPAN + offset, length))
        left = length - len(body)
        if len(kept) < keep_bytes:  # an owner that wants all of a long record gets it in one piece
            more = file.read(keep_bytes - len(kept))
            crc = binascii.crc32(more, crc)
            left -= len(more)
            kept += more
        while left > 0:
            got = file.readinto(piece[: min(left, _PIECE)])
            if not got:
                return None, 0
            crc = binascii.crc32(piece[:got], crc)
            left -= got
        if crc.to_bytes(4, "little") != wanted:
            return None, 0
        return kept, length

    def _next_magic(self, file, offset, size):
        """Where the next record may begin at the earliest; size if nowhere."""
        while offset < size:
            file.seek(offset)
            at = file.read(_PIECE).find(_MAGIC_BYTE)
            if at >= 0:
                return offset + at
            offset += _PIECE
        return size
