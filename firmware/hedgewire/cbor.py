"""Deterministic CBOR (RFC 8949, 4.2.1) to and from plain values. Knows no message and no bundle.

Values: int (-2**64 .. 2**64-1), bytes, str, list, dict with int or str keys, True, False, None.
No floats, no tags, no indefinite lengths. What a peer sends is strict or it is `Damage`: a value has one encoding only,
so that a hash of the encoding is a hash of the value.
"""

MAX_DEPTH = 8

_UINT = 0
_NINT = 1
_BYTES = 2
_TEXT = 3
_ARRAY = 4
_MAP = 5


class Damage:
    """Why bytes are no value, and where. A result, never raised; ask with isinstance."""

    def __init__(self, reason: str, offset: int):
        self.reason = reason
        self.offset = offset

    def __repr__(self):
        return f"Damage({self.reason!r}, {self.offset})"

    def __eq__(self, other):
        return isinstance(other, Damage) and self.reason == other.reason and self.offset == other.offset

    def __hash__(self):
        return hash((self.reason, self.offset))


class Broken(Exception):
    """Carries a Damage from the depth of a decoder to its entrance; leaves no module of hedgewire."""

    def __init__(self, reason: str, offset: int):
        super().__init__(reason)
        self.damage = Damage(reason, offset)


# ---- encoding


def head(out: bytearray, major: int, number: int) -> None:
    """Append the shortest head of a major type with its argument (0 .. 2**64-1)."""
    major <<= 5
    if number < 24:
        if number < 0:
            raise ValueError("a CBOR head has no negative number")  # bytearray.append checks nothing on MicroPython
        out.append(major | number)
    elif number < 0x100:
        out.append(major | 24)
        out.append(number)
    elif number < 0x10000:
        out.append(major | 25)
        out.append(number >> 8)
        out.append(number & 0xFF)
    elif number >> 32 == 0:
        out.append(major | 26)
        out.extend(number.to_bytes(4, "big"))
    elif number >> 64 == 0:
        out.append(major | 27)
        out.extend(number.to_bytes(8, "big"))
    else:
        raise ValueError("a CBOR number has at most 64 bits")


def write(out: bytearray, value, depth: int = 0) -> None:
    """Append one value. TypeError or ValueError where the profile has no form for it."""
    if value is None:
        out.append(0xF6)
    elif value is True:
        out.append(0xF5)
    elif value is False:
        out.append(0xF4)
    elif isinstance(value, int):
        if value < 0:
            head(out, _NINT, -1 - value)
        else:
            head(out, _UINT, value)
    elif isinstance(value, (bytes, bytearray, memoryview)):
        head(out, _BYTES, len(value))
        out.extend(value)
    elif isinstance(value, str):
        _write_text(out, value)
    elif isinstance(value, (list, tuple, dict)):
        if depth >= MAX_DEPTH:
            raise ValueError("nested too deep")
        _write_items(out, value, depth + 1)
    else:
        raise TypeError("no CBOR form for " + repr(type(value)))


def _write_text(out, value):
    raw = value.encode()
    # MicroPython encodes half surrogates without a word; CPython raises a ValueError one line above.
    if not is_utf8(raw):
        raise ValueError("text is not valid Unicode")
    head(out, _TEXT, len(raw))
    out.extend(raw)


def _write_items(out, value, depth):
    if not isinstance(value, dict):
        head(out, _ARRAY, len(value))
        for item in value:
            write(out, item, depth)
        return
    head(out, _MAP, len(value))
    pairs = []
    for key in value:
        # bool is an int on CPython and none on MicroPython: refuse it on both.
        if isinstance(key, bool) or not isinstance(key, (int, str)):
            raise TypeError("a CBOR key is an int or a str")
        pairs.append((encode(key), value[key]))
    pairs.sort(key=lambda pair: pair[0])
    for key, item in pairs:
        out.extend(key)
        write(out, item, depth)


def encode(value) -> bytes:
    """The one encoding of a value."""
    out = bytearray()
    write(out, value)
    return bytes(out)


# ---- decoding


def is_utf8(raw) -> bool:
    """Whether raw is UTF-8 as RFC 3629 has it: no overlong form, no surrogate. MicroPython's own test is weaker."""
    end = len(raw)
    if end == 0 or max(raw) < 0x80:
        return True
    at = 0
    while at < end:
        first = raw[at]
        at += 1
        if first < 0x80:
            continue
        if first < 0xC2 or first > 0xF4:
            return False
        more = 1 if first < 0xE0 else 2 if first < 0xF0 else 3
        if at + more > end:
            return False
        low = 0xA0 if first == 0xE0 else 0x90 if first == 0xF0 else 0x80
        high = 0x9F if first == 0xED else 0x8F if first == 0xF4 else 0xBF
        if not low <= raw[at] <= high:
            return False
        for following in range(at + 1, at + more):
            if raw[following] & 0xC0 != 0x80:
                return False
        at += more
    return True


class Reader:
    """Reads items one by one, for decoders that know the shape they want. Every method raises Broken, nothing else."""

    _containers = 0  # on the class: most readers never meet one

    def __init__(self, data):
        self.data = memoryview(data)
        self.at = 0
        self.end = len(data)
        self.major = 0

    def head(self) -> int:
        """The argument of the next head; its major type goes to `.major`."""
        at = self.at
        if at >= self.end:
            raise Broken("truncated", at)
        first = self.data[at]
        self.major = first >> 5
        info = first & 31
        if info < 24:
            self.at = at + 1
            return info
        if self.major == 7:
            raise Broken("unsupported type", at)
        if info > 27:
            raise Broken("indefinite length" if info == 31 else "reserved head", at)
        size = 1 << (info - 24)
        stop = at + 1 + size
        if stop > self.end:
            raise Broken("truncated", at)
        if size == 1:
            number = self.data[at + 1]
            shorter = number < 24
        else:
            number = int.from_bytes(self.data[at + 1 : stop], "big")
            shorter = number >> (size * 4) == 0
        if shorter:
            raise Broken("not the shortest form", at)
        self.at = stop
        return number

    def expect(self, major: int) -> int:
        """The argument of the next head, which must be of this major type."""
        at = self.at
        number = self.head()
        if self.major != major:
            raise Broken("unexpected type", at)
        return number

    def uint(self) -> int:
        at = self.at  # here and in array(): most heads are one byte, and a call costs more than this test
        if at < self.end:
            number = self.data[at]
            if number < 24:
                self.at = at + 1
                return number
        return self.expect(_UINT)

    def array(self) -> int:
        """The number of items of the array that begins here."""
        at = self.at
        if at < self.end:
            number = self.data[at] ^ 0x80
            if number < 24:
                self.at = at + 1
                return number
        return self.expect(_ARRAY)

    def byte_string(self) -> bytes:
        return self._take(self.expect(_BYTES))

    def text(self) -> str:
        at = self.at
        raw = self._take(self.expect(_TEXT))
        if not is_utf8(raw):
            raise Broken("not UTF-8", at)
        return str(raw, "utf-8")

    def close(self) -> None:
        """Nothing may follow."""
        if self.at != self.end:
            raise Broken("trailing bytes", self.at)

    def item(self, depth: int = 0):
        """The next value of any type of the profile."""
        at = self.at
        number = self.head()
        major = self.major
        if major == _UINT:
            return number
        if major == _NINT:
            return -1 - number
        if major == _BYTES:
            return self._take(number)
        if major == _TEXT:
            self.at = at
            return self.text()
        if major == _ARRAY:
            self._enter(number, depth, at)
            items = []
            for _ in range(number):
                items.append(self.item(depth + 1))
            return items
        if major == _MAP:
            self._enter(number, depth, at)
            return self._pairs(number, depth + 1)
        if major == 7 and 20 <= number <= 22:
            return (False, True, None)[number - 20]
        raise Broken("unsupported type", at)

    def _enter(self, count, depth, at):
        if depth >= MAX_DEPTH:
            raise Broken("nested too deep", at)
        # An empty array is one byte and takes forty of a board's memory, so there may be fewer of them than bytes.
        self._containers += 1
        if self._containers > 64 + self.end // 4:
            raise Broken("too many arrays", at)
        # Each item takes a byte at least: a head that promises more is found out before anything is allocated.
        if count > self.end - self.at:
            raise Broken("truncated", at)

    def _take(self, size):
        at = self.at
        if size > self.end - at:
            raise Broken("truncated", at)
        self.at = at + size
        return bytes(self.data[at : at + size])

    def _pairs(self, count, depth):
        pairs = {}
        previous = None
        for _ in range(count):
            start = self.at
            key = self.item(depth)
            # bool is an int on CPython and none on MicroPython: refuse it on both.
            if isinstance(key, bool) or not isinstance(key, (int, str)):
                raise Broken("key type", start)
            raw = bytes(self.data[start : self.at])
            if previous is not None and raw <= previous:
                raise Broken("key order", start)
            previous = raw
            pairs[key] = self.item(depth)
        return pairs


def decode(data):
    """The value that data encodes, or Damage. Never raises for anything that a peer may send."""
    reader = Reader(data)
    try:
        value = reader.item()
        reader.close()
    except Broken as broken:
        return broken.damage
    return value
