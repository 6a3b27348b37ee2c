"""Knows how to put MicroPython onto boards at several ports at once: which image each gets, and that it was read back.

An ESP32 is written through its boot loader, each in a thread; a Pico through the drive that its boot loader shows, one
after the other, because those drives all look alike. Whatever is refused is refused before anything is erased.
"""

import asyncio
import contextlib
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from hedgerow.errors import FleetError, InterruptedWork, LinkError, UsageError
from hedgerow.flash import bootsel, esp
from hedgerow.flash.esp import EspFacts
from hedgerow.flash.image import Image
from hedgerow.fleet import boards
from hedgerow.fleet.boards import Board
from hedgerow.plans import flash_choice, flash_pico
from hedgerow.plans.executor import Connect, Progress, Tell
from hedgerow.plans.flash_choice import Seen
from hedgerow.session import Answering
from hedgerow.transports import Transport, ports
from hedgerow.transports.serial import open_port

T = TypeVar("T")

RETURN_WITHIN_S = 20.0
DRIVE_WITHIN_S = 15.0
_CONNECTING_S = 5
_PACKED = 0.65  # what deflate leaves of MicroPython's images


@dataclass(frozen=True)
class FlashResult:
    """How one board ended. `written_bytes` is 0 where the image was there already."""

    port: str
    board_id: str | None = None
    image: Image | None = None
    written_bytes: int = 0
    baud: int | None = None
    mac: str | None = None
    error: FleetError | None = None
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        return self.error is None

    @property
    def node(self) -> str:
        """What a bar calls it: a board without a name yet."""
        return self.board_id or ""

    def as_dict(self) -> dict[str, object]:
        image = self.image
        return {
            "port": self.port,
            "result": "PASS" if self.passed else "FAIL",
            "board": self.board_id,
            "machine": image.machine if image else None,
            "version": image.version if image else None,
            "sha256": image.sha256.hex() if image else None,
            "written_bytes": self.written_bytes,
            "baud": self.baud,
            "mac": self.mac,
            "seconds": round(self.seconds, 2),
            "error": self.error.as_dict() if self.error else None,
        }


@dataclass
class FlashBench:
    """Boards to flash. `images` are those to choose from; one alone was named by the person and must fit.

    `connect`, `drives` and `here` are seams: how a port is opened, which drives and which ports there are.
    """

    images: Mapping[str, Image]
    board: Board | None = None
    bauds: Sequence[int] = esp.BAUDS
    erase: bool = False
    drive_board: Callable[[], Board | None] = lambda: None
    """Which Pico a drive is, where `board` does not say it: the drive itself does not tell."""
    tell: Tell | None = None
    finished: Callable[[FlashResult], None] | None = None
    connect: Connect = ports.connect
    drives: Callable[[], list[Path]] = bootsel.drives
    here: Callable[[], list[ports.PortFacts]] = field(default_factory=lambda: ports.here)
    _one_pico: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def flash(self, port_names: Sequence[str], drives: Sequence[Path] = ()) -> list[FlashResult]:
        """Every board, all at once; one result each, ports first, in the order given."""
        refuse_misuse(port_names, drives, self.images)

        async def one(name: str, work: Callable[[str], Awaitable[FlashResult]]) -> FlashResult:
            started = time.monotonic()
            try:
                result = await work(name)
            except FleetError as error:
                result = FlashResult(name, error=error)
            result = replace(result, seconds=time.monotonic() - started)
            if self.finished is not None:
                self.finished(result)
            return result

        jobs = [one(name, self._at_port) for name in port_names] + [one(str(drive), self._at_drive) for drive in drives]
        return list(await asyncio.gather(*jobs))

    async def _in_thread(self, say: esp.Tell, work: Callable[[esp.Tell], T]) -> T:
        """A thread of its own: those that asyncio lends are few on a small laptop, and opening a port needs them, too.

        When this is cancelled, the thread ends at the next word that it has to say.
        """
        stopped = threading.Event()

        def tell(doing: str, fraction: float) -> None:
            if stopped.is_set():
                raise InterruptedWork("stopped", state="The board may be half written")
            say(doing, fraction)

        threads = ThreadPoolExecutor(1, thread_name_prefix="flash")
        try:
            return await asyncio.get_running_loop().run_in_executor(threads, work, tell)
        finally:
            stopped.set()
            threads.shutdown(wait=False)

    def seconds_at_most(self) -> int:
        """How long one board takes at the first baud rate, about: the largest image that may be chosen."""
        slowest = 0
        for image in self.images.values():
            if image.mcu == "RP2040":
                slowest = max(slowest, bootsel.seconds_for(len(image.data)) + 10)
            else:
                size = len(image.payload)
                slowest = max(slowest, esp.seconds_for(int(size * _PACKED), size, self.bauds[0]) + _CONNECTING_S)
        return slowest

    # ---- one board

    async def _at_port(self, port: str) -> FlashResult:
        self._say(port, "looking at it", 0.0)
        seen = await flash_choice.see(port, self.connect, self.here())
        if flash_choice.is_pico(seen, self.board):
            async with self._one_pico:
                return await self._pico(port, seen)
        try:
            return await self._esp(port, seen)
        except LinkError:
            if seen.answering not in (Answering.PROMPT, Answering.HEDGEROW, Answering.PROGRAM):
                raise
        # A chip with USB of its own cannot be reset from here; its MicroPython can be asked.
        self._say(port, "asking MicroPython into the boot loader", 0.0)
        known = {facts.path for facts in self.here()}
        await flash_pico.ask_into_bootloader(port, self.connect)
        return await self._esp(await self._back(port, known), seen, told_as=port)

    async def _esp(self, port: str, seen: Seen, told_as: str | None = None) -> FlashResult:
        name = told_as or port
        result = FlashResult(name)

        def choose(facts: EspFacts) -> Image:
            nonlocal result
            image, board = flash_choice.choose(self.images, self.board, seen, facts.mcu, facts.flash_bytes, name)
            result = replace(result, board_id=board.id if board else None, image=image, mac=facts.mac)
            return image

        done = await self._in_thread(
            lambda doing, fraction: self._say(name, doing, fraction, result.node),
            lambda tell: esp.flash(
                name,
                lambda: open_port(ports.resolve(port)),
                choose,
                tell,
                bauds=self.bauds,
                erase=self.erase,
                help_text=flash_choice.button(self.board, seen),
            ),
        )
        return replace(result, written_bytes=done.written_bytes, baud=done.baud)

    async def _pico(self, port: str, seen: Seen) -> FlashResult:
        image, board = flash_choice.choose(self.images, self.board, seen, "RP2040", None, port)
        known = {facts.path for facts in self.here()}
        drives = set(self.drives())
        self._say(port, "asking MicroPython into the boot loader", 0.0, board.id if board else "")
        await flash_pico.ask_into_bootloader(port, self.connect)
        drive = await self._new_drive(drives)
        if drive is not None:
            await self._write_drive(port, drive, image, board)
        else:
            await self._without_drive(port, image, board or seen.board)
        return await self._pico_checked(port, await self._back(port, known), image, board)

    async def _at_drive(self, drive: str) -> FlashResult:
        async with self._one_pico:
            said = self.board or self.drive_board()
            image, board = flash_choice.choose(self.images, said, Seen(drive), "RP2040", None, drive)
            known = {facts.path for facts in self.here()}
            await self._write_drive(drive, Path(drive), image, board)
            return await self._pico_checked(drive, await self._back(None, known), image, board)

    async def _write_drive(self, name: str, drive: Path, image: Image, board: Board | None) -> None:
        told_as = board.id if board else ""
        await self._in_thread(
            lambda doing, fraction: self._say(name, doing, 0.9 * fraction, told_as),
            lambda tell: bootsel.write(drive, image.data, tell),
        )

    async def _pico_checked(self, name: str, port: str, image: Image, board: Board | None) -> FlashResult:
        self._say(name, "reading it back", 0.95, board.id if board else "")
        await flash_pico.check(port, image, self.connect)
        written = sum(length for _, length in image.covered)
        return FlashResult(name, board.id if board else None, image, written)

    async def _new_drive(self, before: set[Path]) -> Path | None:
        end = time.monotonic() + DRIVE_WITHIN_S
        while time.monotonic() < end:
            if new := sorted(set(self.drives()) - before):
                return new[0]
            if bootsel.picotool() and time.monotonic() > end - DRIVE_WITHIN_S + 3:
                return None  # with that at hand, three seconds are enough for a system that mounts drives
            await asyncio.sleep(0.1)
        return None

    async def _without_drive(self, port: str, image: Image, board: Board | None) -> None:
        if (program := bootsel.picotool()) is not None:
            self._say(port, f"picotool writes, about {bootsel.seconds_for(len(image.data))} s", 0.1)
            with tempfile.TemporaryDirectory(prefix="hedgerow-") as folder:
                file = Path(folder) / "firmware.uf2"
                file.write_bytes(image.data)
                await asyncio.to_thread(bootsel.load_by_picotool, program, file, port)
            return
        if (device := bootsel.unmounted()) is not None:
            raise bootsel.not_mounted(device, port)
        raise LinkError(
            "the board went to its boot loader, and no drive appeared",
            node=port,
            state="Nothing was changed",
            next_step=board.bootloader_help if board else "Unplug it, hold its button, plug it in again.",
        )

    async def _back(self, port: str | None, known: set[str]) -> str:
        """The port of a board that restarts: the same again, or a new one. Raises VerificationError if none comes."""
        end = time.monotonic() + RETURN_WITHIN_S
        while time.monotonic() < end:
            new = [facts.path for facts in self.here() if facts.path not in known]
            for path in [*([port] if port else []), *new]:
                with contextlib.suppress(FleetError):
                    transport: Transport = await self.connect(path)
                    await transport.close()
                    return path
            await asyncio.sleep(0.3)
        raise flash_pico.did_not_come_back(port, RETURN_WITHIN_S)

    def _say(self, port: str, doing: str, fraction: float, node: str = "") -> None:
        if self.tell is not None:
            self.tell(Progress(port, node, doing, fraction))


def refuse_misuse(port_names: Sequence[str], drives: Sequence[Path], images: Mapping[str, Image]) -> None:
    """Mistakes on the command line that no look at a board is needed for."""
    if not port_names and not drives:
        raise UsageError(
            "no port was named", next_step="Name one with -p, or take --all; `hedgerow devices` lists them"
        )
    if len({*port_names, *map(str, drives)}) != len(port_names) + len(drives):
        raise UsageError("a port was named twice")
    if not images:
        raise UsageError(
            "no firmware image is here",
            next_step="Fetch the one for your board from micropython.org/download, then `hedgerow images add FILE`",
        )


def plugged_in() -> list[str]:
    """The ports whose USB id is that of a board which Hedgerow knows."""
    real = [board for board in boards.all_boards() if board.stand_in is None]
    return [facts.path for facts in ports.here() if ports.guess_boards(facts, real)]
