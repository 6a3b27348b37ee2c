"""Knows one emulated Pico as a board in a directory: its port, its power and its flash; knows no MicroPython.

The chip runs in a process of its own (Node.js with rp2040js, see `node/server.mjs`) and holds the serial port itself,
so it lives on while this process waits for something else. Its flash is the file `flash.bin`, which is true at every
moment: a power cut keeps exactly what the flash chip had.

Chip time is not wall time. An idle chip keeps to `speed` chip seconds a wall second; a busy one reaches about a third
of a real chip's speed, so whoever waits on the wall clock waits `PATIENCE` times longer than on a real board.
"""

import asyncio
import contextlib
import json
import os
import pty
import socket
import tty
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from hedgerow.errors import EnvironmentProblem, LinkError, LocalError
from hedgerow.virtual.emulated_pico import parts

PATIENCE = 4
CAUSE_POWER_ON, CAUSE_TIMER, CAUSE_FORCED = 0, 1, 2  # of a reset, as the chip's WATCHDOG_REASON tells it

_USB_READY_S = 20.0
_ANSWER_S = 20.0
_EXIT_S = 5.0


@dataclass(frozen=True)
class FlashStats:
    """What the flash chip has been asked to do since power-on."""

    erases: int
    programs: int
    programmed_bytes: int

    @property
    def operations(self) -> int:
        return self.erases + self.programs


@dataclass(frozen=True)
class PicoStatus:
    """One look at the chip. Times are chip time since power-on, `since_reset_ms` since the last reset."""

    chip_ms: float
    since_reset_ms: float
    wall_ms: float
    resets: int
    flash: FlashStats
    uart_lost: tuple[int, int]


class EmulatedPico:
    """A Raspberry Pi Pico with real firmware. `start()`, then `.port` is a serial port that any program may open."""

    def __init__(
        self,
        uf2: Path | None,
        directory: Path,
        *,
        uid: bytes = bytes.fromhex("e660583883000001"),
        speed: float = 1.0,
        flash_timing: bool = True,
    ) -> None:
        """uf2: None for the one that is configured. uid: 8 bytes. speed: 0 runs as fast as this machine can."""
        if len(uid) != 8:
            raise LocalError("the unique id of a flash chip has 8 bytes")
        self._uf2 = uf2
        self._directory = directory
        self._uid = uid
        self._speed = speed
        self._flash_timing = flash_timing
        self._parts: parts.Parts | None = None
        self._terminals: list[_Terminal] = []
        self._process: asyncio.subprocess.Process | None = None
        self._control: asyncio.StreamWriter | None = None
        self._listener: asyncio.Task[None] | None = None
        self._answers: dict[int, asyncio.Future[dict]] = {}
        self._last_id = 0
        self._usb_ready = asyncio.Event()
        self.reset_reasons: list[int] = []

    @property
    def port(self) -> str:
        """The serial port of its USB cable. The same path through power cuts."""
        return self._terminals[0].path

    @property
    def uart_ports(self) -> tuple[str, str]:
        """Serial ports wired to its UART0 and UART1."""
        return self._terminals[1].path, self._terminals[2].path

    @property
    def pid(self) -> int | None:
        """The process that is the chip; None without power."""
        return self._process.pid if self._process else None

    @property
    def flash_path(self) -> Path:
        return self._directory / "flash.bin"

    async def start(self) -> None:
        """Find the parts, flash a blank chip and switch the power on."""
        self._parts = parts.find_parts(self._uf2)
        self._directory.mkdir(parents=True, exist_ok=True)
        (self._directory / "bootrom.bin").write_bytes(self._parts.bootrom)
        if not self.flash_path.exists():
            self.load_flash(bytes(parts.read_uf2(self._parts.uf2)))
        if not self._terminals:
            self._terminals = [_Terminal() for _ in range(3)]
        await self.power_on()

    async def power_on(self) -> None:
        """Give it power and wait until its USB port is taken into use. Harmless where it has power."""
        if self._process is not None:
            return
        if self._parts is None:
            raise LocalError("start() comes before power_on()")
        for terminal in self._terminals:
            terminal.drop_input()
        self._usb_ready.clear()
        self.reset_reasons.clear()
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = await self._launch(self._parts.node, theirs.fileno())
        reader, self._control = await asyncio.open_unix_connection(sock=ours, limit=1 << 20)
        self._listener = asyncio.create_task(self._listen(reader, self._process))
        await self._wait_for_usb(self._listener)

    async def kill(self) -> None:
        """Cut the power at this moment. The flash keeps what the chip had; everything else is gone."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        await self.wait_power_lost()

    async def wait_power_lost(self, timeout_s: float = _EXIT_S) -> None:
        """Wait until the power is off, as after `cut_after_flash_operations`."""
        if self._listener is None:
            return
        _, late = await asyncio.wait({self._listener}, timeout=timeout_s)
        if late:
            raise LinkError("The emulated Pico still has power", node=self.port)

    async def close(self) -> None:
        """Cut the power and give the ports back."""
        await self.kill()
        for terminal in self._terminals:
            terminal.close()
        self._terminals.clear()

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def cut_after_flash_operations(self, operations: int, *, torn: bool = False) -> None:
        """Let the power fail after so many flash operations from now; torn: with the next one half done."""
        if operations < 1 and not torn:
            raise LocalError("without a torn operation, at least one has to happen before the power fails")
        await self._ask("cut", operations=operations, torn=torn)

    async def status(self) -> PicoStatus:
        told = await self._ask("status")
        return PicoStatus(
            chip_ms=told["chip_ms"],
            since_reset_ms=told["since_reset_ms"],
            wall_ms=told["wall_ms"],
            resets=told["resets"],
            flash=FlashStats(**told["flash"]),
            uart_lost=tuple(told["uart_lost"]),
        )

    async def chip_time_ms(self) -> float:
        """Chip time since power-on; a reset does not set it back."""
        return (await self.status()).chip_ms

    async def flash_stats(self) -> FlashStats:
        return (await self.status()).flash

    async def press_reset(self) -> None:
        """The RUN pin: a reset that keeps the flash and counts as power-on."""
        await self._ask("reset")

    async def set_speed(self, speed: float) -> None:
        """Chip seconds a wall second while idle; 0: as fast as this machine can."""
        self._speed = speed
        await self._ask("speed", speed=speed)

    async def set_pin(self, pin: int, level: bool | None) -> None:
        """Drive a GPIO from outside; None lets go."""
        await self._ask("pin", pin=pin, level=level)

    async def set_adc_mv(self, channel: int, millivolts: int) -> None:
        """Put a voltage on an ADC input (12 bits over 3300 mV)."""
        await self._ask("adc", channel=channel, value=max(0, min(4095, millivolts * 4095 // 3300)))

    async def chip_ms_when_it_says(self, text: str, timeout_s: float = 60.0) -> float:
        """Wait until the console says an ASCII text; the chip time since the last reset at that moment."""
        return (await self._ask("watch", timeout_s=timeout_s, text=text))["since_reset_ms"]

    def snapshot_flash(self) -> bytes:
        """The contents of the flash chip now, firmware included."""
        return self.flash_path.read_bytes()

    def load_flash(self, image: bytes) -> None:
        """Replace the contents of the flash chip, as on a bench. Only without power."""
        if self._process is not None:
            raise LocalError("the flash of a running board cannot be replaced")
        if len(image) != parts.FLASH_BYTES:
            raise LocalError(f"a Pico's flash holds {parts.FLASH_BYTES} bytes, not {len(image)}")
        self.flash_path.write_bytes(image)

    async def _wait_for_usb(self, power_lost: asyncio.Task[None]) -> None:
        ready = asyncio.create_task(self._usb_ready.wait())
        await asyncio.wait({ready, power_lost}, timeout=_USB_READY_S, return_when=asyncio.FIRST_COMPLETED)
        if not ready.cancel():
            return
        await self.kill()
        assert self._parts is not None
        raise EnvironmentProblem(
            f"The emulated Pico shows no USB port; its log is {self._directory / 'node.log'}",
            next_step=f"Check that {self._parts.uf2} is a MicroPython image for the Pico.",
        )

    async def _launch(self, node: Path, control_fd: int) -> asyncio.subprocess.Process:
        console, *uarts = (terminal.board_side for terminal in self._terminals)
        options = {
            "console_fd": console,
            "uart_fds": uarts,
            "control_fd": control_fd,
            "flash": str(self.flash_path),
            "bootrom": str(self._directory / "bootrom.bin"),
            "uid": self._uid.hex(),
            "speed": self._speed,
            "flash_timing": self._flash_timing,
        }
        with (self._directory / "node.log").open("wb") as log:
            return await asyncio.create_subprocess_exec(
                str(node),
                str(parts.NODE_SIDE / "server.mjs"),
                json.dumps(options),
                pass_fds=(console, *uarts, control_fd),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C at the terminal is for the program that uses the board
            )

    async def _listen(self, reader: asyncio.StreamReader, process: asyncio.subprocess.Process) -> None:
        """The one task that reads what the chip's process says; ends when the power is gone."""
        with contextlib.suppress(ConnectionError):
            async for line in reader:
                self._hear(json.loads(line))
        await process.wait()
        assert self._control is not None
        self._control.close()
        self._process = self._control = self._listener = None
        waiting, self._answers = self._answers, {}
        for answer in waiting.values():
            if not answer.done():
                answer.set_exception(self._no_power())

    def _hear(self, message: dict) -> None:
        match message.get("event"):
            case "usb":
                self._usb_ready.set()
            case "reset":
                self.reset_reasons.append(message["reason"])
            case _:
                answer = self._answers.pop(message["id"], None)
                if answer and not answer.done():
                    answer.set_result(message)

    async def _ask(self, do: str, timeout_s: float = _ANSWER_S, **arguments: object) -> dict:
        if self._control is None:
            raise self._no_power()
        self._last_id += 1
        answer = self._answers[self._last_id] = asyncio.get_running_loop().create_future()
        self._control.write(json.dumps({"id": self._last_id, "do": do, **arguments}).encode() + b"\n")
        try:
            return await asyncio.wait_for(answer, timeout_s)
        except TimeoutError:
            self._answers.pop(self._last_id, None)
            raise LinkError(f"The emulated Pico did not answer '{do}' within {timeout_s:g} s", node=self.port) from None

    def _no_power(self) -> LinkError:
        return LinkError("The emulated Pico has no power", node=self._terminals[0].path if self._terminals else None)


class _Terminal:
    """A pseudo-terminal: the board holds one side, and the path of the other is the port."""

    def __init__(self) -> None:
        self.board_side, self._port_side = pty.openpty()
        tty.setraw(self._port_side)
        os.set_blocking(self.board_side, False)
        self.path = os.ttyname(self._port_side)

    def drop_input(self) -> None:
        """Forget what was written to a board without power."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self.board_side, 65536):
                pass

    def close(self) -> None:
        os.close(self.board_side)
        os.close(self._port_side)
