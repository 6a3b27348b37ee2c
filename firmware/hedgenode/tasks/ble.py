"""The door over Bluetooth: found by those who know the fleet, heard after a knock, then frames as on the cable.

One visitor at a time. Knows no radio and no method: `air` is hal.ble.Peripheral, `door` answers.
"""

import asyncio
import os

from micropython import const

from hedgewire import beacon, frame

INTERVAL_MS = 500  # between two advertisements: found within seconds, some ten microamperes of a radio that sleeps
ROTATE_MS = 600000  # so long at most one nonce, and with it one address, is on the air
KNOCK_MS = 5000  # a visitor without a knock is shown out
QUIET_MS = 60000  # and one that has asked nothing for so long: the next one shall find the door free
MAX_FRAME_BYTES = 3072
_POLL_MS = const(20)
_LIVELY_POLL_MS = const(1)  # while one question follows the other
_LIVELY_MS = const(100)
_ABSENT_POLL_MS = const(200)
_PROMISE_MS = const(5000)
_ANSWER_PROMISE_MS = const(120000)
_TELL_EVERY_BYTES = const(512)


class BleTask:
    """`fleet` and `public` are what the hints are made of; `plan` (rules/power.py) says whether the battery of
    `hardware` is good for more than the node's own messages."""

    def __init__(self, air, door, fleet, public, hardware, plan):
        self._air = air
        self._door = door
        self._fleet = fleet
        self._public = public
        self._hardware = hardware
        self._plan = plan
        self.strangers = 0  # visitors that did not know how to knock

    async def run(self, promise):
        while True:
            nonce = os.urandom(beacon.NONCE_BYTES)
            if self._plan(self._hardware.battery_mv(), None, ROTATE_MS).may_relay:
                self._air.forget()
                self._air.advertise(beacon.advertisement(self._fleet, self._public, nonce), INTERVAL_MS)
            else:
                self._air.hide()
            if await self._is_visited(promise):
                if await self._knocked(nonce, promise):
                    await self._serve(promise)
                else:
                    self.strangers += 1
                self._air.drop()

    async def _is_visited(self, promise):
        """Whether somebody came before the nonce is too old."""
        waited_ms = 0
        while self._air.connection is None and waited_ms < ROTATE_MS:
            promise(_PROMISE_MS)
            await asyncio.sleep_ms(_ABSENT_POLL_MS)
            waited_ms += _ABSENT_POLL_MS
        return self._air.connection is not None

    async def _knocked(self, nonce, promise):
        """Whether the first bytes are the knock, and nothing but it: the next ones wait until that was answered."""
        heard = b""
        waited_ms = 0
        while self._air.connection is not None and waited_ms < KNOCK_MS:
            promise(_PROMISE_MS)
            heard += self._air.read()
            if len(heard) >= beacon.KNOCK_BYTES:
                return heard == beacon.knock(self._fleet, self._public, nonce) and self._air.tell_taken(0)
            await asyncio.sleep_ms(_POLL_MS)
            waited_ms += _POLL_MS
        return False

    async def _serve(self, promise):
        """Answer one request after the other. Meanwhile the visitor's bytes wait, and it waits with them."""
        decoder = frame.Decoder(MAX_FRAME_BYTES)
        here = [True]

        def send(kind, payload):
            if here:  # what follows the log is told for a while, and the next visitor is another one
                self._air.write(frame.encode(kind, payload))

        taken = told = quiet_ms = 0
        while self._air.connection is not None and quiet_ms < QUIET_MS:
            promise(_PROMISE_MS)
            data = self._air.read()
            if not data:
                pause_ms = _LIVELY_POLL_MS if quiet_ms < _LIVELY_MS else _POLL_MS
                await asyncio.sleep_ms(pause_ms)
                quiet_ms += pause_ms
                continue
            quiet_ms = 0
            taken += len(data)
            if taken - told >= _TELL_EVERY_BYTES:
                told = taken
                self._air.tell_taken(taken)
            for kind, payload in decoder.feed(data):
                if kind == frame.REQUEST or kind == frame.SEALED:
                    promise(_ANSWER_PROMISE_MS)
                    await self._door.handle(kind, payload, send)
            await asyncio.sleep_ms(0)
        here.clear()

    def close(self):
        """Be found no more, and leave the radio off."""
        self._air.close()
