"""Knows how bytes go from one terminal to another, at the pace of a cable; knows nothing of what they mean.

One `Cable` joins the terminal that a program on this computer opens (outer) with the one that a board's process
sits on (inner). All callbacks run in the event loop; nothing here blocks.
"""

import asyncio
import contextlib
import os
import pty
import random
import select
import termios
import tty
from collections import deque
from dataclasses import dataclass, field

from hedgerow.errors import LocalError

INTERRUPT = b"\x03"
_CHUNK_BYTES = 4096
_SLICE_S = 0.004  # a paced cable hands over what fits into this time at once
_LATE_S = 0.1  # so late may this process get its turn on a busy computer without slowing the line down


@dataclass(frozen=True)
class Pace:
    """A cable's speed: `baud` (10 bits a byte), and the time a USB adapter adds to each direction."""

    baud: int
    latency_s: float = 0.0

    @property
    def bytes_per_s(self) -> float:
        return self.baud / 10


@dataclass
class Disturbance:
    """What is wrong with a cable: `loss` and `noise` are shares of its bytes, `latency_s` comes on top of its pace.

    A stalled cable takes bytes and keeps them until it is well again. The same seed gives the same faults.
    """

    loss: float = 0.0
    noise: float = 0.0
    latency_s: float = 0.0
    stalled: bool = False
    seed: int = 1

    def __post_init__(self) -> None:
        if not (0 <= self.loss <= 1 and 0 <= self.noise <= 1 and self.latency_s >= 0):
            raise LocalError("loss and noise are shares from 0 to 1, latency is no less than nothing")
        self._chance = random.Random(self.seed)

    def spoil(self, data: bytes) -> bytes:
        """What of it arrives."""
        if not self.loss and not self.noise:
            return data
        arrived = bytearray()
        for byte in data:
            if self._chance.random() >= self.loss:
                hit = self._chance.random() < self.noise
                arrived.append(byte ^ self._chance.randrange(1, 256) if hit else byte)
        return bytes(arrived)


@dataclass
class Counters:
    """Bytes that went over the cable."""

    to_board: int = 0
    from_board: int = 0
    dropped: int = 0


class _Way:
    """One direction: a queue of chunks with the moment from which each may leave, and the sink's write."""

    def __init__(self, sink_fd: int, pace: Pace | None, disturbance: Disturbance, resume) -> None:
        self.sink_fd = sink_fd
        self.disturbance = disturbance
        self._pace = pace
        self._resume = resume
        self._loop = asyncio.get_running_loop()
        self._queue: deque[tuple[float, bytes]] = deque()
        self._line_free_at = 0.0
        self._filled_last_slice = False
        self._waiting: asyncio.TimerHandle | None = None
        self._writer_added = False

    @property
    def idle(self) -> bool:
        return not self._queue

    def read_size(self) -> int:
        if not self._pace:
            return _CHUNK_BYTES
        return max(1, int(self._pace.bytes_per_s * _SLICE_S))

    def push(self, data: bytes) -> None:
        data = self.disturbance.spoil(data)
        leaves_at = 0.0
        if self._pace:
            now = self._loop.time()
            # A timer that fires late is our fault, not the line's: while the source has more, the line never pauses.
            late = self._filled_last_slice and 0 < now - self._line_free_at < _LATE_S
            start = self._line_free_at if late else max(now, self._line_free_at)
            self._line_free_at = start + len(data) / self._pace.bytes_per_s
            self._filled_last_slice = len(data) >= self.read_size()
            leaves_at = self._line_free_at + self._pace.latency_s
        if self.disturbance.latency_s:
            leaves_at = max(leaves_at, self._loop.time()) + self.disturbance.latency_s
        self._queue.append((leaves_at, data))
        self.drain()

    def ran_dry(self) -> None:
        """The source had nothing more: whatever comes next does not make up for time that went by."""
        self._filled_last_slice = False

    def next_read_delay(self) -> float:
        """How long the source must wait before the line takes more."""
        return max(0.0, self._line_free_at - self._loop.time()) if self._pace else 0.0

    def drain(self) -> None:
        if self._waiting or self._writer_added or self.disturbance.stalled:
            return
        while self._queue:
            leaves_at, data = self._queue[0]
            if leaves_at > self._loop.time() + 0.0002:
                self._waiting = self._loop.call_at(leaves_at, self._woken)
                return
            try:
                written = os.write(self.sink_fd, data)
            except BlockingIOError:
                written = 0
            except OSError:
                self._queue.clear()  # nobody is there any more
                return
            if written < len(data):
                self._queue[0] = (leaves_at, data[written:])
                self._writer_added = True
                self._loop.add_writer(self.sink_fd, self._writable)
                return
            self._queue.popleft()
        self._resume()

    def _woken(self) -> None:
        self._waiting = None
        self.drain()

    def _writable(self) -> None:
        self._stop_writer()
        self.drain()

    def _stop_writer(self) -> None:
        if self._writer_added:
            self._loop.remove_writer(self.sink_fd)
            self._writer_added = False

    def close(self) -> None:
        if self._waiting:
            self._waiting.cancel()
            self._waiting = None
        self._stop_writer()
        self._queue.clear()


@dataclass
class Cable:
    """The outer terminal and, while a process runs, the inner one; bytes flow between them until `close`."""

    pace: Pace | None = None
    disturbance: Disturbance = field(default_factory=Disturbance)
    counters: Counters = field(default_factory=Counters)
    outer: int | None = None
    inner: int | None = None
    port: str | None = None
    _inner_slave: int | None = None
    _to_board: _Way | None = None
    _from_board: _Way | None = None
    _events: select.epoll | None = None
    _paused: dict[int, asyncio.TimerHandle | None] = field(default_factory=dict)
    _last: bytes = b""

    def plug(self) -> str:
        """Offer a terminal to this computer's programs; returns its path."""
        if self.outer is None:
            master, slave = pty.openpty()
            tty.setraw(slave)
            self.port = os.ttyname(slave)
            os.close(slave)
            os.set_blocking(master, False)
            self.outer = master
            # Edge-triggered: a terminal that no program has open counts as hung up, and would wake us for ever.
            self._events = select.epoll()
            self._events.register(master, select.EPOLLIN | select.EPOLLET)
            asyncio.get_running_loop().add_reader(self._events.fileno(), self._outer_woken)
            self._join()
        assert self.port is not None
        return self.port

    def pull(self) -> None:
        """The cable falls out: programs that have the port open get an error, the board goes on."""
        if self.outer is None:
            return
        self._part()
        if self._events:
            asyncio.get_running_loop().remove_reader(self._events.fileno())
            self._events.close()
            self._events = None
        os.close(self.outer)
        self.outer = self.port = None

    def open_inner(self) -> tuple[int, str]:
        """A terminal for a new process; returns the descriptor for it (close it after the start) and its path."""
        master, slave = pty.openpty()
        tty.setraw(slave)
        attributes = termios.tcgetattr(slave)
        attributes[3] |= termios.NOFLSH
        attributes[6][termios.VINTR] = INTERRUPT
        attributes[6][termios.VQUIT] = attributes[6][termios.VSUSP] = b"\0"
        termios.tcsetattr(slave, termios.TCSANOW, attributes)
        os.set_blocking(master, False)
        self.inner = master
        asyncio.get_running_loop().add_reader(master, self._inner_readable)
        self._join()
        return slave, os.ttyname(slave)

    def close_inner(self) -> None:
        """The process is gone: pass on what it still said, then drop its terminal."""
        if self.inner is None:
            return
        with contextlib.suppress(OSError):
            while data := os.read(self.inner, _CHUNK_BYTES):
                self._to_computer(data)
        self._stop_reading(self.inner)
        if self._to_board:
            self._to_board.close()
            self._to_board = None
        os.close(self.inner)
        self.inner = None

    def close(self) -> None:
        self.close_inner()
        self.pull()

    def disturb(self, disturbance: Disturbance) -> None:
        """From now on it is as good as that; what a stall held back goes on."""
        self.disturbance = disturbance
        for way in (self._to_board, self._from_board):
            if way:
                way.disturbance = disturbance
                way.drain()

    # which ends are joined

    def _join(self) -> None:
        if self.outer is not None and self._from_board is None:
            self._from_board = _Way(self.outer, self.pace, self.disturbance, self._resume_inner)
        if self.outer is not None and self.inner is not None and self._to_board is None:
            self._to_board = _Way(self.inner, self.pace, self.disturbance, self._outer_woken)
            self._outer_woken()

    def _part(self) -> None:
        for way in (self._to_board, self._from_board):
            if way:
                way.close()
        self._to_board = self._from_board = None
        for handle in self._paused.values():
            if handle:
                handle.cancel()
        self._paused.clear()
        if self.inner is not None:
            asyncio.get_running_loop().add_reader(self.inner, self._inner_readable)

    def _someone_listens(self) -> bool:
        if self.outer is None:
            return False
        poller = select.poll()
        poller.register(self.outer, select.POLLIN)
        return not any(event & select.POLLHUP for _, event in poller.poll(0))

    # from the computer to the board

    def _outer_woken(self) -> None:
        if self._events:
            with contextlib.suppress(OSError):
                self._events.poll(0)
        way = self._to_board
        if self.outer is None or way is None:
            return
        while way.idle:
            delay = way.next_read_delay()
            if delay > 0:
                self._later(self.outer, delay, self._outer_woken)
                return
            try:
                data = os.read(self.outer, way.read_size())
            except OSError:  # nothing there, or nobody has the port open: the next edge wakes us
                way.ran_dry()
                return
            if not data:
                return
            self.counters.to_board += len(data)
            way.push(data)

    # from the board to the computer

    def _inner_readable(self) -> None:
        way = self._from_board
        assert self.inner is not None
        if way and not way.idle:
            self._stop_reading(self.inner)
            self._paused[self.inner] = None
            return
        if way and (delay := way.next_read_delay()) > 0:
            self._stop_reading(self.inner)
            self._later(self.inner, delay, self._resume_inner)
            return
        try:
            data = os.read(self.inner, way.read_size() if way else _CHUNK_BYTES)
        except BlockingIOError:
            return
        except OSError:  # the process ended; `close_inner` follows when the host has seen why
            self._stop_reading(self.inner)
            return
        self._to_computer(data)

    def last_words(self) -> str:
        """The end of what the process said, for the message when it did not come up."""
        return " ".join(self._last.decode(errors="replace").split()) or "nothing"

    def _to_computer(self, data: bytes) -> None:
        self._last = (self._last + data)[-200:]
        self.counters.from_board += len(data)
        if self._from_board and self._someone_listens():
            self._from_board.push(data)
        else:
            self.counters.dropped += len(data)

    def _resume_inner(self) -> None:
        if self.inner is not None and self.inner in self._paused:
            handle = self._paused.pop(self.inner)
            if handle:
                handle.cancel()
            if self._from_board and not _readable(self.inner):
                self._from_board.ran_dry()
            asyncio.get_running_loop().add_reader(self.inner, self._inner_readable)

    def _later(self, fd: int, delay: float, callback) -> None:
        loop = asyncio.get_running_loop()
        handle = self._paused.get(fd)
        if handle:
            handle.cancel()
        self._paused[fd] = loop.call_later(delay, callback)

    def _stop_reading(self, fd: int) -> None:
        asyncio.get_running_loop().remove_reader(fd)


def _readable(fd: int) -> bool:
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    return bool(poller.poll(0))
