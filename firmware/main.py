"""Runs the application, which restarts the board when it fails. `/dev` (hedgerow dev) leaves the prompt to a person."""

import micropython

micropython.kbd_intr(-1)  # until it is clear who listens; see boot.py

import gc  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402


def _in_dev_mode():
    try:
        os.stat("/dev")
        return True
    except OSError:
        return False


def _application():
    # Loading a module leaves a hole where its file buffer was. Collecting often lets the next module fill it: the
    # largest free stretch of a small heap afterwards is several times what it is without. Twice as often would start a
    # Pico half a second later.
    gc.threshold(8192)
    try:
        from hedgenode import app, assembly  # noqa: F401 - app reads it again, but what is missing is to show here
    except (ImportError, ValueError) as e:  # ValueError: compiled for another MicroPython
        print("Hedgerow: the firmware on this board is not complete or not for this MicroPython (%s)." % e)
        print("`hedgerow provision` installs it again.")
        return None
    gc.threshold(65536)
    return app


def _give_up_trial(why):
    """Restart into what stood before, where this slot is on trial: one that does not start is not tried again."""
    slots = sys.modules.get("slots")  # boot.py leaves it there during a trial only
    if slots is None:
        return
    import machine

    print("Hedgerow: the new release does not start (%s); this node goes back to the one before." % why)
    slots.settle(False)
    machine.reset()


def _run():
    if _in_dev_mode():
        print("Hedgerow: dev mode, the application is off until this board is power-cycled.")
        return
    # What comes while the modules load is kept: the application reads it, and a Ctrl-C between frames interrupts it.
    try:
        app = _application()
        started = app is not None and app.main() is not False
    except Exception as e:
        _give_up_trial(repr(e))
        raise
    if not started:
        _give_up_trial("see above")


try:
    _run()
finally:
    micropython.kbd_intr(3)
