"""Whom a node hears beside its own fleet, with what keys and for how long. Knows no radio and makes no key.

A circle is nodes that share the public layer with this one and nothing else: those of our own fleet that have not heard
of its new keys yet, and fleets that we parted from as friends. Kept is what their frames travel under (link_keys of
crypto/linksec.py), from which no message can be read.
"""

from hedgenode.store.counters import read_whole, write_atomic
from hedgewire import cbor

MAX_CIRCLES = 4
MAX_EPOCHS = 12
_VERSION = 1
_KEYS_BYTES = 32


class Circle:
    """`tag`: u16, no other circle's and not that of the own fleet. `epochs`: [number, keys] pairs to listen under.

    `spoken`: such a pair to speak under, or None for the first of the epochs. `until_s`: on the store's clock, or None.
    """

    def __init__(self, tag: int, epochs: list, spoken: "list | None", until_s: "int | None"):
        self.tag = tag
        self.epochs = epochs
        self.spoken = spoken
        self.until_s = until_s


class Circles:
    """The circles of one node in a small file, oldest first. A change is in flash before it counts. For one task."""

    def __init__(self, files, path: str):
        self._files = files
        self._path = path
        self.damaged = 0
        self._circles = self._load()

    def all(self) -> list:
        return list(self._circles)

    def put(self, circle: Circle) -> None:
        """Add a circle, or take it in place of the one with its tag; the oldest goes where there is no room."""
        others = [one for one in self._circles if one.tag != circle.tag]
        self._keep(others[-(MAX_CIRCLES - 1) :] + [circle])

    def remove(self, tag: int) -> None:
        """Forget a circle; nothing happens where it is not known."""
        self._keep([one for one in self._circles if one.tag != tag])

    def expire(self, now_s: int) -> bool:
        """Forget whose time is over; True where there was one."""
        left = [one for one in self._circles if one.until_s is None or now_s < one.until_s]
        if len(left) == len(self._circles):
            return False
        self._keep(left)
        return True

    def _keep(self, circles):
        rows = [[one.tag, one.epochs, one.spoken, one.until_s] for one in circles]
        write_atomic(self._files, self._path, cbor.encode([_VERSION, rows]))
        self._circles = circles

    def _load(self):
        data = read_whole(self._files, self._path)
        if data is None:
            return []
        values = cbor.decode(data)
        if not isinstance(values, list) or len(values) != 2 or values[0] != _VERSION or not isinstance(values[1], list):
            self.damaged = 1
            return []
        rows = [row for row in values[1] if _is_circle(row)]
        self.damaged = len(values[1]) - len(rows)
        return [Circle(*row) for row in rows[-MAX_CIRCLES:]]


def _is_circle(row) -> bool:
    if not isinstance(row, list) or len(row) != 4:
        return False
    tag, epochs, spoken, until_s = row
    if not isinstance(epochs, list) or not 0 < len(epochs) <= MAX_EPOCHS:
        return False
    for pair in epochs if spoken is None else epochs + [spoken]:
        if not isinstance(pair, list) or len(pair) != 2 or not _is_number(pair[0], 1 << 31):
            return False
        if not isinstance(pair[1], bytes) or len(pair[1]) != _KEYS_BYTES:
            return False
    return _is_number(tag, 1 << 16) and (until_s is None or _is_number(until_s, 1 << 40))


def _is_number(value, limit) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < limit
