"""Who said to be back by when. The watchdog is fed while all promises are kept. Knows ticks, no clock and no task.

Ticks are milliseconds modulo 2**30, as MicroPython's ticks_ms counts on the boards; other periods that 2**30 divides
give the same answers. A promise reaches at most six days ahead.
"""

_MASK = (1 << 30) - 1
_HALF = 1 << 29
MAX_AHEAD_MS = _HALF - 1


def ticks_after(later: int, earlier: int) -> int:
    """How far `later` is after `earlier`, negative if before; all steps stay small integers on a board."""
    return (((later - earlier) & _MASK) ^ _HALF) - _HALF


class Promises:
    def __init__(self):
        self._due = {}

    def promise(self, name: str, now_ticks: int, within_ms: int) -> None:
        """`name` will promise again within that time; replaces its earlier promise."""
        self._due[name] = (now_ticks + min(within_ms, MAX_AHEAD_MS)) & _MASK

    def release(self, name: str) -> None:
        """`name` has ended on purpose and owes nothing."""
        self._due.pop(name, None)

    def overdue(self, now_ticks: int) -> "str | None":
        """Who broke a promise (the one longest overdue), or None. Ask more often than every six days."""
        late = None
        most = 0
        for name, due in self._due.items():
            by = ticks_after(now_ticks & _MASK, due)
            if by > most or (by == most and by > 0 and late is not None and name < late):
                late = name
                most = by
        return late
