"""Knows how tests of this folder get a MicroPython and leave nothing running; knows no page."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hedgerow.errors import EnvironmentProblem
from hedgerow.virtual import interpreter, keeper

sys.path.insert(0, str(Path(__file__).parent))  # for pages


@pytest.fixture
def micropython() -> None:
    """Skips where virtual boards cannot run."""
    if not sys.platform.startswith("linux"):
        pytest.skip("virtual boards run on Linux only")
    try:
        interpreter.ensure()
    except EnvironmentProblem as missing:
        pytest.skip(f"no MicroPython: {missing}")


@pytest.fixture
def folder(micropython: None, tmp_path: Path) -> Iterator[Path]:
    """Where a page is followed. Boards that a failed test left up are taken down."""
    yield tmp_path / "folder"
    for state in tmp_path.rglob("state.json"):
        keeper.stop(state.parent)
