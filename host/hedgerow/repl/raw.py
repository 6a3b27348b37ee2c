"""Knows MicroPython's raw REPL: how to get there, run code and get out; knows nothing of files or nodes.

Protocol: https://docs.micropython.org/en/latest/reference/repl.html ("Raw mode", "Raw-paste mode"). Control bytes:
01 enters raw mode, 02 leaves it, 03 interrupts, 04 ends a piece of code (or, with none, soft-resets the board).
"""

import asyncio
import re
import time
from types import TracebackType
from typing import Self

from hedgerow.errors import FleetError, LinkError, RemoteError
from hedgerow.repl.stream import Stream
from hedgerow.transports import Transport

RAW_BANNER = b"raw REPL; CTRL-B to exit\r\n>"
ENTER_S = 10.0
REPLY_S = 3.0  # for what a board answers at once
PLAIN_BYTES = 256  # what a board's input buffer holds: so much may come at once without flow control
PLAIN_PAUSE_S = 0.01


class BoardException(RemoteError):
    """Python on the board raised. `traceback` is what the board printed, `last_line` names the exception."""

    def __init__(self, traceback: str, *, node: str) -> None:
        lines = [line for line in traceback.strip().splitlines() if line.strip()]
        self.traceback = traceback
        self.last_line = lines[-1].strip() if lines else "an exception without a text"
        super().__init__(f"Python on the board raised {self.last_line}", node=node)

    @property
    def errno(self) -> int | None:
        """The number of an OSError, or None."""
        found = re.match(r"OSError: (?:\[Errno )?(\d+)", self.last_line)
        return int(found[1]) if found else None


class Repl:
    """The raw REPL of one board over one Transport, which the caller closes. One task at a time uses it."""

    def __init__(self, transport: Transport) -> None:
        self.name = transport.name
        self.stream = Stream(transport)
        self._pastes: bool | None = None  # None: not yet asked

    async def __aenter__(self) -> Self:
        await self.enter()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None):
        if not isinstance(error, LinkError):
            await self.leave()

    async def enter(self, within_s: float = ENTER_S) -> None:
        """Get to the raw REPL, whatever the board does now; a program that runs is stopped.

        Raises LinkError with what the board said instead, after at most `within_s`.
        """
        end = time.monotonic() + within_s
        heard = bytearray()
        attempt = 0
        while time.monotonic() < end:
            # A lone Ctrl-C, then silence: a node that runs Hedgerow ends a torn frame after 100 ms and sees the next.
            # From the second attempt on they come every 60 ms: one hits the moment in which a looping boot listens.
            for _ in range(1 if attempt == 0 else 12):
                await self.stream.send(b"\x03")
                heard += await self.stream.quiet(0.06, 0.25)
            await self.stream.send(b"\x03\x01")
            answer = await self.stream.until(RAW_BANNER, min(0.5 if attempt == 0 else 1.0, max(0.1, within_s)))
            if answer is not None and await self._agrees():
                return
            heard += answer or self.stream.at_hand()
            attempt += 1
        raise LinkError(
            "the board does not answer; " + _what_was_heard(bytes(heard)),
            node=self.name,
            next_step="Press its reset button while this command runs, or pull its power and try again.",
        )

    async def exec(self, code: str | bytes, timeout_s: float = 10.0) -> bytes:
        """Run `code` and return what it printed. Raises BoardException with the board's traceback."""
        await self.start(code)
        return await self.finish(timeout_s)

    async def start(self, code: str | bytes) -> None:
        """Hand over `code` and let it run; what it prints stands in `stream` from then on."""
        data = code.encode() if isinstance(code, str) else code
        self.stream.at_hand()
        if len(data) > PLAIN_BYTES and self._pastes is not False and await self._paste(data):
            return
        data += b"\x04"
        for at in range(0, len(data), PLAIN_BYTES):
            if at:
                await asyncio.sleep(PLAIN_PAUSE_S)
            await self.stream.send(data[at : at + PLAIN_BYTES])
        if await self.stream.exactly(2, REPLY_S) != b"OK":
            raise self._lost("it did not take the code")

    async def finish(self, timeout_s: float) -> bytes:
        """Wait for the end of the code that `start` began. After a timeout the code is interrupted."""
        end = time.monotonic() + timeout_s
        printed = await self.stream.until(b"\x04", timeout_s)
        if printed is None:
            said = self.stream.at_hand()
            await self.stream.send(b"\x03")
            raise LinkError(
                f"the board was given {timeout_s:g} s and is not done; " + _what_was_heard(said),
                node=self.name,
                next_step="Run the same command again.",
            )
        raised = await self.stream.until(b"\x04", max(REPLY_S, end - time.monotonic()))
        if raised is None or await self.stream.exactly(1, REPLY_S) != b">":
            raise self._lost("it stopped in the middle of an answer")
        if len(raised) > 1:
            raise BoardException(raised[:-1].decode(errors="replace"), node=self.name)
        return printed[:-1]

    async def settle(self) -> None:
        """Back to an empty raw prompt after code that ended in a way which does not matter."""
        await self.enter()

    async def soft_reset(self, within_s: float = 10.0) -> None:
        """Restart the interpreter: boot.py runs, main.py does not. Ends at the raw prompt with an empty memory."""
        await self.stream.send(b"\x04")
        if await self.stream.until(RAW_BANNER, within_s) is None:
            await self.enter()

    async def hard_reset(self) -> None:
        """Reset the chip as its button does; boot.py and main.py run. A board with USB of its own drops the port."""
        try:
            await self.start("import machine\nmachine.reset()")
            await self.stream.quiet(0.05, 0.3)
        except LinkError:
            pass  # the port went away with the reset, which is what was asked for

    async def leave(self) -> None:
        """Back to the prompt for people. A board that says nothing to it is not an error: the work is done."""
        await self.stream.send(b"\x03\x02")
        await self.stream.until(b">>> ", 0.5)

    async def _agrees(self) -> bool:
        """Attempts may have queued several banners. Empty the line, then see that an answer belongs to a question."""
        await self.stream.quiet(0.02, 0.5)
        token = f"{time.monotonic_ns() & 0xFFFFFF:06x}"
        try:
            return (await self.exec(f"print('{token}')", REPLY_S)).strip() == token.encode()
        except FleetError:
            return False

    async def _paste(self, data: bytes) -> bool:
        """Hand over `data` in raw-paste mode, whose flow control no board overruns. False: the board has none."""
        await self.stream.send(b"\x05A\x01")
        answer = await self.stream.exactly(2, REPLY_S)
        if answer == b"R\x00":
            self._pastes = False
            return False
        if answer == b"ra":  # it knows nothing of raw-paste and begins its banner anew
            self._pastes = False
            if await self.stream.until(RAW_BANNER[2:], REPLY_S) is None:
                raise self._lost("it left its prompt")
            return False
        window = await self.stream.exactly(2, REPLY_S) if answer == b"R\x01" else None
        if window is None:
            raise self._lost("it left its prompt")
        self._pastes = True
        await self._paste_in_windows(data, int.from_bytes(window, "little"))
        return True

    async def _paste_in_windows(self, data: bytes, window: int) -> None:
        """Each 01 from the board allows `window` bytes more; 04 is its wish to stop."""
        allowed = window
        at = 0
        while at < len(data):
            if allowed == 0:
                sign = await self.stream.exactly(1, REPLY_S)
                if sign == b"\x01":
                    allowed += window
                    continue
                if sign == b"\x04":
                    await self.stream.send(b"\x04")
                    return
                raise self._lost("it stopped taking the code")
            piece = data[at : at + allowed]
            await self.stream.send(piece)
            at += len(piece)
            allowed -= len(piece)
        await self.stream.send(b"\x04")
        if await self.stream.until(b"\x04", REPLY_S) is None:
            raise self._lost("it did not take the code to its end")

    def _lost(self, how: str) -> LinkError:
        return LinkError(
            f"the board's prompt got lost: {how}; " + _what_was_heard(self.stream.at_hand()),
            node=self.name,
            next_step="Run the same command again.",
        )


def _what_was_heard(data: bytes) -> str:
    text = " ".join(re.sub(rb"[^\x20-\x7e]+", b" ", data).decode().split())
    if not text:
        return "it says nothing at all"
    return f"the last it said was '{text[-120:]}'"
