"""Knows in which order a board comes up; runs inside MicroPython and turns its process into the board.

`hedgerow.virtual.board` starts it and tells it the facts over a line of their own. Everything is imported while
the host's files are still in sight; after that only the board's own flash is.
"""

import gc
import sys

_HERE = sys.path[0]
sys.path[:] = [_HERE, ".frozen"]

import _facts

_facts.open_line()

import _console
import _features
import _flash
import _repl


def _settled(step):
    """Run one step of the console; an interrupt that slips through between two programs starts the next step."""
    try:
        return step()
    except KeyboardInterrupt:
        _console.settle()


def run():
    _console.open_terminal()
    _features.install()
    _flash.mount(_facts.facts["image"], _facts.facts["blocks"])
    sys.path[:] = ["", ".frozen", "/lib"]
    del sys.argv[:]
    gc.collect()
    _facts.tell("up", gc.mem_alloc())
    mode = _facts.facts["mode"]
    if mode != "hard":
        _console.write("MPY: soft reboot\r\n")
    repl = _repl.Repl(raw=mode == "raw")
    _settled(repl.boot)
    while True:
        _settled(repl.serve)


run()
