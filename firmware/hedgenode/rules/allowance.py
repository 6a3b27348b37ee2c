"""How often something may be done that costs others: so often at once, and once more whenever some time has gone."""


class Allowance:
    """`most` at once; one more every `every_s` seconds. Time is seconds of one clock, which never goes back."""

    def __init__(self, most: int, every_s: int):
        self._most = most
        self._every_s = every_s
        self._left = most
        self._since_s = 0

    def take(self, now_s: int) -> bool:
        """Whether it may be done now; then it counts."""
        if self._left == self._most:
            self._since_s = now_s  # a full one saves nothing up
        gained = (now_s - self._since_s) // self._every_s
        self._left = min(self._most, self._left + gained)
        self._since_s += gained * self._every_s
        if not self._left:
            return False
        self._left -= 1
        return True
