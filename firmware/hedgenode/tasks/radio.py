"""Carries the exchange over a radio: listens, answers, says HELLO in its turn. Decides nothing about bundles."""

import asyncio
import os

from micropython import const

_POLL_MS = const(10)
_TICK_MS = const(1000)
_PROMISE_MS = const(5000)
_MAX_OUTBOX = const(8)
_PATIENCE = const(5)  # times that a radio with full buffers is asked to take the same frame


class RadioTask:
    """`radio` has send(frame) -> bool and receive() -> (frame, rssi_dbm) or None, both at once, and counts `lost`."""

    def __init__(self, radio, exchange, clock, hello_ms):
        self.radio = radio
        self._exchange = exchange
        self._clock = clock
        self._hello_ms = hello_ms
        self._outbox = []

    def say(self, frame) -> None:
        """Have a frame sent in our next turn, within a second. What is too much is lost, as on the air."""
        if len(self._outbox) < _MAX_OUTBOX:
            self._outbox.append(frame)

    async def listen(self, promise):
        """Take what comes and answer it. Silence on the air is no failure of ours."""
        while True:
            promise(_PROMISE_MS)
            heard = self.radio.receive()
            if heard is None:
                await asyncio.sleep_ms(_POLL_MS)
                continue
            frame, rssi_dbm = heard
            clock = self._clock
            await self._send(self._exchange.on_frame(frame, clock.uptime_ms(), clock.uptime_s(), rssi_dbm))
            await asyncio.sleep_ms(0)

    async def speak(self, promise):
        """Repeat what was not answered, and greet."""
        # Neighbours that were switched on together must not talk at the same moment for ever.
        wait_ms = self._hello_ms * (128 + os.urandom(1)[0] // 2) // 256
        while True:
            promise(_PROMISE_MS)
            step_ms = min(wait_ms, _TICK_MS)
            await asyncio.sleep_ms(step_ms)
            wait_ms -= step_ms
            clock = self._clock
            await self._send(self._exchange.tick(clock.uptime_ms(), clock.uptime_s()))
            waiting, self._outbox = self._outbox, []
            await self._send(waiting)
            if wait_ms <= 0:
                await self._send([self._exchange.hello(clock.uptime_s())])
                wait_ms = self._hello_ms * (192 + os.urandom(1)[0] // 2) // 256

    async def _send(self, frames):
        """One after the other, at the pace of the radio. A frame that it refuses for good is lost like any other."""
        for frame in frames:
            for _ in range(_PATIENCE):
                if self.radio.send(frame):
                    break
                await asyncio.sleep_ms(_POLL_MS)
            else:
                self.radio.lost += 1
