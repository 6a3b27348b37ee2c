"""The pages that flash boards, followed word for word: emulated boot loaders answer on the ports that a page names."""

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pages import ROOT, Reader

if not sys.platform.startswith("linux"):
    pytest.skip("the emulated boot loader needs Linux", allow_module_level=True)

sys.path.append(str(ROOT / "host" / "tests" / "flash"))  # for made_images

import made_images

from hedgerow.virtual import keeper
from hedgerow.virtual.esp_rom import EmulatedRom, Faults

pytestmark = pytest.mark.timeout(180)
ESP32, S3 = "ESP32_GENERIC-20231227-v1.22.0.bin", "ESP32_GENERIC_S3-20231227-v1.22.0.bin"


def a_folder_with_images(path: Path) -> Path:
    path.mkdir()
    (path / ESP32).write_bytes(made_images.esp("ESP32"))
    (path / S3).write_bytes(made_images.esp("ESP32-S3", flash_code=3))
    return path


def test_who_follows_the_how_to_page_gets_what_it_promises(tmp_path):
    folder = a_folder_with_images(tmp_path / "folder")
    with contextlib.ExitStack() as stack:
        instead = {}
        for number, (mcu, faults) in enumerate(
            [("ESP32", None), ("ESP32-S3", None), ("ESP32", Faults(deaf_syncs=999))]
        ):
            place = tmp_path / f"board-{number}"
            place.mkdir()
            rom = stack.enter_context(EmulatedRom(mcu, place, 8 << 20, faults))
            instead[f"/dev/ttyUSB{number}"] = rom.port
        Reader(folder, tmp_path / "home", instead=instead).follow(ROOT / "docs" / "how-to" / "flash-boards.md")


class NewBoard:
    """A board as it comes: in its boot loader until it was flashed, and MicroPython from then on, on one port."""

    def __init__(self, folder: Path, runs: Path) -> None:
        folder.mkdir()
        self.port = folder / "port"
        self._rom = EmulatedRom("ESP32-S3", folder, 8 << 20)
        self._runs = runs
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(5)
        self._rom.close()

    def _live(self) -> None:
        while not self._stop.is_set():
            time.sleep(0.02)
            if self._rom.erased_bytes and not self._rom.is_open:
                self._rom.close()
                self.port.symlink_to(self._runs)
                return


@pytest.fixture
def reader(folder: Path) -> Iterator[Reader]:
    """Somebody in a repair café with two new boards on the table, and the image fetched."""
    a_folder_with_images(folder)
    boards = folder.parent / "boards"
    keeper.start(boards, ["--count=2", "--board=ESP32_GENERIC_S3"])
    new = [NewBoard(folder.parent / f"new-{number}", boards / f"node-{number}" / "port") for number in (1, 2)]
    yield Reader(
        folder, folder.parent / "home", instead={f"/dev/ttyACM{at}": str(one.port) for at, one in enumerate(new)}
    )
    for one in new:
        one.close()


def test_a_cafe_flashes_provisions_and_labels(reader):
    reader.follow(ROOT / "docs" / "for" / "repair-cafe.md")
