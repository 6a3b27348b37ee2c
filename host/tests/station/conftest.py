"""Knows how tests of this folder get a fleet, boards and a station; knows nothing of what they do with them."""

import sys
from functools import partial
from pathlib import Path

import pytest

from hedgerow.plans import firmware
from hedgerow.virtual import interpreter

sys.path.insert(0, str(Path(__file__).parents[1]))  # for in_chromium
sys.path.insert(0, str(Path(__file__).parent))  # for station_table


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """Compiled files are shared by the tests of one run, and no test writes into anybody's home."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(firmware.CACHE_VARIABLE, str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def micropython() -> interpreter.Interpreter:
    return interpreter.ensure()


@pytest.fixture
def table(tmp_path, micropython):
    """`async with table(2) as bench:` is a fleet and two bare boards."""
    import station_table

    return partial(station_table.opened, tmp_path, micropython)
