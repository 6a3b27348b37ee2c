"""Runs long mathematics in small steps. Knows how to drive a generator, not what it computes.

A function whose name ends in `_steps` is a generator: it yields None whenever 10 to 50 ms of a Pico's time have
gone, and returns its result. A caller with nothing else to do uses `finish`; a task uses `finish_politely`, so that
the radio and the watchdog are served in between.
"""

import asyncio


def finish(steps):
    """Run steps to their end without a pause and return their result."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


async def finish_politely(steps):
    """Run steps to their end, letting every other task run in between, and return their result."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value
        await asyncio.sleep(0)
