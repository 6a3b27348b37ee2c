"""Frames on a stream that also carries text: 00, COBS(kind, payload, CRC-16), 00. Knows no meaning of a payload.

Rules
- Outside a frame every byte is text, except 00, which opens a frame.
- The next 00 closes it. A good frame is handed out; after a damaged one the closing 00 counts as an opening one, so
  that one lost 00 costs one frame and not all that follow. 00 00 is no frame and no damage.
- Bytes of a damaged frame are dropped, never handed out as text: a 0x03 inside a frame must not interrupt a node.
- After 100 ms of silence the owner calls idle(): a torn frame ends and its bytes become text.
"""

from hedgewire.crc import crc16

TEXT = 0
REQUEST = 1
ANSWER = 2
EVENT = 3
LINK = 4
SEALED = 5


def encode(kind: int, payload) -> bytes:
    """One frame, delimiters included: len(payload) + 6 bytes, and one more for every 254."""
    if not 0 < kind < 256:
        raise ValueError("the kind of a frame is 1 .. 255")
    size = len(payload)
    out = bytearray(size + 6 + (size + 3) // 254)  # 00, code, kind, payload, CRC, 00, and room for more codes
    out[2] = kind
    out[3 : 3 + size] = payload
    crc = crc16(memoryview(out)[2 : 3 + size])
    out[size + 3] = crc & 0xFF
    out[size + 4] = crc >> 8
    # COBS in place: every zero becomes the distance to the next one.
    last = 1
    end = size + 5
    while last < end:
        distance = out.find(b"\x00", last + 1) - last
        if distance < 255:
            out[last] = distance
            last += distance
        else:  # 254 bytes without a zero: a full group, and room for the next code unless the frame ends here
            out[last] = 255
            last += 255
            if last < end:
                out[last + 1 : end + 2] = out[last : end + 1]
                end += 1
    return bytes(memoryview(out)[: end + 1])


class Decoder:
    """Bytes in, frames and text out. Owns one buffer for its whole life; one caller at a time."""

    def __init__(self, max_bytes: int = 1024):
        """max_bytes is the largest payload; a longer frame is damage."""
        body_bytes = max_bytes + 3
        self._buffer = bytearray(body_bytes + body_bytes // 254 + 1)
        self._view = memoryview(self._buffer)
        self._used = 0
        self._in_frame = False
        self._too_long = False
        self.damaged = 0

    @property
    def in_frame(self) -> bool:
        """Whether a frame is open: the owner then calls idle() after 100 ms of silence."""
        return self._in_frame

    def feed(self, data: "bytes | bytearray | memoryview") -> list:
        """Return in order the (kind, payload) of every frame that data completes, and (TEXT, bytes) around them."""
        if not isinstance(data, (bytes, bytearray)):
            data = bytes(data)  # a memoryview has no find()
        out = []
        at = 0
        end = len(data)
        while at < end:
            zero = data.find(b"\x00", at)
            stop = end if zero < 0 else zero
            if stop > at:
                if self._in_frame:
                    self._keep(data, at, stop)
                else:
                    out.append((TEXT, bytes(data[at:stop])))
            if zero >= 0:
                self._delimiter(out)
            at = stop + 1
        return out

    def idle(self) -> list:
        """End a torn frame and return its bytes as [(TEXT, bytes)], or [] where none is open."""
        out = []
        if self._in_frame:
            if self._used or self._too_long:
                self.damaged += 1
            if self._used:
                out.append((TEXT, bytes(self._view[: self._used])))
            self._in_frame = False
            self._open()
        return out

    def _open(self):
        self._used = 0
        self._too_long = False

    def _keep(self, data, at, stop):
        used = self._used + stop - at
        if self._too_long or used > len(self._buffer):
            self._too_long = True
            self._used = 0
            return
        self._view[self._used : used] = memoryview(data)[at:stop]
        self._used = used

    def _delimiter(self, out):
        if not self._in_frame:
            self._in_frame = True
        elif self._too_long:
            self.damaged += 1
        elif self._used:
            found = self._finish()
            if found is None:
                self.damaged += 1
            else:
                out.append(found)
                self._in_frame = False
        self._open()

    def _finish(self):
        """(kind, payload) of the closed frame in the buffer, or None."""
        end = self._unstuff()
        if end < 4:
            return None
        buffer = self._buffer
        if crc16(self._view[1 : end - 2]) != buffer[end - 2] | buffer[end - 1] << 8:
            return None
        if buffer[1] == TEXT:
            return None
        return buffer[1], bytes(self._view[2 : end - 2])

    def _unstuff(self):
        """Undo COBS in place. The body then stands from index 1; returns its end, or 0 if the groups do not fit."""
        buffer = self._buffer
        end = self._used
        code = buffer[0]
        at = code
        while at < end:
            following = buffer[at]
            if code == 255:  # no zero stood here: close the gap
                buffer[at : end - 1] = buffer[at + 1 : end]
                end -= 1
                at -= 1
            else:
                buffer[at] = 0
            at += following
            code = following
        return end if at == end else 0
