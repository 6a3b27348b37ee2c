"""Small files that are whole or not there, and numbers that are never used twice. Knows no message."""

import os

from hedgewire import cbor

_NAME = "/counters.cbor"
_RESERVED = 64  # numbers that one write to flash pays for
_ENOSPC = 28


def write_atomic(files, path: str, data) -> None:
    """Replace a small file: a power cut leaves the old bytes or the new ones. OSError if it reads back wrong."""
    temporary = path + ".tmp"
    file = files.open(temporary, "wb")
    try:
        file.write(data)
        files.sync(file)
    finally:
        file.close()
    if read_whole(files, temporary) != data:
        files.remove(temporary)
        raise OSError(_ENOSPC, "%s did not read back as written" % path)
    files.rename(temporary, path)


def read_whole(files, path: str) -> "bytes | None":
    """The bytes of a small file, or None where there is none."""
    try:
        file = files.open(path, "rb")
    except OSError:
        return None
    try:
        return file.read()
    finally:
        file.close()


def are_lost(files, directory: str) -> bool:
    """Whether what was used before is not known here: no file yet, or a damaged one."""
    return _read(files, directory + _NAME) is None


class Counters:
    """Boots of this node and sequence numbers for its messages, in one small file.

    Sequence numbers are reserved ahead: a reset may skip some and repeats none. Call from one task.
    """

    def __init__(self, files, directory: str):
        self._files = files
        self._path = directory + _NAME
        self.damaged = 0
        self.boot, self._next = self._load()
        self.boot += 1
        self._reserved = self._next
        self._reserve()

    def next_sequence(self) -> int:
        """A number that this node has never used before, also not before a power cut. OSError when flash refuses."""
        if self._next >= self._reserved:
            self._reserve()
        number = self._next
        self._next += 1
        return number

    def _load(self):
        known = _read(self._files, self._path)
        if known is not None:
            return known
        if read_whole(self._files, self._path) is None:
            return 0, 1
        # What was used is not known any more: begin at a random height, where a repetition is unlikely.
        self.damaged = 1
        return 0, int.from_bytes(os.urandom(3), "big") << 8

    def _reserve(self):
        reserved = self._next + _RESERVED
        write_atomic(self._files, self._path, cbor.encode([1, self.boot, reserved]))
        self._reserved = reserved


def _read(files, path):
    """(boots, first number that was never reserved), None where no whole file says so."""
    values = cbor.decode(read_whole(files, path) or b"")
    if isinstance(values, list) and len(values) == 3 and values[0] == 1:
        return values[1], values[2]
    return None
