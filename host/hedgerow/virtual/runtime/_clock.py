"""Knows the virtual clock: a calendar that may run faster than real time. Ticks never do, and are the computer's:
asyncio takes some of them from below any shim.

Seconds in here count from 1970; `EPOCH` is what the board's own `time` counts from (2000 on an ESP32).
The computer's monotonic clock is shared with the host process, so both agree on when power came on.
"""

import _facts
import utime

EPOCH = 946684800 if _facts.facts["platform"] == "esp32" else 0
_UNSET = 946684800 if _facts.facts["platform"] == "esp32" else 1609459200  # what a chip says before it was set
_RATE = _facts.facts["rate"]
# The calendar: these seconds since 1970, at this moment of the monotonic clock. Kept by the host over resets.
_base = _facts.facts["rtc"] or [_UNSET, _facts.facts["powered_on_ms"] / 1000]


def now():
    """Seconds since 1970 by the virtual clock."""
    return _base[0] + (utime.ticks_us() / 1000000 - _base[1]) * _RATE


def set_now(seconds):
    """As the board is told; but a clock at another speed is the weather's, like one that a satellite sets again."""
    global _base
    if _RATE != 1:
        return
    _base = [seconds, utime.ticks_us() / 1000000]
    _facts.tell("rtc", _base)


def gmtime(seconds=None):
    return utime.gmtime(int(now()) if seconds is None else seconds + EPOCH)[:8]


def mktime(date):
    """Seconds of the board's own count for (year, month, day, hour, minute, second, ...)."""
    return seconds_of(*date[:6]) - EPOCH


def seconds_of(year, month, day, hour=0, minute=0, second=0):
    """Seconds since 1970; the Gregorian calendar counted from the first of March."""
    if month <= 2:
        year, month = year - 1, month + 12
    days = 365 * year + year // 4 - year // 100 + year // 400 + (153 * (month - 3) + 2) // 5 + day - 719469
    return ((days * 24 + hour) * 60 + minute) * 60 + second
