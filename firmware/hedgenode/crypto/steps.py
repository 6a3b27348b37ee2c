"""Runs long mathematics in small steps. Knows how to drive a generator, not what it computes.

A function whose name ends in `_steps` is a generator: it yields None whenever 10 to 50 ms of a Pico's time have
gone, and returns its result. A caller with nothing else to do uses `finish`; a task uses `finish_politely`, so that
the radio and the watchdog are served in between.
"""

import asyncio
import gc
import sys

_ON_A_BOARD = sys.implementation.name == "micropython"
_USUAL_THRESHOLD_BYTES = 65536  # as main.py sets it
_ALIVE_EVERY = 8  # steps: 0.1 to 0.4 s of a Pico


def finish(steps):
    """Run steps to their end without a pause and return their result."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


async def finish_politely(steps, alive=None):
    """Run steps to their end, letting every other task run in between, and return their result.

    `alive()` is called now and then: somebody may wait for what comes of it.
    """
    count = 0
    _collect_rarely(1)
    try:
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return end.value
            count += 1
            if alive is not None and count % _ALIVE_EVERY == 0:
                alive()
            await asyncio.sleep(0)
    finally:
        _collect_rarely(-1)


_at_work = 0


def _collect_rarely(more):
    """Long numbers are short-lived: collecting whenever the heap's usual share is used would take half of the time."""
    global _at_work
    _at_work += more
    if _ON_A_BOARD:
        gc.threshold(-1 if _at_work else _USUAL_THRESHOLD_BYTES)
