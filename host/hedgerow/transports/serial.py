"""Knows how to hold a serial port (or any pyserial URL) open without disturbing the node; knows no frame or prompt.

The DTR and RTS lines are left as the system sets them: on many boards they are wired to reset and boot, so that
a tool which moves them restarts a running node merely by looking at it.

pyserial blocks, so each port has one thread that reads and one that writes. They share nothing with the event loop
but a locked buffer and a queue, and both are daemons: a driver that hangs cannot keep the program alive.
"""

import asyncio
import contextlib
import errno
import queue
import threading
import time
from typing import Any

import serial

from hedgerow.errors import EnvironmentProblem, FleetError, LinkError
from hedgerow.transports.ports import describe_ports

READ_WAKE_S = 0.2  # how soon a reader without cancel_read() notices that the port was closed
WRITE_STALL_S = 4.0  # a port that takes nothing for this long is stuck
WRITE_BYTES = 1024  # one write: small enough that WRITE_STALL_S is plenty even at 9,600 baud
CLOSE_S = 2.0
MAX_UNREAD_BYTES = 4 * 1024 * 1024  # a node that talks and nobody listens must not fill the memory


def open_serial(url: str, baud: int = 115200) -> "SerialTransport":
    """Open a path or a pyserial URL, alone. Blocks for as long as the system needs (a socket: seconds).

    Raises LinkError if there is no such port or somebody has it open, EnvironmentProblem if this user may not.
    `hedgerow.transports.ports.connect` also understands `id:SERIAL`, and does not block an event loop.
    """
    return SerialTransport(open_port(url, baud), url)


def open_port(url: str, baud: int = 115200) -> Any:
    """The open pyserial object itself, for a library that wants one (esptool). Raises as `open_serial` does."""
    try:
        return serial.serial_for_url(url, baudrate=baud, timeout=READ_WAKE_S, exclusive=True)
    except Exception as error:
        if not (isinstance(error, (OSError, ValueError)) or _is_of_terminal(error)):  # SerialException is an OSError
            raise
        raise _opening_error(url, error) from error


def _is_of_terminal(error: Exception) -> bool:
    """termios.error, which pyserial lets through when a port goes away under it; Windows has no such module."""
    return type(error).__module__ == "termios"


class SerialTransport:
    """A `Transport` over an open pyserial object (whose classes share no useful type), which it owns from now on."""

    def __init__(self, port: Any, name: str) -> None:
        self.name = name
        self._port = port
        self._lock = threading.Lock()
        self._unread = bytearray()
        self._failure: str | None = None
        self._closed = False
        self._waiter: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None
        self._jobs: queue.SimpleQueue[tuple[bytes, asyncio.AbstractEventLoop, asyncio.Future[None]] | None] = (
            queue.SimpleQueue()
        )
        self._reader = threading.Thread(target=self._read_for_ever, name=f"read {name}", daemon=True)
        self._writer = threading.Thread(target=self._write_for_ever, name=f"write {name}", daemon=True)
        self._reader.start()
        self._writer.start()

    async def send(self, data: bytes) -> None:
        for at in range(0, len(data), WRITE_BYTES):
            await self._send_piece(bytes(data[at : at + WRITE_BYTES]))

    async def _send_piece(self, piece: bytes) -> None:
        self._refuse_if_gone()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._jobs.put((piece, loop, done))
        try:
            async with asyncio.timeout(WRITE_STALL_S):  # wait_for of Python 3.11 may swallow that we are cancelled
                await done
        except TimeoutError as late:
            raise LinkError(
                f"the port has taken nothing for {WRITE_STALL_S:.0f} s",
                node=self.name,
                next_step="Pull the cable, plug it in again, and run the same command again.",
            ) from late

    async def receive(self) -> bytes:
        loop, arrived = asyncio.get_running_loop(), asyncio.Event()
        while True:
            with self._lock:
                if self._unread:
                    data = bytes(self._unread)
                    self._unread.clear()
                    return data
                self._waiter = (loop, arrived)
                arrived.clear()
            self._refuse_if_gone()
            await arrived.wait()

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._jobs.put(None)
        for stop in ("cancel_read", "cancel_write"):
            with contextlib.suppress(AttributeError, OSError, serial.SerialException):
                getattr(self._port, stop)()
        await asyncio.to_thread(self._finish)
        self._wake()

    def _finish(self) -> None:
        """Wait for both threads before the descriptor goes: its number may be another file's a moment later."""
        end = time.monotonic() + CLOSE_S
        for thread in (self._writer, self._reader):
            thread.join(max(0.0, end - time.monotonic()))
        with contextlib.suppress(OSError, serial.SerialException):
            self._port.close()

    def _refuse_if_gone(self) -> None:
        if self._closed:
            raise LinkError("the port was closed", node=self.name)
        if self._failure is not None:
            raise LinkError(
                f"the port went away while it was in use: the cable was pulled, or the board restarted its USB "
                f"({self._failure})",
                node=self.name,
                next_step="Plug the cable in again and run the same command again.",
            )

    def _read_for_ever(self) -> None:
        try:
            while not self._closed:
                data = self._port.read(1)
                while data and (more := self._port.in_waiting):
                    data += self._port.read(min(more, 65536))
                    if len(data) > 65536:
                        break
                if data:
                    self._arrived(data)
        except (serial.SerialException, OSError, TypeError) as error:
            # pyserial raises TypeError when the descriptor is closed under its select().
            self._failure = _short(error)
        self._wake()

    def _arrived(self, data: bytes) -> None:
        with self._lock:
            self._unread += data
            del self._unread[:-MAX_UNREAD_BYTES]
        self._wake()

    def _wake(self) -> None:
        with self._lock:
            waiter, self._waiter = self._waiter, None
        if waiter is not None:
            loop, arrived = waiter
            with contextlib.suppress(RuntimeError):  # the loop has ended; nobody waits any more
                loop.call_soon_threadsafe(arrived.set)

    def _write_for_ever(self) -> None:
        while (job := self._jobs.get()) is not None and not self._closed:
            piece, loop, done = job
            problem: Exception | None = None
            try:
                self._port.write(piece)
            except (serial.SerialException, OSError, TypeError) as error:
                self._failure = self._failure or _short(error)
                problem = error
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._written, done, problem)

    def _written(self, done: "asyncio.Future[None]", problem: Exception | None) -> None:
        if done.done():  # the sender gave up waiting
            return
        if problem is None:
            done.set_result(None)
            return
        try:
            self._refuse_if_gone()
        except LinkError as error:
            done.set_exception(error)


def _opening_error(url: str, error: Exception) -> FleetError:
    number = error.args[0] if _is_of_terminal(error) else getattr(error, "errno", None)
    text = str(error)
    if number in (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK) or "exclusively lock" in text:
        return LinkError(
            "another program has this port open",
            node=url,
            next_step="Close it there (a terminal, an editor, another hedgerow), then run the same command again.",
        )
    if "PermissionError" in text and "Access is denied" in text:  # how Windows says busy
        return LinkError("another program has this port open", node=url, next_step="Close it there, then try again.")
    if number in (errno.EACCES, errno.EPERM):
        return EnvironmentProblem(
            "you may not open this port", node=url, next_step="`hedgerow doctor` says which permission is missing."
        )
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO) or "FileNotFoundError" in text:
        return LinkError("there is no such port", node=url, state=describe_ports(), next_step=None)
    if number == errno.EIO:
        return LinkError("the port went away while it was opened", node=url, next_step="Plug its cable in again.")
    if isinstance(error, ValueError):
        return LinkError(f"this is no port that I understand ({text})", node=url, state=describe_ports())
    if "://" in url:
        return LinkError(
            f"nothing answers at this address ({_short(error)})",
            node=url,
            next_step="Check the address, and that the program on the other side runs.",
        )
    return LinkError(f"this port cannot be opened ({_short(error)})", node=url, next_step="Try `hedgerow doctor`.")


def _short(error: Exception) -> str:
    """The system's own words, without the sentences that pyserial wraps around them."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text.split(": [Errno")[0][:120]
