"""The hardware watchdog and who feeds it: the application by promises kept, or a person at the prompt for a while."""

import sys

import machine
from micropython import const

TIMEOUT_MS = const(8000)  # the RP2040's counter reaches 8,388 ms at most (data sheet 4.7)
HOLD_MS = const(900000)  # a forgotten prompt gives the node back to its neighbours after a quarter of an hour
_HOLD_STEP_MS = const(2000)
_RP2040_WATCHDOG_CTRL = const(0x40058000)  # data sheet 4.7.6
_RP2040_WATCHDOG_ENABLE = const(1 << 30)
_ARMED = b"hedgerow watchdog"

_wdt = None
_timer = None
_held_ms = 0


def arm():
    """Start the watchdog; it cannot be stopped again before the next reset."""
    global _wdt
    release()
    if _wdt is None:
        _wdt = machine.WDT(timeout=TIMEOUT_MS)
        _remember(_ARMED)
    _wdt.feed()


def feed():
    if _wdt is not None:
        _wdt.feed()


def release():
    """The application takes over: from here on only `feed` counts."""
    global _timer
    if _timer is not None:
        _timer.deinit()
        _timer = None


def _hold_step(_):
    global _held_ms
    _held_ms += _HOLD_STEP_MS
    if _held_ms <= HOLD_MS:
        _wdt.feed()
    else:
        machine.reset()  # also where the watchdog was never armed


def _armed_before_soft_reset():
    """Whether the hardware still counts; a soft reset forgets the variable, not the counter."""
    if _wdt is not None:
        return True
    if sys.platform == "rp2":
        return bool(machine.mem32[_RP2040_WATCHDOG_CTRL] & _RP2040_WATCHDOG_ENABLE)
    return machine.RTC().memory() == _ARMED


def _remember(mark):
    if sys.platform != "rp2":  # the ESP32's RTC memory survives every reset but loss of power
        machine.RTC().memory(mark)


def forget():
    """Before a restart into dev mode: nothing is armed then, so nothing is to be held."""
    _remember(b"")


def hold_at_prompt():
    """Keep a running watchdog fed from a timer while somebody works at the prompt, at most HOLD_MS."""
    global _wdt, _timer, _held_ms
    if _wdt is None:
        if not _armed_before_soft_reset():
            return
        _wdt = machine.WDT(timeout=TIMEOUT_MS)
    _held_ms = 0
    _wdt.feed()
    if _timer is None:
        _timer = machine.Timer(-1)
        _timer.init(period=_HOLD_STEP_MS, mode=machine.Timer.PERIODIC, callback=_hold_step)
