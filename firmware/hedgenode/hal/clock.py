"""Time as the board has it: ticks that are right, a wall clock that may be wrong. Decides nothing."""

import time

from micropython import const

_TICKS_HALF_PERIOD_MS = const(1 << 28)
_FROM_1970_TO_2000_S = const(946684800)


class Clock:
    """Uptime that never wraps, from ticks that do; ask it at least every three days."""

    def __init__(self):
        self._last = time.ticks_ms()
        # Ports differ in when their time began: 1970 on some, 2000 on others.
        self._epoch_s = _FROM_1970_TO_2000_S if time.gmtime(0)[0] == 1970 else 0
        self._seconds = 0
        self._rest_ms = 0

    def _advance(self):
        now = time.ticks_ms()
        passed = time.ticks_diff(now, self._last)
        if passed < 0 or passed > _TICKS_HALF_PERIOD_MS:
            passed = 0
        self._last = now
        self._rest_ms += passed
        if self._rest_ms >= 1000:
            self._seconds += self._rest_ms // 1000
            self._rest_ms %= 1000

    def uptime_s(self):
        self._advance()
        return self._seconds

    def uptime_ms(self):
        """Milliseconds since start; grows past 31 bits after twelve days (then a big integer on a board)."""
        self._advance()
        return self._seconds * 1000 + self._rest_ms

    def wall_s(self):
        """Seconds since 2000-01-01 UTC (DTN time) of the wall clock: advice for people, never an input of a rule."""
        return int(time.time()) - self._epoch_s

    def set_wall_s(self, time_s):
        """Set the wall clock; it lasts until power goes, unless the board has a clock with a battery."""
        from machine import RTC

        year, month, day, hour, minute, second, weekday = time.gmtime(time_s + self._epoch_s)[:7]
        RTC().datetime((year, month, day, weekday, hour, minute, second, 0))
