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
        self._visitors = 0
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
        is_one_too_many = self._visitors >= phone.MOST_VISITORS
        self._visitors += 1
        try:
            if is_one_too_many:
                self.turned_away += 1
                writer.write(http.head(http.UNAVAILABLE, (("Retry-After", "3"),)))
                await asyncio.wait_for(writer.drain(), 1)
            else:
                await asyncio.wait_for(self._serve(reader, writer), VISIT_MS / 1000)
        except MemoryError:
            self._node.journal.say("warning", "no memory for a phone's page")
        except (OSError, asyncio.TimeoutError):
            pass  # they are gone, or too slow: others go on
        finally:
            self._visitors -= 1
            writer.close()
            await writer.wait_closed()  # which is what closes it on MicroPython
            gc.collect()

    async def _serve(self, reader, writer):
        asked = await self._asked(reader)
        if asked is None or self._visit is None:
            return

        async def write(data):
            writer.write(data)
            await writer.drain()

        await self._visit.answer(asked, write)
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

    async def _asked(self, reader):
        """The Request or Fault that comes; None where nothing does."""
        parser = http.Reader()
        asked = None
        began_ms = self._node.clock.uptime_ms()
        within_ms = FIRST_BYTE_MS
        while asked is None:
            try:
                data = await asyncio.wait_for(reader.read(_READ_BYTES), within_ms / 1000)
            except asyncio.TimeoutError:
                return None if within_ms == FIRST_BYTE_MS else http.Fault(http.TIMEOUT)
            if not data:
                return None
            asked = parser.feed(data)
            within_ms = REQUEST_MS - (self._node.clock.uptime_ms() - began_ms)
            if asked is None and within_ms <= 0:
                return http.Fault(http.TIMEOUT)
        return asked
