"""Link frames over three wires to one other node: COBS frames on a UART. Knows no routing, and has no signal strength.

Pins stand in board.py: NEIGHBOUR = (UART, TX, RX). TX goes to the other's RX, and ground to ground.
"""

import time

import machine
from micropython import const

from hedgewire import frame

NEEDS = "espnow"  # boards without it carry no exchange yet
MAX_FRAME_BYTES = 250
BAUD = 115_200
_BITS = const(10)  # of a byte, with start and stop
_OUT_BYTES = const(1024)  # the driver's own buffers
_IN_BYTES = const(4096)  # a third of a second, in which a node may write to flash
_AHEAD_MS = const(40)  # so much may wait in the buffer: enough that the line never pauses, little enough to answer soon
_SILENCE_MS = const(100)


class Radio:
    """`sent`, `received` and `lost` count frames; what is lost, its owner counts."""

    def __init__(self, channel):
        import board  # what a node without this bearer does not have loaded here

        uart, tx, rx = board.NEIGHBOUR
        self._uart = machine.UART(uart, BAUD, tx=tx, rx=rx, txbuf=_OUT_BYTES, rxbuf=_IN_BYTES)
        self._decoder = frame.Decoder(MAX_FRAME_BYTES)
        self._heard = []
        self._heard_at = self._free_at = time.ticks_ms()
        self.sent = self.received = self.lost = 0

    def send(self, message) -> bool:
        """Hand one frame to the UART, without waiting; False while enough waits there."""
        now = time.ticks_ms()
        if time.ticks_diff(self._free_at, now) > _AHEAD_MS:
            return False
        data = frame.encode(frame.LINK, message)
        if self._uart.write(data) != len(data):
            return False  # a part of it: to the other side it is damage
        if time.ticks_diff(self._free_at, now) < 0:
            self._free_at = now
        self._free_at = time.ticks_add(self._free_at, len(data) * _BITS * 1000 // BAUD)
        self.sent += 1
        return True

    def receive(self) -> "tuple | None":
        """(frame, None) of a frame that has come, or None."""
        if not self._heard:
            self._read()
        if not self._heard:
            return None
        self.received += 1
        return self._heard.pop(0), None

    def _read(self):
        now = time.ticks_ms()
        data = self._uart.read(256) if self._uart.any() else None
        if data:
            self._heard_at = now
            parts = self._decoder.feed(data)
            self._heard = [payload for kind, payload in parts if kind == frame.LINK and len(payload) <= MAX_FRAME_BYTES]
        elif self._decoder.in_frame and time.ticks_diff(now, self._heard_at) > _SILENCE_MS:
            self._decoder.idle()  # what was torn is damage, and the next frame is whole

    def close(self):
        self._uart.deinit()
