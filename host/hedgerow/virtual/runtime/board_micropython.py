"""micropython as on a board: kbd_intr is the console's (the computer's would let a Ctrl-C kill the process)."""

import _console
from micropython import *  # noqa: F403

kbd_intr = _console.kbd_intr  # an assignment: two imports could be sorted, and the wrong one would win
