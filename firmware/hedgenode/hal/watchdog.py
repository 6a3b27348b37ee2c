"""The hardware watchdog and who feeds it: the application by promises kept, or a person at the prompt for a while."""

import machine
from micropython import const

TIMEOUT_MS = 8000  # the RP2040's counter reaches 8,388 ms at most (data sheet 4.7)
HOLD_MS = 900000  # a forgotten prompt gives the node back to its neighbours after a quarter of an hour
_HOLD_STEP_MS = const(2000)
_RP2040_WATCHDOG_CTRL = const(0x40058000)  # data sheet 4.7.6
_RP2040_WATCHDOG_ENABLE = const(1 << 30)
_ARMED = b"hedgerow watchdog"

_wdt: "machine.WDT | None" = None
_timer: "machine.Timer | None" = None
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
        feed()
    else:
        machine.reset()


def _armed_before_soft_reset():
    """Whether the hardware still counts: a soft reset forgets the variable, not the counter."""
    memory = _kept_memory()
    if memory is None:
        return bool(machine.mem32[_RP2040_WATCHDOG_CTRL] & _RP2040_WATCHDOG_ENABLE)
    if machine.reset_cause() == machine.SOFT_RESET:
        return memory() == _ARMED
    _remember(b"")  # any other reset stopped the watchdog, but left the mark
    return False


def _remember(mark):
    memory = _kept_memory()
    if memory is not None and memory() != mark:
        memory(mark)


def _kept_memory():
    """The ESP32 has no register to ask, but RTC memory that survives every reset but loss of power; others None."""
    return getattr(machine.RTC(), "memory", None)


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
