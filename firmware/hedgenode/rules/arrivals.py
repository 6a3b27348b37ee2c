"""Which messages of which sources were taken already, by their counters. Knows no key, no file and no message.

A message may be weeks on its way and be overtaken by hundreds, so the window is wide. What is older than the window
counts as taken. Sources are few and forgotten in the order in which they were last heard.
"""

WINDOW = 256  # counters below the highest of a source that may still come
MAX_SOURCES = 64
_BITS_BYTES = WINDOW // 8
ROW_BYTES = 6 + 4 + _BITS_BYTES


class _Source:
    def __init__(self, highest, seen):
        self.highest = highest
        self.seen = seen  # bit i: the counter `highest - i` was taken
        self.turn = 0


class Arrivals:
    """Ask `is_new` before a message is trusted, `take` once it is found good: a stranger must not move the window."""

    def __init__(self):
        self._sources = {}
        self._turn = 0
        self.taken = 0  # since the last to_bytes()

    def is_new(self, source: int, counter: int) -> bool:
        known = self._sources.get(source)
        if known is None or counter > known.highest:
            return True
        behind = known.highest - counter
        return behind < WINDOW and not known.seen >> behind & 1

    def take(self, source: int, counter: int) -> None:
        """Never take one that is not new."""
        known = self._sources.get(source)
        if known is None:
            if len(self._sources) >= MAX_SOURCES:
                del self._sources[min(self._sources, key=lambda one: self._sources[one].turn)]
            known = self._sources[source] = _Source(counter, 1)
        elif counter > known.highest:
            ahead = counter - known.highest
            known.seen = (known.seen << ahead | 1) & ((1 << WINDOW) - 1) if ahead < WINDOW else 1
            known.highest = counter
        else:
            known.seen |= 1 << known.highest - counter
        self._turn += 1
        known.turn = self._turn
        self.taken += 1

    def to_bytes(self) -> bytes:
        """For flash, the source that was silent longest first."""
        out = b""
        for source in sorted(self._sources, key=lambda one: self._sources[one].turn):
            known = self._sources[source]
            out += source.to_bytes(6, "big") + known.highest.to_bytes(4, "big")
            out += known.seen.to_bytes(_BITS_BYTES, "big")
        self.taken = 0
        return out

    def from_bytes(self, data: bytes) -> None:
        """Take what to_bytes gave."""
        for at in range(0, len(data) - ROW_BYTES + 1, ROW_BYTES):
            row = data[at : at + ROW_BYTES]
            known = _Source(int.from_bytes(row[6:10], "big"), int.from_bytes(row[10:], "big"))
            self._turn += 1
            known.turn = self._turn
            self._sources[int.from_bytes(row[:6], "big")] = known
