"""Carries the exchange over a radio: listens, answers, says HELLO in its turn. Decides nothing about bundles."""

import asyncio
import os


class RadioTask:
    def __init__(self, radio, exchange, clock, journal, hello_ms):
        self.radio = radio
        self._exchange = exchange
        self._clock = clock
        self._journal = journal
        self._hello_ms = hello_ms

    async def listen(self, promise):
        while True:
            promise(600000)  # silence on the air is no failure of ours
            frame, rssi_dbm = await self.radio.receive()
            if frame is None:
                continue
            clock = self._clock
            self._send(self._exchange.on_frame(frame, clock.uptime_ms(), clock.uptime_s(), rssi_dbm))
            await asyncio.sleep_ms(0)

    async def speak(self, promise):
        # Neighbours that were switched on together must not talk at the same moment for ever.
        wait_ms = self._hello_ms * (128 + os.urandom(1)[0] // 2) // 256
        while True:
            promise(wait_ms + 30000)
            await asyncio.sleep_ms(min(wait_ms, 1000))
            wait_ms -= 1000
            clock = self._clock
            self._send(self._exchange.tick(clock.uptime_ms(), clock.uptime_s()))
            if wait_ms <= 0:
                self._send([self._exchange.hello(clock.uptime_s())])
                wait_ms = self._hello_ms * (192 + os.urandom(1)[0] // 2) // 256

    def _send(self, frames):
        for frame in frames:
            self.radio.send(frame)
