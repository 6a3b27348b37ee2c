"""An installed wheel has everything that a checkout has: commands, boards, firmware, weather."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

# Runs the installed copy with this environment's libraries but without its link to the source tree (-S reads no .pth).
PREFACE = "import sys; sys.path[:0] = [{installed!r}]; sys.path.append({libraries!r})\n"


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The wheel, built from this tree without a network, unpacked as an installer would."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [Path(sys.executable).with_name("hatchling"), "build", "--target", "wheel", "--directory", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=50,
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "installed")
    return folder / "installed"


def run_installed(installed: Path, code: str) -> str:
    preface = PREFACE.format(installed=str(installed), libraries=sysconfig.get_paths()["purelib"])
    done = subprocess.run(
        [sys.executable, "-S", "-c", preface + code],
        cwd=installed.parent,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_installed_command_answers(installed):
    out = run_installed(installed, "from hedgerow.cli.main import main; sys.exit(main(['--version']))")
    assert out.startswith("hedgerow ")


def test_the_installed_boards_are_those_of_the_tree(installed):
    code = (
        "from hedgerow.fleet import boards; print([b.id for b in boards.all_boards()], boards.load('VIRTUAL').board_py)"
    )
    out = run_installed(installed, code)
    for folder in (ROOT / "boards").glob("*/board.toml"):
        assert repr(folder.parent.name) in out
    assert str(installed) in out
    assert str(ROOT) not in out


def test_the_installed_firmware_is_that_of_the_tree(installed):
    folder = Path(
        run_installed(installed, "from hedgerow import resources; print(resources.firmware_folder())").strip()
    )
    assert folder.is_relative_to(installed)
    in_tree = [path for name in ("hedgewire", "hedgenode") for path in (ROOT / "firmware" / name).rglob("*.py")]
    for path in [*in_tree, *(ROOT / "firmware").glob("*.py")]:
        assert (folder / path.relative_to(ROOT / "firmware")).read_bytes() == path.read_bytes()
    assert not (folder / "tests").exists()


def test_the_installed_package_has_every_data_file_of_the_tree(installed):
    package = ROOT / "host" / "hedgerow"
    listed = subprocess.run(
        ["git", "ls-files", "."], cwd=package, capture_output=True, text=True, check=True, timeout=30
    ).stdout.splitlines()
    missing = [name for name in listed if not (installed / "hedgerow" / name).is_file() and (package / name).is_file()]
    assert missing == []


def test_the_installed_node_code_is_importable(installed):
    run_installed(
        installed, f"import hedgewire.cbor, hedgenode; assert not hedgewire.cbor.__file__.startswith({str(ROOT)!r})"
    )


def test_a_checkout_finds_its_own_folders():
    from hedgerow import resources

    assert resources.is_checkout()
    assert resources.boards_folder() == ROOT / "boards"
    assert resources.firmware_folder() == ROOT / "firmware"
