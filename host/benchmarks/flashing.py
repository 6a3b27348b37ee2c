"""Measures what flashing an ESP32 costs, beside the program esptool, on an emulated boot loader. Knows no board.

    python host/benchmarks/flashing.py

The board's end of the line takes bytes at the baud rate that both have agreed on; its flash takes no time. So the
seconds are those of the cable and of the tools, and the same for both. `changed` is an image in which one kilobyte in
the middle differs; `half` is a board whose cable was pulled when half of it was written.
"""

import contextlib
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from hedgerow.flash import esp, image
from hedgerow.flash.image import Image
from hedgerow.transports.serial import open_port
from hedgerow.virtual.esp_rom import EmulatedRom

sys.path.append(str(Path(__file__).parents[1] / "tests" / "flash"))

import made_images

BAUD = 460_800
APP_BYTES = 400_000
RUN_S = 300
ESPTOOL = Path(sys.executable).parent / "esptool"


def by_hedgerow(port: str, new: Image, old: Image | None) -> None:
    esp.flash("board", lambda: open_port(port), lambda _: new, lambda *_: None, bauds=(BAUD,))


def by_esptool(port: str, new: Image, old: Image | None, *more: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file, before = Path(folder) / "new.bin", Path(folder) / "old.bin"
        file.write_bytes(new.data)
        with contextlib.suppress(AttributeError):
            before.write_bytes(old.data)
        known = ["--diff-with", before] if more and old is not None else []
        subprocess.run(
            [ESPTOOL, "--port", port, "--baud", str(BAUD), "write-flash", "0x1000", file, *known],
            check=True,
            capture_output=True,
            timeout=RUN_S,
        )


def by_esptool_diff(port: str, new: Image, old: Image | None) -> None:
    by_esptool(port, new, old, "diff")


TOOLS: dict[str, Callable[[str, Image, Image | None], None]] = {
    "hedgerow": by_hedgerow,
    "esptool": by_esptool,
    "esptool, told the old image": by_esptool_diff,
}


def cases() -> list[tuple[str, bytes | None, Image, Image | None]]:
    """What is on the board, what is to be, and what the person believes is on it."""
    old = image.read(made_images.esp(app_bytes=APP_BYTES))
    text = bytearray(made_images.micropython("1.22.0", made_images.MACHINES["ESP32"], APP_BYTES, 1))
    text[APP_BYTES // 2 : APP_BYTES // 2 + 1024] = random.Random(2).randbytes(1024)
    app = made_images.program(0, bytes(text), is_app=True)
    new = image.read(made_images.esp(app_bytes=APP_BYTES)[:0xF000] + app)
    assert isinstance(old, Image)
    assert isinstance(new, Image)
    half = old.payload[: len(old.payload) // 2]
    return [
        ("empty", None, old, None),
        ("same", old.payload, old, old),
        ("changed", old.payload, new, old),
        ("half", half, old, None),
    ]


def main() -> int:
    print(f"an image of {len(cases()[0][2].payload) // 1024} KiB at {BAUD} baud, bytes to the board and seconds")
    print(f"{'board holds':<10} {'tool':<28} {'bytes':>8} {'s':>6}")
    good = True
    for name, there, wanted, believed in cases():
        for tool, run in TOOLS.items():
            with tempfile.TemporaryDirectory() as folder, EmulatedRom("ESP32", Path(folder), is_paced=True) as rom:
                if there is not None:
                    rom.flash[0x1000 : 0x1000 + len(there)] = there
                begin = time.perf_counter()
                run(rom.port, wanted, believed)
                took = time.perf_counter() - begin
                right = bytes(rom.flash[0x1000 : 0x1000 + len(wanted.payload)]) == wanted.payload
                good = good and right
                print(
                    f"{name:<10} {tool:<28} {rom.received_bytes:>8} {took:>6.2f}{'' if right else '  WRONG'}",
                    flush=True,
                )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
