"""Knows one virtual board: a process of real MicroPython on its own flash image and its own serial port.

It knows power, reset, cable and what the board has around it; it knows nothing of the application on the board.
Everything runs in one event loop, so that one program keeps many boards. Linux only: it needs Unix terminals
and process descriptors.
"""

import asyncio
import contextlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from hedgerow.errors import EnvironmentProblem, LocalError
from hedgerow.virtual.interpreter import Interpreter
from hedgerow.virtual.nearby import Nearby
from hedgerow.virtual.pump import Cable, Counters, Disturbance, Pace

BLOCK_BYTES = 4096
RUNTIME = Path(__file__).parent / "runtime"
# MicroPython on a 64-bit machine needs twice a board's bytes for the same objects; the shims come on top.
HEAP_SCALE = 2
# They take 80 kB before a program starts, and more while it runs: sockets, polls and what comes out of the ether.
SHIM_HEAP_BYTES = 84 * 1024
BLUETOOTH_HEAP_BYTES = 7 * 1024
_START_WITHIN_S = 5.0
_STOP_WITHIN_S = 5.0
_CRASHES_BEFORE_GIVING_UP = 3

World = Mapping[str, float]


class VirtualBoard:
    """A board that is not there: start, use its port, cut its power, pull its cable.

    `board` is a Board of `hedgerow.fleet.boards` (or anything with its attributes), `uid` the chip's number (a
    MAC comes first), `ether` the (host, port) of the radio or None, `bluetooth` that of its Bluetooth, `wire` that of
    its UART's other end. `world` says
    what is around the board now (`runtime/_facts.py` has the names). `clock` is a battery-backed clock on the board
    (seconds since 1970; without one the calendar starts where the chip's does); the calendar runs `rate` times as fast
    as real time.
    """

    def __init__(
        self,
        board,
        directory: Path | str,
        interpreter: Interpreter,
        *,
        uid: bytes,
        ether: tuple[str, int] | None = None,
        bluetooth: tuple[str, int] | None = None,
        wire: tuple[str, int] | None = None,
        world: Callable[[], World] | None = None,
        clock: Callable[[], float] | None = None,
        rate: float = 1.0,
        pace: Pace | None = None,
        name: str | None = None,
    ) -> None:
        self.board = board
        self.directory = Path(directory)
        self.name = name or self.directory.name
        self.uid = uid
        self.ether = ether
        self.bluetooth = bluetooth
        self.wire = wire
        self.pins: dict[str, int] = {}
        self.resets: list[str] = []
        self._pins = _pin_facts(getattr(board, "board_py", None))
        self.nearby = Nearby(self.name, self._pins, "wifi" in getattr(board, "radios", ()), self._say)
        self.on_event: Callable[[str, str], None] | None = None
        self._interpreter = interpreter
        self._world = world
        self._clock = clock
        self._rate = rate
        self._cable = Cable(pace)
        self._process: subprocess.Popen[bytes] | None = None
        self._pidfd = -1
        self._line: socket.socket | None = None
        self._line_text = b""
        self._next: tuple[str, ...] = ()
        self._watchdog_s = 0.0
        self._watchdog: asyncio.TimerHandle | None = None
        self._wake: asyncio.TimerHandle | None = None
        self._up: asyncio.Future[None] | None = None
        self._off = asyncio.Event()
        self._crashes = 0
        self._heap_taken = 0
        self._powered_on_at = 0.0
        self._rtc: list[float] | None = None
        self._memory = ""
        self._hard_cause = "power-on"

    # what others ask

    @property
    def port(self) -> str | None:
        """Path of the pty that programs open, None while the cable is out."""
        return self._cable.port

    @property
    def link(self) -> Path:
        """A path that stays the same when the cable is plugged in again."""
        return self.directory / "port"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def uptime_s(self) -> float:
        """Seconds since power came on; 0 while it is off."""
        return time.monotonic() - self._powered_on_at if self._process else 0.0

    @property
    def counters(self) -> Counters:
        return self._cable.counters

    @property
    def heap_taken_bytes(self) -> int:
        """What the shims took of the heap before the board's own program started."""
        return self._heap_taken

    @property
    def image(self) -> Path:
        return self.directory / "flash.img"

    # power

    async def start(self) -> None:
        """Plug in the cable, switch on, and wait until the board's own program runs."""
        if not sys.platform.startswith("linux"):
            raise EnvironmentProblem(
                f"virtual boards run on Linux only, and this is {sys.platform}",
                next_step="Use a Linux machine (a container does), or a real board.",
            )
        self.directory.mkdir(parents=True, exist_ok=True)
        self._make_flash()
        self.nearby.open()
        self.plug()
        await self.power_on()

    async def power_on(self) -> None:
        """Switch on after `kill` or a power cut; the board comes up with the cause PWRON."""
        if self._process:
            return
        self._powered_on_at = time.monotonic()
        self._rtc = [self._clock(), self._powered_on_at] if self._clock else None
        self._memory = ""
        self._crashes = 0
        self._off.clear()
        self._up = asyncio.get_running_loop().create_future()
        self._spawn("hard", "power-on")
        try:
            async with asyncio.timeout(_START_WITHIN_S):
                await self._up
        except TimeoutError:
            await self.kill()
            raise EnvironmentProblem(
                f"MicroPython does not come up within {_START_WITHIN_S:.0f} s and said: {self._cable.last_words()}",
                node=self.name,
            ) from None

    async def kill(self) -> None:
        """Cut the power at this very moment (SIGKILL). The flash keeps what was written."""
        self._next = ("off",)
        if self._wake:
            self._wake.cancel()
            self._wake = None
        if self._process:
            self._process.send_signal(signal.SIGKILL)
            await self.wait_off(_STOP_WITHIN_S)

    async def wait_off(self, within_s: float) -> None:
        """Wait until the power is off, for example after a cut that `cut_after_writes` armed."""
        async with asyncio.timeout(within_s):
            await self._off.wait()

    async def close(self) -> None:
        """Take the board away: no process, no port, no link; the flash image stays."""
        await self.kill()
        self.pull_cable()
        self.nearby.close()

    def cut_after_writes(self, writes: int, *, half: bool = False) -> None:
        """Cut the power at the `writes`-th block write from now on; `half` lets half of that block through."""
        if writes < 1:
            raise LocalError("the first write is number 1")
        self._cut_file.write_bytes(bytes([1, int(half)]) + writes.to_bytes(4, "little"))

    def cut_no_more(self) -> None:
        """Forget a cut that has not come yet."""
        self._cut_file.write_bytes(bytes(6))

    @property
    def _cut_file(self) -> Path:
        return self.image.with_name(self.image.name + ".cut")

    def _make_flash(self) -> None:
        size = self.board.filesystem_bytes // BLOCK_BYTES * BLOCK_BYTES
        if not self.image.exists():
            new = self.image.with_suffix(".new")
            with new.open("wb") as file:
                file.truncate(size)
            new.rename(self.image)
        self._cut_file.write_bytes(bytes(6))

    # the cable

    def plug(self) -> None:
        """A port appears; the link in the board's directory leads to it."""
        path = self._cable.plug()
        temporary = self.link.with_name("port.new")
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(path)
        temporary.rename(self.link)

    def disturb(self, disturbance: Disturbance | None = None) -> None:
        """Let the cable lose, change, delay or hold back bytes from now on; without an argument it is well again."""
        self._cable.disturb(disturbance or Disturbance())

    def pull_cable(self) -> None:
        """The port vanishes at once, in the middle of whatever goes over it."""
        self._cable.pull()
        self.link.unlink(missing_ok=True)

    # the process

    def _facts(self, mode: str, cause: str, terminal: str) -> dict[str, object]:
        board = self.board
        return {
            "image": str(self.image.resolve()),
            "blocks": self.image.stat().st_size // BLOCK_BYTES,
            "mode": mode,
            "cause": cause,
            "hard_cause": self._hard_cause,
            "watchdog": self._watchdog is not None,
            "terminal": terminal,
            "platform": board.platform,
            "machine": board.machine,
            "radios": list(getattr(board, "radios", ())),
            "uid": self.uid.hex(),
            "ether": list(self.ether) if self.ether else None,
            "bluetooth": list(self.bluetooth) if self.bluetooth else None,
            "wire": list(self.wire) if self.wire else None,
            "powered_on_ms": int(self._powered_on_at * 1000),
            "rate": self._rate,
            "rtc": self._rtc,
            "memory": self._memory,
            "pins": self._pins,
            **self.nearby.facts(),
        }

    def _spawn(self, mode: str, cause: str) -> None:
        if cause != "soft":
            self._hard_cause = cause
        slave, terminal = self._cable.open_inner()
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        heap = self.board.heap_bytes * HEAP_SCALE + SHIM_HEAP_BYTES + (BLUETOOTH_HEAP_BYTES if self.bluetooth else 0)
        command = [*self._interpreter.command, "-X", f"heapsize={heap // 1024}k", str(RUNTIME / "start.py")]
        ours.send(
            json.dumps(self._facts(mode, cause, terminal)).encode() + b"\n"
        )  # an argument may have 255 bytes only
        line_fd = theirs.fileno()
        try:
            self._process = subprocess.Popen(
                command,
                stdin=slave,
                stdout=slave,
                stderr=slave,
                start_new_session=True,
                pass_fds=(line_fd,),
                env={"HEDGEROW_LINE": str(line_fd)},
            )
        finally:
            os.close(slave)
            theirs.close()
        loop = asyncio.get_running_loop()
        self._line, self._line_text, self._next = ours, b"", ()
        self._pidfd = os.pidfd_open(self._process.pid)
        loop.add_reader(self._pidfd, self._ended)
        loop.add_reader(ours, self._line_readable)
        self._tell_event("start", cause if mode == "hard" else "soft reset")

    def _ended(self) -> None:
        """The process is over, by its own word (`_next`), by ours, or because it crashed."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._pidfd)
        assert self._process is not None
        self._line_readable()
        os.close(self._pidfd)
        status = self._process.wait()
        self._process = None
        self.nearby.access_point = None
        if self._line:
            loop.remove_reader(self._line)
            self._line.close()
            self._line = None
        if self._next[:1] != ("soft",):  # a soft reset leaves the hardware watchdog counting, as on a board
            self._stop_watchdog()
        self._cable.close_inner()
        self._go_on(self._next or ("crash", str(status)))

    def _go_on(self, how: tuple[str, ...]) -> None:
        self._tell_event("end", " ".join(how))
        self.resets.append(how[0])
        del self.resets[:-100]
        if how[0] == "soft":
            self._spawn("raw" if how[1] == "raw" else "soft", "soft")
        elif how[0] in ("hard", "watchdog"):
            self._spawn("hard", how[0])
        elif how[0] == "deepsleep":
            if (wake_after_ms := float(how[1])) > 0:
                self._wake = asyncio.get_running_loop().call_later(wake_after_ms / 1000, self._woken_from_sleep)
        elif how[0] == "crash" and self._crashes < _CRASHES_BEFORE_GIVING_UP:
            self._crashes += 1
            self._spawn("hard", "crash")
        else:
            if self._up and not self._up.done():
                self._up.set_exception(
                    EnvironmentProblem(
                        f"MicroPython ends at once ({' '.join(how)}) and said: {self._cable.last_words()}",
                        node=self.name,
                        next_step="Run `hedgerow doctor`, or point $HEDGEROW_MICROPYTHON at MicroPython 1.22 or later.",
                    )
                )
            self._off.set()

    def _woken_from_sleep(self) -> None:
        self._wake = None
        self._spawn("hard", "deepsleep")

    def _tell_event(self, kind: str, detail: str) -> None:
        if self.on_event:
            self.on_event(kind, detail)

    # the line to the process (runtime/_facts.py)

    def _line_readable(self) -> None:
        while self._line:
            try:
                data = self._line.recv(4096)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                asyncio.get_running_loop().remove_reader(self._line)
                self._line.close()
                self._line = None
                return
            *lines, self._line_text = (self._line_text + data).split(b"\n")
            for line in lines:
                with contextlib.suppress(ValueError, IndexError, TypeError):
                    self._heard(json.loads(line))  # a board that sends nonsense on it harms only itself

    def _heard(self, words: list) -> None:
        word = words[0]
        if word == "up":
            self._heap_taken = words[1]
            if self._up and not self._up.done():
                self._up.set_result(None)
        elif word == "ask":
            self._answer(words[1], words[2])
        elif word == "feed":
            self._feed(words[1] / 1000)
        elif word == "pin":
            self.pins[str(words[1])] = words[2]
        elif word == "access_point":
            self.nearby.access_point = words[1]
        elif word == "rtc":
            self._rtc = words[1]
        elif word == "memory":
            self._memory = words[1]
        elif word == "end":
            self._end(words[1:])

    def _answer(self, number: int, what: str) -> None:
        answer = dict(self._world()) if what == "world" and self._world else None
        self._say(number, answer)

    def _say(self, *words: object) -> None:
        if self._line:
            with contextlib.suppress(OSError):  # a process that does not read its answers goes without
                self._line.send(json.dumps(words).encode() + b"\n")

    def _end(self, words: list) -> None:
        if self._process and not self._next:
            self._next = ("off",) if words[0] == "cut" else tuple(str(word) for word in words)
            self._process.send_signal(signal.SIGKILL)

    # the watchdog

    def _feed(self, within_s: float) -> None:
        self._stop_watchdog()
        self._watchdog_s = within_s
        self._watchdog = asyncio.get_running_loop().call_later(within_s, self._bite, True)

    def _bite(self, ask_again: bool) -> None:
        """A late event loop must not look like a late board: read what has come in before biting."""
        self._watchdog = None
        if ask_again:
            self._watchdog = asyncio.get_running_loop().call_later(0.05, self._bite, False)
            self._line_readable()
        elif self._process and not self._next:
            self._next = ("watchdog",)
            self._process.send_signal(signal.SIGKILL)

    def _stop_watchdog(self) -> None:
        if self._watchdog:
            self._watchdog.cancel()
            self._watchdog = None


def _pin_facts(board_py: Path | str | None) -> dict[str, object]:
    """The plain constants of a board's board.py that the shims need: where the battery is measured, and the buses."""
    if not board_py or not Path(board_py).exists():
        return {}
    names = runpy.run_path(str(board_py))
    wanted = ("BATTERY_ADC_PIN", "BATTERY_DIVIDER_X1000", "I2C", "BUTTON_PIN", "LED_PIN")
    return {name: names[name] for name in wanted if name in names}
