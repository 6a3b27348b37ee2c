"""The cable: frames go to administration, text is for people, Ctrl-C outside a frame stops the application.

Two tasks: `listen` reads the cable, `answer` works through what was asked. Owns the cable while the application runs.
"""

import asyncio

from micropython import const

from hedgewire import frame

MAX_FRAME_BYTES = 3072
MAX_WAITING = 4  # requests; what comes beyond that is asked again
_IDLE_MS = const(100)  # so long a silence says that an open frame will not be finished
_POLL_MS = const(5)
_BURST_BYTES = const(256)  # after so many bytes the others get their turn
_CTRL_C = const(3)
_ENTER = const(13)
_PROMISE_MS = const(1000)
_ANSWER_PROMISE_MS = const(120000)  # all samples of a year over a slow cable


class ConsoleTask:
    """`cable` has byte() and write(data). `door` answers frames. `locked`: Ctrl-C is ignored, only frames count."""

    def __init__(self, cable, door, name, locked=False):
        self._cable = cable
        self._door = door
        self._hint = b"Hedgerow node %s is running. " % name.encode() + (
            b"Its console is locked.\r\n" if locked else b"Ctrl-C stops it and gives the MicroPython prompt.\r\n"
        )
        self._locked = locked
        self._decoder = frame.Decoder(MAX_FRAME_BYTES)
        self._burst = bytearray(_BURST_BYTES)
        self._waiting = []
        self._asked = asyncio.Event()
        self.interrupted = False

    async def listen(self, promise):
        """Read the cable until a Ctrl-C that counts."""
        quiet_ms = 0
        while not self.interrupted:
            promise(_PROMISE_MS)
            count = self._read()
            if count:
                quiet_ms = 0
                self._handle(self._decoder.feed(memoryview(self._burst)[:count]))
                await asyncio.sleep_ms(0)
                continue
            await asyncio.sleep_ms(_POLL_MS)
            quiet_ms += _POLL_MS
            if quiet_ms >= _IDLE_MS and self._decoder.in_frame:
                self._handle(self._decoder.idle())

    async def answer(self, promise):
        """Answer one request after the other. No promise while none waits: then nothing is owed."""
        while True:
            promise(None)
            await self._asked.wait()
            self._asked.clear()
            while self._waiting:
                promise(_ANSWER_PROMISE_MS)
                kind, payload = self._waiting.pop(0)
                await self._door.handle(kind, payload, self._send)

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
            elif kind in (frame.REQUEST, frame.SEALED) and len(self._waiting) < MAX_WAITING:
                self._waiting.append((kind, payload))
                self._asked.set()

    def _on_text(self, text):
        if _CTRL_C in text and not self._locked:
            self.interrupted = True
        elif _ENTER in text:
            self._cable.write(self._hint)

    def _send(self, kind, payload):
        self._cable.write(frame.encode(kind, payload))
