"""Runs the application, which restarts the board when it fails. `/dev` (hedgerow dev) leaves the prompt to a person."""

import gc
import os

import micropython


def _in_dev_mode():
    try:
        os.stat("/dev")
        return True
    except OSError:
        return False


def _application():
    # Loading a module leaves a hole where its file buffer was. Collecting often lets the next module fill it: the
    # largest free stretch of a small heap afterwards is four times what it is without.
    gc.threshold(4096)
    try:
        from hedgenode import app
    except (ImportError, ValueError) as e:  # ValueError: compiled for another MicroPython
        print("Hedgerow: the firmware on this board is not complete or not for this MicroPython (%s)." % e)
        print("`hedgerow provision` installs it again.")
        return None
    gc.threshold(16384)
    return app


def _run():
    # A host may ask while the modules load, and its frame may contain a 0x03: that must not leave a node at its
    # prompt. Nothing is lost; the application reads it all, and a Ctrl-C between frames interrupts it then.
    micropython.kbd_intr(-1)
    try:
        app = _application()
        if app is not None:
            app.main()
    finally:
        micropython.kbd_intr(3)


if _in_dev_mode():
    print("Hedgerow: dev mode, the application is off until this board is power-cycled.")
else:
    _run()
