"""Carries exchanges over a radio: listens, answers, says HELLO in its turn. Decides nothing about bundles.

There is an exchange for each circle of nodes that share keys (crypto/linksec.py): the own fleet, and those with whom it
shares the public layer only. Nothing leaves or enters but under one of their keys, unless the fleet keeps the air open.
"""

import asyncio
import os

from micropython import const

_POLL_MS = const(10)
_TICK_MS = const(1000)
_PROMISE_MS = const(5000)
_MAX_OUTBOX = const(8)
_PATIENCE = const(5)  # times that a radio with full buffers is asked to take the same frame
_GUESTS_EVERY = const(4)  # of our HELLOs goes to circles other than our own fleet


class RadioTask:
    """`radio` has send(frame) -> bool and receive() -> (frame, rssi_dbm) or None, both at once, and counts `lost`.

    `exchange` is that of the own fleet. `keys` is a RadioKeys, or None: then messages travel as they are.
    """

    def __init__(self, radio, keys, exchange, clock, hello_ms):
        self.radio = radio
        self._keys = keys
        self._exchange = exchange
        self._clock = clock
        self._hello_ms = hello_ms
        self._outbox = []

    def say(self, message) -> None:
        """Have a link message sent in our next turn, within a second. What is too much is lost, as on the air."""
        if len(self._outbox) < _MAX_OUTBOX:
            self._outbox.append(message)

    async def listen(self, promise):
        """Take what comes and answer it. Silence on the air is no failure of ours."""
        while True:
            promise(_PROMISE_MS)
            heard = self.radio.receive()
            if heard is None:
                await asyncio.sleep_ms(_POLL_MS)
                continue
            message, exchange = heard[0], self._exchange
            if self._keys is not None:
                message, exchange = self._keys.open(heard[0])
            if message is not None:
                now_ms, now_s = self._clock.uptime_ms(), self._clock.uptime_s()
                await self._send(exchange.on_frame(message, now_ms, now_s, heard[1]))
            await asyncio.sleep_ms(0)

    async def speak(self, promise):
        """Repeat what was not answered, and greet."""
        # Neighbours that were switched on together must not talk at the same moment for ever.
        wait_ms = self._hello_ms * (128 + os.urandom(1)[0] // 2) // 256
        turns = 0
        while True:
            promise(_PROMISE_MS)
            step_ms = min(wait_ms, _TICK_MS)
            await asyncio.sleep_ms(step_ms)
            wait_ms -= step_ms
            now_ms, now_s = self._clock.uptime_ms(), self._clock.uptime_s()
            exchanges = [self._exchange]
            if self._keys is not None:
                self._keys.refresh()
                exchanges += self._keys.guests
            for exchange in exchanges:
                await self._send(exchange.tick(now_ms, now_s))
            waiting, self._outbox = self._outbox, []
            await self._send(waiting)
            if wait_ms <= 0:
                for exchange in exchanges[:1] if turns % _GUESTS_EVERY else exchanges:
                    await self._send([exchange.hello(now_s)])
                turns += 1
                wait_ms = self._hello_ms * (192 + os.urandom(1)[0] // 2) // 256

    async def _send(self, messages):
        """One after the other, at the pace of the radio. What it refuses for good is lost like any other frame."""
        for message in messages:
            try:
                frame = message if self._keys is None else self._keys.security.secure(message)
            except OSError:  # flash is full: better mute than a counter that comes twice
                frame = None
                self.radio.lost += 1
            if frame is None:
                continue  # without a key of its fleet a node is mute as well
            for _ in range(_PATIENCE):
                if self.radio.send(frame):
                    break
                await asyncio.sleep_ms(_POLL_MS)
            else:
                self.radio.lost += 1
