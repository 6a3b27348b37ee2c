"""Knows how to wait for a mark in a stream of bytes, always for a bounded time; knows no protocol."""

import asyncio
import time

from hedgerow.transports import Transport


class Stream:
    """A buffer over a Transport. What a wait did not use stays for the next one."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self._unread = bytearray()

    async def send(self, data: bytes) -> None:
        await self.transport.send(data)

    async def until(self, mark: bytes, within_s: float) -> bytes | None:
        """Everything up to and with `mark`; None if it has not come in time (`seen` says what has)."""
        end = time.monotonic() + within_s
        start = 0
        while (at := self._unread.find(mark, start)) < 0:
            start = max(0, len(self._unread) - len(mark) + 1)
            if not await self._more(end):
                return None
        return self._take(at + len(mark))

    async def exactly(self, count: int, within_s: float) -> bytes | None:
        """The next `count` bytes; None if fewer have come in time."""
        end = time.monotonic() + within_s
        while len(self._unread) < count:
            if not await self._more(end):
                return None
        return self._take(count)

    async def quiet(self, silent_s: float, at_most_s: float) -> bytes:
        """Everything that comes until the line is silent for `silent_s`, but for no longer than `at_most_s`."""
        end = time.monotonic() + at_most_s
        while await self._more(min(end, time.monotonic() + silent_s)):
            pass
        return self._take(len(self._unread))

    def at_hand(self) -> bytes:
        """What has been read already and not used."""
        return self._take(len(self._unread))

    @property
    def seen(self) -> bytes:
        """The same without using it up, for an error message."""
        return bytes(self._unread)

    async def _more(self, end: float) -> bool:
        remaining = end - time.monotonic()
        if remaining <= 0:
            return False
        try:
            async with asyncio.timeout(remaining):
                self._unread += await self.transport.receive()
        except TimeoutError:
            return False
        return True

    def _take(self, count: int) -> bytes:
        taken = bytes(self._unread[:count])
        del self._unread[:count]
        return taken
