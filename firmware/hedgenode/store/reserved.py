"""One number that only goes up, over power cuts too, and costs flash rarely. Knows nothing of what it numbers."""

import os

from hedgenode.store.counters import read_whole, write_atomic
from hedgewire import cbor

_VERSION = 1
_DAMAGED_FROM = 1 << 30  # where a counter goes on whose file is damaged, and up to twice that by chance


class Reserved:
    """Numbers from 0 on, reserved in flash `step` at a time: a restart skips up to `step` and repeats none.

    One caller at a time. What was used is not known any more when the file is damaged: then it goes on at a random
    height far above, so that a repetition is unlikely and whoever remembers the last number goes on listening.
    """

    def __init__(self, files, path: str, step: int):
        self._files = files
        self._path = path
        self._step = step
        self.damaged = 0
        self._next = self._limit = self._load()

    def next(self) -> int:
        """A number that was never given before. OSError when flash refuses to reserve more."""
        if self._next >= self._limit:
            limit = self._next + self._step
            write_atomic(self._files, self._path, cbor.encode([_VERSION, limit]))
            self._limit = limit
        number = self._next
        self._next += 1
        return number

    def _load(self):
        data = read_whole(self._files, self._path)
        if data is None:
            return 0
        values = cbor.decode(data)
        if isinstance(values, list) and len(values) == 2 and values[0] == _VERSION and isinstance(values[1], int):
            return values[1]
        self.damaged = 1
        return _DAMAGED_FROM + (int.from_bytes(os.urandom(4), "big") & _DAMAGED_FROM - 1)
