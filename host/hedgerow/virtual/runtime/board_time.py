"""time as on a board: ticks and sleeps are real, the calendar is the virtual clock's (`_clock`)."""

import _clock
from _clock import gmtime, mktime  # noqa: F401
from utime import sleep, sleep_ms, sleep_us, ticks_add, ticks_cpu, ticks_diff, ticks_ms, ticks_us  # noqa: F401


def time():
    return int(_clock.now()) - _clock.EPOCH


def time_ns():
    return int((_clock.now() - _clock.EPOCH) * 1000) * 1000000


def localtime(seconds=None):
    return gmtime(seconds)
