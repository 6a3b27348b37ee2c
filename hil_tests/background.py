"""Knows how to run asyncio beside tests that are not; knows nothing of boards.

Virtual boards and sessions live in an event loop. pytest-embedded's tests are plain functions, and some of them block
(they wait for mpremote), so the loop has a thread of its own.
"""

import asyncio
import threading
from collections.abc import Coroutine
from typing import TypeVar

Result = TypeVar("Result")


class Background:
    """One event loop in one thread. `run` is called from any other thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="hil event loop", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[object, object, Result], timeout_s: float = 60.0) -> Result:
        """The coroutine's result, or TimeoutError when it takes longer than it may."""

        async def bounded() -> Result:
            return await asyncio.wait_for(work, timeout_s)

        return asyncio.run_coroutine_threadsafe(bounded(), self._loop).result()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()
