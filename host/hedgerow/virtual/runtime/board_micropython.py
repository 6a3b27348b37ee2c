"""micropython as on a board: kbd_intr is the console's (the computer's would let a Ctrl-C kill the process)."""

from micropython import *  # noqa: F403

from _console import kbd_intr  # noqa: F401
