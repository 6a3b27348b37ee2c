"""A kit installs on a laptop that has no network, and a laptop that was installed from one can make the next."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import made_images
import pytest

from hedgerow import __version__
from hedgerow.cli.main import main
from hedgerow.errors import EnvironmentProblem, UsageError, VerificationError
from hedgerow.flash.store import ImageStore
from hedgerow.plans import kit as plan

pytestmark = pytest.mark.timeout(400)
NAME = "ESP32_GENERIC-20231227-v1.22.0.bin"


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> ImageStore:
    folder = tmp_path_factory.mktemp("store")
    (folder / NAME).write_bytes(made_images.esp())
    kept = ImageStore(folder / "images")
    kept.add(folder / NAME)
    return kept


@pytest.fixture(scope="module")
def kit(tmp_path_factory, store) -> Path:
    """A kit as `hedgerow kit` makes it. Its wheels come from the package index or from pip's memory of it."""
    folder = tmp_path_factory.mktemp("stick") / "a kit"
    try:
        plan.build(folder, store, lambda _: None, kept=folder / "nothing kept")
    except EnvironmentProblem as missing:
        pytest.skip(f"wheels cannot be collected here: {missing}")
    return folder


class Laptop:
    """Another person's: an empty home, no network, nothing but Python."""

    def __init__(self, home: Path) -> None:
        self.home = home
        home.mkdir()
        self.tool = home / ".local" / "share" / "hedgerow" / "tool" / "bin"
        self._environment = {
            "HOME": str(home),
            "PATH": os.defpath,
            "PIP_INDEX_URL": "http://127.0.0.1:9/",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_RETRIES": "0",
            "LC_ALL": "C.UTF-8",
        }

    def run(self, *command: object) -> "subprocess.CompletedProcess[str]":
        words = [str(word) for word in command]
        return subprocess.run(words, env=self._environment, cwd=self.home, capture_output=True, text=True, timeout=300)

    def hedgerow(self, *arguments: object) -> "subprocess.CompletedProcess[str]":
        return self.run(self.tool / "hedgerow", *arguments)


def test_a_kit_installs_without_a_network_and_makes_the_next_one(kit, tmp_path):
    laptop = Laptop(tmp_path / "home")
    done = laptop.run(sys.executable, kit / "install.py")
    assert done.returncode == 0, done.stderr
    assert "this takes about a minute" in done.stdout
    assert laptop.hedgerow("--version").stdout == f"hedgerow {__version__}\n"
    verified = laptop.hedgerow("images", "verify")
    assert (verified.returncode, f"✔ {NAME} good" in verified.stdout) == (0, True), verified.stdout
    assert (laptop.home / ".local" / "bin" / "hedgerow").resolve() == (laptop.tool / "hedgerow").resolve()
    # Everything that a command may need later is there, too.
    for needed in ("flash", "label", "provision"):
        assert laptop.hedgerow(needed, "--help").returncode == 0

    again = laptop.hedgerow("kit", laptop.home / "next")
    assert again.returncode == 0, again.stderr
    assert "copying the wheels that this machine keeps" in again.stderr
    assert (laptop.home / "next" / "documentation" / "docs" / "README.md").is_file()
    second = Laptop(tmp_path / "second")
    done = second.run(sys.executable, laptop.home / "next" / "install.py", "--no-link")
    assert done.returncode == 0, done.stderr
    assert second.hedgerow("images", "verify").returncode == 0
    assert not (second.home / ".local" / "bin").exists()


def test_a_kit_says_what_it_is_and_can_be_checked_without_hedgerow(kit):
    facts = json.loads((kit / plan.MARK).read_text(encoding="utf-8"))
    assert facts["version"] == __version__
    assert "python3 install.py" in (kit / "README.txt").read_text(encoding="utf-8")
    assert (kit / "documentation" / "docs" / "for" / "repair-cafe.md").is_file()
    done = subprocess.run(["sha256sum", "--check", "--quiet", plan.SUMS], cwd=kit, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, b"")


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda kit: next((kit / "wheels").glob("rich-*")).write_bytes(b"x"), "in this kit is damaged"),
        (lambda kit: (kit / "images" / NAME).unlink(), "is missing from this kit"),
        (lambda kit: (kit / "KIT.json").write_text('{"version":"1","python":"3.9","platform":"x"}'), "this kit is for"),
        (lambda kit: (kit / "KIT.json").unlink(), "KIT.json"),
    ],
)
def test_a_stick_that_is_damaged_or_for_another_machine_installs_nothing(kit, tmp_path, harm, told):
    copy = Path(shutil.copytree(kit, tmp_path / "copy"))
    harm(copy)
    laptop = Laptop(tmp_path / "home")
    done = laptop.run(sys.executable, copy / "install.py")
    assert done.returncode == 6
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert not laptop.tool.exists()


def test_wheels_that_are_not_complete_are_no_kit(kit, store, tmp_path):
    kept = Path(shutil.copytree(kit / "wheels", tmp_path / "wheels"))
    next(kept.glob("esptool-*")).unlink()
    with pytest.raises(VerificationError, match="not complete"):
        plan.build(tmp_path / "kit", store, lambda _: None, kept=kept)


def test_a_kit_is_renewed_in_place(kit, store, tmp_path):
    copy = Path(shutil.copytree(kit, tmp_path / "copy"))
    (copy / "images" / "old.bin").write_bytes(b"old")
    made = plan.build(copy, store, lambda _: None, kept=kit / "wheels")
    assert made.images == (NAME,)
    assert not (copy / "images" / "old.bin").exists()


def test_a_folder_with_other_things_is_left_alone(store, tmp_path, capsys):
    (tmp_path / "letters.txt").write_text("dear")
    with pytest.raises(UsageError, match="is not empty and is no kit"):
        plan.build(tmp_path, store, lambda _: None)
    assert main(["kit", str(tmp_path)]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]
