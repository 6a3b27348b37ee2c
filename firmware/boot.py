"""Runs first on every boot: picks the slot, guards the prompt. Knows nothing of the application."""

import micropython

# First of all: until then a Ctrl-C gives the prompt, on a node whose console is locked, too. And a host may ask while
# the board starts, and its frame may contain a 0x03: that must not leave a node at its prompt.
# main.py, or the prompt, listens again.
micropython.kbd_intr(-1)

import os  # noqa: E402
import sys  # noqa: E402


def _slot():
    """The slot that boots. The module `slots` stays loaded only while that one is on trial: so the others know."""
    names = os.listdir("/")
    if "slots.0" not in names and "slots.1" not in names:
        return "/a"  # never updated: reading `slots` would cost a Pico a quarter of a second for nothing
    try:
        import slots
    except ImportError:
        return "/a"  # a node that was provisioned before there were two
    path, on_trial = slots.start()
    if on_trial:
        slots.watch()
    else:
        del sys.modules["slots"]
    return path


sys.path.insert(0, _slot())


def _end_dev_mode_after_power_off():
    import machine

    if machine.reset_cause() == machine.PWRON_RESET:
        try:
            os.remove("/dev")
        except OSError:
            pass  # the usual case: nobody asked for dev mode


def _hold_the_watchdog():
    # A hardware watchdog outlives a soft reset: whoever works at the prompt would be thrown out within seconds.
    try:
        from hedgenode.hal import watchdog
    except (ImportError, ValueError):
        return  # a bare board, or a slot that is being written
    watchdog.hold_at_prompt()


_end_dev_mode_after_power_off()
_hold_the_watchdog()
del _end_dev_mode_after_power_off, _hold_the_watchdog, _slot
