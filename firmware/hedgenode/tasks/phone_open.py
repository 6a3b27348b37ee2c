"""The access point while it is open: ten minutes at most, three visitors at once, each with little time and memory.

Knows no page. Loaded at the press of the button, let go when it is shut.
"""

import asyncio
import gc

from hedgenode.rules import phone
from hedgenode.tasks.phone_visit import Visit
from hedgewire import http

PORT = 80
FIRST_BYTE_MS = 3000  # browsers open connections ahead, and then say nothing
REQUEST_MS = 8000
VISIT_MS = 20000
_READ_BYTES = 512
_SWALLOWED = 16  # times as many bytes
_SWALLOW_S = 0.3
_QUEUE_MS = 4000
_BUSY = b"Too many are here at once. Please try again in a few seconds.\n"
_TICK_MS = 200
_ENERGY_EVERY = 25  # ticks between two looks at the battery
_PROMISE_MS = 5000


class Opening:
    """`air` is hal.access_point.AccessPoint, `button` hal.button.Button."""

    def __init__(self, node, air, button):
        self._node = node
        self._air = air
        self._button = button
        self._until_ms = 0
        self._lines = 0  # connections
        self._visitors = 0  # those of them that are served
        self._visit = None
        self.turned_away = 0

    async def run(self, for_ms, promise):
        """Open, and come back when the time or the battery is at its end. OSError where the radio refuses."""
        node = self._node
        self._until_ms = node.clock.uptime_ms() + for_ms
        address = self._air.open()
        server = None
        try:
            self._visit = Visit(node, address, self._left_ms)
            server = await asyncio.start_server(self._visited, "0.0.0.0", PORT)
            node.journal.say("info", "open to phones for %d min: Wi-Fi %s" % (for_ms // 60000, self._air.name))
            await self._until_the_end(promise)
        finally:
            if server is not None:
                server.close()
            self._air.close()
            node.journal.say("info", "shut to phones")

    def _left_ms(self):
        return self._until_ms - self._node.clock.uptime_ms()

    async def _until_the_end(self, promise):
        was_pressed = True
        ticks = 0
        while self._left_ms() > 0:
            promise(_PROMISE_MS)
            await asyncio.sleep_ms(_TICK_MS)
            ticks += 1
            if ticks % _ENERGY_EVERY == 0 and not phone.stays_open(self._node.hardware.battery_mv()):
                return
            is_pressed = self._button.is_pressed()
            if is_pressed and not was_pressed:  # somebody wants it longer
                for_ms = phone.open_ms(self._node.hardware.battery_mv())
                self._until_ms = max(self._until_ms, self._node.clock.uptime_ms() + for_ms)
            was_pressed = is_pressed
            self._air.tick()

    # ---- visitors

    async def _visited(self, reader, writer):
        """One connection, from its first byte to its end. Nothing that a visitor does gets further than this."""
        self._lines += 1
        try:
            if self._lines > phone.MOST_LINES:
                await self._turn_away(writer)
            else:
                await asyncio.wait_for(self._serve(reader, writer), VISIT_MS / 1000)
        except MemoryError:
            self._node.journal.say("warning", "no memory for a phone's page")
        except (OSError, asyncio.TimeoutError):
            pass  # they are gone, or too slow: others go on
        finally:
            self._lines -= 1
            writer.close()
            await writer.wait_closed()  # which is what closes it on MicroPython
            gc.collect()

    async def _turn_away(self, writer):
        self.turned_away += 1
        said = (("Retry-After", "3"), ("Content-Type", "text/plain"), ("Refresh", "3"))
        writer.write(http.head(http.UNAVAILABLE, said) + _BUSY)
        await asyncio.wait_for(writer.drain(), 1)

    async def _serve(self, reader, writer):
        """Browsers open lines ahead, and say nothing on them: who has spoken takes a place, for that takes memory."""
        try:
            first = await asyncio.wait_for(reader.read(_READ_BYTES), FIRST_BYTE_MS / 1000)
        except asyncio.TimeoutError:
            return
        if not first or self._visit is None:
            return
        waited_ms = 0
        while self._visitors >= phone.MOST_VISITORS:
            if waited_ms >= _QUEUE_MS:
                await self._turn_away(writer)
                return
            await asyncio.sleep_ms(_TICK_MS)
            waited_ms += _TICK_MS
        self._visitors += 1
        try:
            await self._answer(self._visit, first, reader, writer)
        finally:
            self._visitors -= 1

    async def _answer(self, visit, first, reader, writer):
        asked = await self._asked(first, reader)
        if asked is None:
            return

        async def write(data):
            writer.write(data)
            await writer.drain()

        await visit.answer(asked, write)
        if isinstance(asked, http.Fault):
            await self._swallow(reader)

    async def _swallow(self, reader):
        """What is still on its way from somebody who was refused: closed upon it, the connection loses the answer."""
        for _ in range(_SWALLOWED):
            try:
                if not await asyncio.wait_for(reader.read(_READ_BYTES), _SWALLOW_S):
                    return
            except asyncio.TimeoutError:
                return

    async def _asked(self, data, reader):
        """The Request or Fault that begins with those bytes; None where the visitor leaves."""
        parser = http.Reader()
        began_ms = self._node.clock.uptime_ms()
        while data:
            asked = parser.feed(data)
            if asked is not None:
                return asked
            within_ms = REQUEST_MS - (self._node.clock.uptime_ms() - began_ms)
            if within_ms <= 0:
                return http.Fault(http.TIMEOUT)
            try:
                data = await asyncio.wait_for(reader.read(_READ_BYTES), within_ms / 1000)
            except asyncio.TimeoutError:
                return http.Fault(http.TIMEOUT)
        return None
