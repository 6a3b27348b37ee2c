"""aioespnow as the ESP32 firmware brings it: the same radio, awaited."""

from asyncio import core

import espnow


class AIOESPNow(espnow.ESPNow):
    async def arecv(self):
        while True:
            yield core._io_queue.queue_read(self)
            peer, message = self.recv(0)
            if peer is not None:
                return [peer, message]

    async def airecv(self):
        while True:
            yield core._io_queue.queue_read(self)
            if self.recvinto(self._buffers, 0):
                return self._buffers

    async def asend(self, mac, message=None, sync=None):
        return self.send(mac, message, True if sync is None else sync)

    def __aiter__(self):
        return self

    async def __anext__(self):
        return await self.airecv()
