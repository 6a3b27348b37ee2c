"""Knows how tests of this folder get boards in their boot loaders; knows nothing of what they do with them."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]  # for made_images

if sys.platform.startswith("linux"):
    from hedgerow.virtual.esp_rom import EmulatedRom


@pytest.fixture
def rom(tmp_path: Path) -> Iterator[Callable[..., "EmulatedRom"]]:
    """`rom("ESP32", faults=..)` is a board in its boot loader on a port of its own."""
    if not sys.platform.startswith("linux"):
        pytest.skip("the emulated boot loader needs Linux")
    made: list[EmulatedRom] = []

    def one(mcu: str = "ESP32", **settings: object) -> "EmulatedRom":
        folder = tmp_path / f"board-{len(made)}"
        folder.mkdir()
        made.append(EmulatedRom(mcu, folder, **settings))
        return made[-1]

    yield one
    for board in made:
        board.close()
