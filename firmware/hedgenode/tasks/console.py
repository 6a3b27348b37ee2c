"""The cable: frames go to administration, text is for people, Ctrl-C outside a frame stops the application."""

import asyncio

from hedgewire import frame
from micropython import const

MAX_FRAME_BYTES = 3072
_IDLE_MS = const(100)  # so long a silence says that an open frame will not be finished
_BURST_BYTES = const(256)  # after so many bytes the others get their turn
_CTRL_C = const(3)


class ConsoleTask:
    """Owns the cable while the application runs. `locked`: Ctrl-C is ignored, only frames are answered."""

    def __init__(self, cable, admin, journal, name, locked=False):
        self._cable = cable
        self._admin = admin
        self._name = name
        self._locked = locked
        self._decoder = frame.Decoder(MAX_FRAME_BYTES)
        self._burst = bytearray(_BURST_BYTES)
        self._busy = False
        self._queue = []
        self.interrupted = False
        self._journal = journal

    async def run(self, promise):
        asyncio.create_task(self._answer_requests())
        quiet_ms = 0
        while not self.interrupted:
            promise(5000)
            count = self._read()
            if count:
                quiet_ms = 0
                self._handle(self._decoder.feed(memoryview(self._burst)[:count]))
                await asyncio.sleep_ms(0)
                continue
            await asyncio.sleep_ms(5)
            quiet_ms += 5
            if quiet_ms >= _IDLE_MS and self._decoder.in_frame:
                self._handle(self._decoder.idle())

    def _read(self):
        """Fill the burst buffer, up to and including a Ctrl-C: what follows one belongs to the prompt."""
        count = 0
        while count < _BURST_BYTES:
            byte = self._cable.byte()
            if byte is None:
                break
            self._burst[count] = byte
            count += 1
            if byte == _CTRL_C:
                break
        return count

    def _handle(self, parts):
        for kind, payload in parts:
            if kind == frame.TEXT:
                self._on_text(payload)
            elif kind == frame.REQUEST:
                if len(self._queue) < 4:
                    self._queue.append(bytes(payload))

    def _on_text(self, text):
        for byte in text:
            if byte == _CTRL_C and not self._locked:
                self.interrupted = True
            elif byte == 13:
                self._cable.write(
                    b"Hedgerow node %s is running. Ctrl-C stops it and gives the MicroPython prompt.\r\n"
                    % self._name.encode()
                )

    async def _answer_requests(self):
        while True:
            while self._queue:
                await self._admin.handle(self._queue.pop(0), self._send_answer)
            await asyncio.sleep_ms(5)

    def _send_answer(self, data):
        self._cable.write(frame.encode(frame.ANSWER, data))

    def send_event(self, data):
        self._cable.write(frame.encode(frame.EVENT, data))
