"""Gives CPython the few names of MicroPython that hedgenode.tasks uses. Import it first; there it does nothing."""

import asyncio
import sys

if sys.implementation.name != "micropython":

    class _MicroPython:
        @staticmethod
        def const(value):
            return value

    def _sleep_ms(milliseconds):
        return asyncio.sleep(milliseconds / 1000)

    sys.modules.setdefault("micropython", _MicroPython)
    asyncio.sleep_ms = _sleep_ms


def run(story, within_s=5):
    """Run a coroutine to its end, with a bound."""
    return asyncio.run(asyncio.wait_for(story, within_s))
