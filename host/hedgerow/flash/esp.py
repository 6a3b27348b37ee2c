"""Knows how to put an image onto one board of the ESP32 family through its boot loader, and to read it back.

Blocks: call it in a thread, one thread a board. Decides nothing about images: the caller's `choose` does, after the
chip has said what it is and before anything is erased.

Nothing is believed: what the flash holds is asked from the chip as MD5 of blocks, so that only blocks that differ are
written (whatever was there before, and whatever a pulled cable left), and at the end the whole of it is asked again.
"""

import hashlib
import math
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from hedgerow.errors import FleetError, InterruptedWork, LinkError, RefusedError, VerificationError
from hedgerow.flash.image import Image

BAUDS = (921_600, 460_800, 230_400, 115_200)
"""Tried in this order: what a cable does not hold is followed by half of it."""
ROM_BAUD = 115_200
CONNECT_ATTEMPTS = 3  # of esptool's own, each five questions: about four seconds of silence
SECTOR_BYTES = 4096
BLOCK_BYTES = 65536
FLASH_BYTES_A_SECOND = 350_000  # erase and program, by data sheets of common chips; the cable is often slower
MD5_BYTES_A_SECOND = 2_000_000
_PROBE_BYTES = 16384
_ANY_BUTTON = "Hold the board's BOOT button while you press and release RESET, then run the same command again."

Tell = Callable[[str, float], None]
OpenPort = Callable[[], Any]  # an open pyserial object


@dataclass(frozen=True)
class EspFacts:
    """What a chip said of itself in its boot loader."""

    mcu: str
    flash_bytes: int
    mac: str


@dataclass(frozen=True)
class Flashed:
    """What was done; all of it was read back. `written_bytes` is 0 where the image was there already."""

    facts: EspFacts
    image: Image
    written_bytes: int
    sent_bytes: int
    baud: int
    seconds: float


class _Garbled(Exception):
    """The line damaged something: a slower one may do."""


def flash(
    name: str,
    open_port: OpenPort,
    choose: Callable[[EspFacts], Image],
    tell: Tell,
    *,
    bauds: Sequence[int] = BAUDS,
    erase: bool = False,
    help_text: str = "",
) -> Flashed:
    """Write what `choose` gives and verify it. Raises LinkError, RefusedError, InterruptedWork or VerificationError.

    `help_text` says which button to hold; it is the next step when nothing answers.
    """
    work = _Work(name, open_port, choose, tell, erase, help_text)
    for number, baud in enumerate(bauds):
        try:
            return work.at(baud)
        except _Garbled as garbled:
            if number + 1 == len(bauds):
                raise work.broken(f"the line damages what is sent, even at {baud} baud ({garbled})") from garbled
            tell(f"the cable does not hold {baud} baud; going on with {bauds[number + 1]}", 0.0)
    raise RefusedError("no baud rate was given", node=name)


def read_back(name: str, open_port: OpenPort, image: Image, tell: Tell, *, help_text: str = "") -> list[int]:
    """The addresses of blocks whose contents are not those of `image`: a look that changes nothing."""
    work = _Work(name, open_port, lambda _: image, tell, False, help_text)
    with work.connected() as rom:
        loader = work.faster(rom, BAUDS[0])
        return [image.offset + start for start, _ in _differing(loader, image, tell)]


class _Work:
    """One board, from the first attempt to the last."""

    def __init__(
        self,
        name: str,
        open_port: OpenPort,
        choose: Callable[[EspFacts], Image],
        tell: Tell,
        erase: bool,
        help_text: str,
    ) -> None:
        self.name = name
        self._open_port = open_port
        self._choose = choose
        self._tell = tell
        self._erase = erase
        self._help = help_text
        self._began = False  # something may be erased or half written
        self._started = time.monotonic()

    def at(self, baud: int) -> Flashed:
        with self.connected() as rom:
            facts = _facts(rom, self.name)
            image = self._choose(facts)
            loader = self.faster(rom, baud)
            if self._erase:
                self._tell("erasing the whole flash, up to 40 s", 0.0)
                self._began = True
                loader.erase_flash()
                self._erase = False
            regions = _differing(loader, image, self._tell)
            sent = self._write(loader, image, regions, baud)
            self._tell("reading it back", 0.95)
            if loader.flash_md5sum(image.offset, len(image.payload)) != hashlib.md5(image.payload).hexdigest():
                raise VerificationError(
                    "what was read back is not what was written: this flash chip is worn or damaged",
                    node=self.name,
                    state="The board will not start from it",
                    next_step="Try once more; if it happens again, set this board aside.",
                )
            self._began = False
            loader.hard_reset()
            self._tell("done", 1.0)
            written = sum(len(data) for _, data in regions)
            return Flashed(facts, image, written, sent, baud, time.monotonic() - self._started)

    def _write(self, loader: Any, image: Image, regions: list[tuple[int, bytes]], baud: int) -> int:
        from esptool.cmds import write_flash

        if not regions:
            self._tell("it is there already; nothing to write", 0.9)
            return 0
        packed = [len(zlib.compress(data, 9)) for _, data in regions]
        total = sum(len(data) for _, data in regions)
        about_s = seconds_for(sum(packed), total, baud)
        self._tell(f"writing {total // 1024} KiB, about {about_s} s", 0.05)
        self._pieces = _Pieces([len(data) for _, data in regions], about_s, self._tell)
        self._began = True
        write_flash(loader, [(image.offset + start, data) for start, data in regions], compress=True)
        return sum(packed)

    def moved(self, done: int, total: int) -> None:
        pieces: _Pieces | None = getattr(self, "_pieces", None)
        if pieces is not None:
            pieces.moved(done, total)

    @contextmanager
    def connected(self) -> Iterator[Any]:
        """The chip's boot loader, answering; whatever goes wrong inside becomes an error that names the guilty side."""
        from esptool.util import FatalError

        from hedgerow.flash.esp_log import Ear, listening

        port, ear = self._open_port(), Ear(self.moved)
        try:
            with listening(ear):
                self._tell("asking the boot loader, up to 10 s", 0.0)
                yield _connect(port)
        except (FleetError, _Garbled):
            raise
        except FatalError as error:
            raise self._judged(str(error)) from error
        except Exception as error:
            # pyserial lets OSError, termios.error and TypeError through when a port vanishes under it.
            if not _is_of_the_port(error):
                raise
            raise self.broken(f"the port went away ({_short(error)})") from error
        finally:
            _close(port)

    def faster(self, loader: Any, baud: int) -> Any:
        """The helper in the chip's RAM runs, at `baud`, and a piece of flash came through it undamaged."""
        from esptool.cmds import attach_flash, run_stub

        if not loader.IS_STUB:
            loader = run_stub(loader)
        if not loader.IS_STUB:
            raise RefusedError(
                "this chip is locked (secure boot or secure download), so nothing can be read back from it",
                node=self.name,
                state="Nothing was changed",
                next_step="Use another board: who locked this one holds its key.",
            )
        attach_flash(loader)
        loader.WRITE_FLASH_ATTEMPTS = 1  # esptool would wait for a lost port and go on blindly; we begin anew instead
        if baud > ROM_BAUD:
            loader.change_baud(baud)
            loader.read_flash(0, _PROBE_BYTES)  # it checks an MD5 of its own
        return loader

    def _judged(self, said: str) -> Exception:
        """esptool has one exception for everything; its sentence tells what it is."""
        said = said.splitlines()[0] if said else "no reason given"
        if "MD5 of file does not match" in said or "flash region is empty" in said:
            return VerificationError(
                "the flash does not keep what is written to it",
                node=self.name,
                state="The board will not start from it",
                next_step="Try once more; if it happens again, set this board aside.",
            )
        if said.startswith("Failed to connect") or "autodetect" in said or "Unexpected chip" in said:
            if self._began:
                return self.broken(f"the boot loader does not answer any more ({said})")
            return LinkError(
                "no boot loader answers on this port",
                node=self.name,
                state="Nothing was changed",
                next_step=self._help
                or "Hold the board's BOOT button while you press and release RESET; then try again.",
            )
        if "chip revision" in said:  # told before anything is erased
            return RefusedError(
                said.partition(". Use --force")[0].replace("Input requires", "the image needs a"),
                node=self.name,
                state="Nothing was changed",
                next_step="Take another release of MicroPython, or another board.",
            )
        if "Secure Boot" in said or "ncrypt" in said:
            return RefusedError(said, node=self.name, state="Nothing was changed", next_step="Use another board.")
        return _Garbled(said)

    def broken(self, what: str) -> FleetError:
        """The way to the board is gone; what state the board is in depends on how far the work had come."""
        next_step = "Plug the cable in again and run the same command again."
        if not self._began:
            return LinkError(what, node=self.name, state="Nothing was changed", next_step=next_step)
        return InterruptedWork(
            what,
            node=self.name,
            state="The board is half written and will not start",
            next_step=next_step + " What is written already is not written again.",
        )


class _Pieces:
    """Turns the progress of each piece into one of the whole."""

    def __init__(self, sizes: list[int], about_s: int, tell: Tell) -> None:
        self._sizes, self._total = sizes, sum(sizes)
        self._number, self._last = 0, 0
        self._about_s, self._tell = about_s, tell

    def moved(self, done: int, total: int) -> None:
        if done < self._last:
            self._number += 1
        self._last = done
        before = sum(self._sizes[: self._number])
        here = self._sizes[min(self._number, len(self._sizes) - 1)] * done / max(1, total)
        part = min(1.0, (before + here) / self._total)
        left_s = math.ceil(self._about_s * (1 - part))
        self._tell(f"writing, about {left_s} s left", min(0.95, 0.05 + 0.9 * part))


def seconds_for(sent_bytes: int, flash_bytes: int, baud: int) -> int:
    """How long writing takes, about: cable or flash, whichever is slower, and the check."""
    slower = max(sent_bytes * 10 / baud, flash_bytes / FLASH_BYTES_A_SECOND)
    return math.ceil(slower + flash_bytes / MD5_BYTES_A_SECOND + 1)


def _connect(port: Any) -> Any:
    """As esptool.cmds.detect_chip, over a port that is open already."""
    from esptool import cmds

    return cmds.detect_chip(port, ROM_BAUD, connect_attempts=CONNECT_ATTEMPTS)


def _facts(loader: Any, name: str) -> EspFacts:
    from esptool.cmds import attach_flash, detect_flash_size
    from esptool.util import flash_size_bytes

    if loader.secure_download_mode:
        raise RefusedError(
            "this chip is locked (secure download mode), so nothing can be read back from it",
            node=name,
            state="Nothing was changed",
            next_step="Use another board: who locked this one holds its key.",
        )
    attach_flash(loader)
    size = flash_size_bytes(detect_flash_size(loader))
    if size is None:
        raise RefusedError(
            "the flash chip does not say how large it is",
            node=name,
            state="Nothing was changed",
            next_step="Check that nothing else is wired to the board, then try again.",
        )
    mac = ":".join(f"{byte:02x}" for byte in loader.read_mac("BASE_MAC"))
    return EspFacts(loader.CHIP_NAME, size, mac)


def _differing(loader: Any, image: Image, tell: Tell) -> list[tuple[int, bytes]]:
    """Where flash and image differ: whole sectors as (start within the image, bytes), neighbours joined."""
    payload, found = image.payload, []
    for start in range(0, len(payload), BLOCK_BYTES):
        tell("comparing with what is there", 0.05 * start / len(payload))
        if not _same(loader, image, start, BLOCK_BYTES):
            found.append(start)
    size = BLOCK_BYTES
    if 2 * len(found) <= math.ceil(len(payload) / BLOCK_BYTES):  # few: a closer look is cheaper than writing
        size = SECTOR_BYTES
        starts = [at for start in found for at in range(start, min(start + BLOCK_BYTES, len(payload)), SECTOR_BYTES)]
        found = [start for start in starts if not _same(loader, image, start, SECTOR_BYTES)]
    regions: list[tuple[int, bytes]] = []
    for start in found:
        piece = payload[start : start + size]
        if regions and regions[-1][0] + len(regions[-1][1]) == start:
            regions[-1] = (regions[-1][0], regions[-1][1] + piece)
        else:
            regions.append((start, piece))
    return regions


def _same(loader: Any, image: Image, start: int, size: int) -> bool:
    piece = image.payload[start : start + size]
    return loader.flash_md5sum(image.offset + start, len(piece)) == hashlib.md5(piece).hexdigest()


def _is_of_the_port(error: Exception) -> bool:
    return isinstance(error, (OSError, TypeError)) or type(error).__module__ == "termios"


def _close(port: Any) -> None:
    try:
        port.close()
    except Exception as error:
        if not _is_of_the_port(error):
            raise


def _short(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).split(": [Errno")[0][:120]
