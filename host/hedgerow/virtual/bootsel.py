"""Plays what a Pico does in its boot loader: a drive appears, takes a UF2, vanishes, and the board starts again.

The drive is a folder; on a real board the system mounts it. `BootselDrive` is the drive alone; `BootselPico` puts one
beside a virtual board, which enters it by `machine.bootloader()` as the real one does.
"""

import asyncio
import contextlib
import shutil
import threading
import time
from pathlib import Path

from hedgerow.flash import uf2
from hedgerow.virtual.board import VirtualBoard
from hedgewire.cbor import Damage

INFO_TEXT = "UF2 Bootloader v3.0\nModel: Raspberry Pi RP2\nBoard-ID: RPI-RP2\n"
_POLL_S = 0.01
_APPEARS_AFTER_S = 0.2


class BootselDrive:
    """A folder that is an RP2040's drive until it has taken a whole image; `flash` is then what the board holds.

    `vanishes_after_bytes` pulls the cable once so much of a file is there; `is_deaf` makes it take nothing.
    """

    def __init__(self, folder: Path, *, vanishes_after_bytes: int | None = None, is_deaf: bool = False) -> None:
        self.folder = folder
        self.flash: bytes | None = None
        self._limit = vanishes_after_bytes
        self._is_deaf = is_deaf
        self._stop = threading.Event()
        folder.mkdir(parents=True)
        (folder / "INDEX.HTM").write_text("<html></html>", encoding="ascii")
        (folder / "INFO_UF2.TXT").write_text(INFO_TEXT, encoding="ascii")
        self._thread = threading.Thread(target=self._live, name=f"drive {folder}", daemon=True)
        self._thread.start()

    def __enter__(self) -> "BootselDrive":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(5)
        shutil.rmtree(self.folder, ignore_errors=True)

    def wait_gone(self) -> None:
        """Until it vanishes or is closed."""
        self._thread.join()

    def _live(self) -> None:
        while not self._stop.is_set():
            time.sleep(_POLL_S)
            for path in self.folder.glob("*.[uU][fF]2"):
                if self._takes(path):
                    shutil.rmtree(self.folder, ignore_errors=True)
                    return

    def _takes(self, path: Path) -> bool:
        """Whether the drive goes away now: with a whole image, or because somebody pulled it."""
        try:
            data = path.read_bytes()
        except OSError:
            return False
        if self._limit is not None and len(data) >= self._limit:
            return True
        image = uf2.parse(data)
        if self._is_deaf or isinstance(image, Damage):
            return False
        self.flash = image.payload
        return True


class BootselPico:
    """A virtual Pico with a boot loader. Start the board first; `serve()` is a task beside it."""

    def __init__(self, board: VirtualBoard, drive: Path) -> None:
        self.board = board
        self.drive = drive
        self.visits = 0

    async def serve(self) -> None:
        """Whenever the board goes to its boot loader: no port, a drive, and then the port again."""
        while True:
            await asyncio.sleep(_POLL_S)
            if self.board.pid is None and self.board.resets[-1:] == ["bootloader"]:
                await self._visit()

    async def _visit(self) -> None:
        self.board.pull_cable()
        await asyncio.sleep(_APPEARS_AFTER_S)
        self.visits += 1
        with BootselDrive(self.drive) as drive:
            await asyncio.to_thread(drive.wait_gone)
        if drive.flash is None:
            return
        self.board.image.with_name(self.board.image.name + ".firmware").write_bytes(drive.flash)
        self.board.resets.append("flashed")
        self.board.plug()
        with contextlib.suppress(TimeoutError):
            await self.board.power_on()
