"""Runs every test module of firmware/tests on MicroPython: on the source, and on what goes onto a small board."""

import shutil
import subprocess
from pathlib import Path

import pytest

from hedgerow import resources
from hedgerow.errors import EnvironmentProblem
from hedgerow.fleet import boards
from hedgerow.plans import firmware
from hedgerow.virtual import interpreter

FIRMWARE_TESTS = Path(__file__).resolve().parents[2] / "firmware" / "tests"
MODULES = sorted(path.stem for path in FIRMWARE_TESTS.glob("test_*.py"))
LIMIT_S = 120

pytestmark = pytest.mark.timeout(LIMIT_S + 200)  # the first run on a machine may have to unpack a MicroPython


@pytest.fixture(scope="module")
def micropython() -> tuple[str, ...]:
    """The MicroPython of the virtual boards; `$HEDGEROW_MICROPYTHON` names another."""
    try:
        return interpreter.ensure().command
    except EnvironmentProblem as problem:
        pytest.skip(str(problem))


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The firmware of a small board, and only that: with fewer names, compiled, in a folder for MicroPython."""
    slot = tmp_path_factory.mktemp("a")
    tests = [path.read_text(encoding="utf-8") for path in FIRMWARE_TESTS.glob("*.py")]
    for file in firmware.build(boards.load("RPI_PICO"), others=tests, whole=True).files:
        if file.path.startswith(firmware.SLOT):
            path = slot / file.path.removeprefix(firmware.SLOT + "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.data)
    (slot / "slots.py").write_bytes((resources.firmware_folder() / "slots.py").read_bytes())  # beside the slots
    return slot


def run(
    micropython: tuple[str, ...], *arguments: str, folder: Path = FIRMWARE_TESTS
) -> subprocess.CompletedProcess[str]:
    command = [*micropython, str(folder / "run_micropython.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)


@pytest.mark.parametrize("module", MODULES)
def test_module_passes_on_micropython(module, micropython):
    assert_passed(run(micropython, module))


@pytest.mark.parametrize("module", MODULES)
def test_module_passes_on_what_goes_onto_a_small_board(module, micropython, compiled):
    assert_passed(run(micropython, "--firmware", str(compiled), module))


def assert_passed(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stdout + done.stderr
    last = done.stdout.splitlines()[-1]
    assert last.endswith(" passed, 0 failed")
    assert not last.startswith("0 ")


def test_a_failing_test_is_reported_and_fails_the_run(tmp_path, micropython):
    shutil.copy(FIRMWARE_TESTS / "run_micropython.py", tmp_path)
    (tmp_path / "test_both.py").write_text("def test_good(): pass\ndef test_bad(): assert 1 == 2\n")
    (tmp_path / "test_no_import.py").write_text("import no_such_module\n")
    done = run(micropython, folder=tmp_path)
    assert done.returncode == 1
    assert "FAILED test_both.test_bad" in done.stdout
    assert "AssertionError" in done.stdout
    assert "FAILED test_no_import" in done.stdout
    assert done.stdout.splitlines()[-1] == "1 passed, 2 failed"


def test_a_run_without_tests_is_no_success(tmp_path, micropython):
    shutil.copy(FIRMWARE_TESTS / "run_micropython.py", tmp_path)
    assert run(micropython, folder=tmp_path).returncode == 1
