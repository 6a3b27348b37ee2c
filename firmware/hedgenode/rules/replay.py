"""Which counters of one sender are still new: a sliding window (RFC 4303, 3.4.3). Knows no key and no message.

Ask `is_new` before the tag is checked, `take` after it was found good: a stranger must not move the window.
"""

WINDOW = 30  # counters below the highest that may still come late; as many bits as a small int of a board has


class ReplayWindow:
    """Counters go up from 0; each is taken once. What is older than the window counts as seen."""

    def __init__(self):
        self.highest = -1
        self._seen = 0  # bit i: the counter `highest - i` was taken

    def is_new(self, counter: int) -> bool:
        behind = self.highest - counter
        if behind < 0:
            return True
        return behind < WINDOW and not self._seen >> behind & 1

    def take(self, counter: int) -> None:
        """Never take one that is not new."""
        ahead = counter - self.highest
        if ahead > 0:
            still_inside = self._seen & ((1 << WINDOW - ahead) - 1) if ahead < WINDOW else 0
            self._seen = still_inside << min(ahead, WINDOW) | 1
            self.highest = counter
        else:
            self._seen |= 1 << -ahead
