"""The store of images: what goes in is sound, what lies there is checked, and nothing is half written."""

import subprocess

import made_images
import pytest

from hedgerow.cli.main import main
from hedgerow.errors import StorageError, UsageError
from hedgerow.flash import store
from hedgerow.flash.store import SUMS, ImageStore, State

NAME = "ESP32_GENERIC-20231227-v1.22.0.bin"


@pytest.fixture
def kept(tmp_path):
    return ImageStore(tmp_path / "images")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / NAME
    path.write_bytes(made_images.esp())
    return path


def test_what_was_added_is_good_and_can_be_flashed(kept, file):
    assert kept.add(file)[0] == NAME
    (one,) = kept.check()
    assert (one.name, one.state, one.image.machine) == (NAME, State.GOOD, made_images.MACHINES["ESP32"])
    assert list(kept.sound_images()) == [NAME]


def test_adding_twice_changes_nothing(kept, file):
    kept.add(file)
    kept.add(file)
    assert len(kept.check()) == 1


def test_a_stick_can_be_checked_without_hedgerow(kept, file):
    kept.add(file)
    done = subprocess.run(["sha256sum", "--check", SUMS], cwd=kept.folder, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (0, f"{NAME}: OK\n")


def test_a_damaged_file_is_refused_and_nothing_is_kept(kept, file):
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(UsageError, match="ends in the middle of its application"):
        kept.add(file)
    assert kept.check() == []


def test_another_image_under_the_same_name_is_refused(kept, file):
    kept.add(file)
    file.write_bytes(made_images.esp(seed=2))
    with pytest.raises(UsageError, match="already has another image"):
        kept.add(file)


@pytest.mark.parametrize(
    ("harm", "state"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), State.CHANGED),
        (lambda path: path.write_bytes(made_images.esp(seed=3)), State.CHANGED),
        (lambda path: path.unlink(), State.MISSING),
        (lambda path: (path.parent / SUMS).unlink(), State.UNRECORDED),
    ],
)
def test_what_is_no_longer_what_was_added_is_named_and_not_flashed(kept, file, harm, state):
    kept.add(file)
    harm(kept.folder / NAME)
    assert [one.state for one in kept.check()] == [state]
    assert kept.sound_images() == {}


def test_a_missing_image_can_be_added_again(kept, file):
    kept.add(file)
    (kept.folder / NAME).unlink()
    kept.add(file)
    assert [one.state for one in kept.check()] == [State.GOOD]


def test_a_name_that_leads_out_of_the_store_is_nobodys(kept, file):
    kept.add(file)
    with (kept.folder / SUMS).open("a") as sums:
        sums.write("0" * 64 + "  ../" + NAME + "\nnonsense\n")
    assert [one.name for one in kept.check()] == [NAME]


def test_a_store_that_cannot_be_written_is_told(tmp_path, file):
    (tmp_path / "images").write_text("a file where the folder should be")
    with pytest.raises(StorageError, match="cannot be"):
        ImageStore(tmp_path / "images").add(file)


def test_a_person_may_call_an_image_by_a_part_of_its_name():
    names = ["RPI_PICO-v1.22.2.uf2", "RPI_PICO_W-v1.22.2.uf2"]
    assert store.named(names, "RPI_PICO-v1.22.2") == names[0]
    assert store.named(names, "pico_w") == names[1]
    assert store.named(names, "pico") is None
    assert store.named(names, "esp") is None


def test_the_commands_add_list_and_verify(tmp_path, file, capsys):
    folder = ["--store", str(tmp_path / "images")]
    assert main(["images", "list", *folder]) == 0
    assert "No image is in" in capsys.readouterr().out
    assert main(["images", "add", str(file), *folder]) == 0
    assert "MicroPython 1.22.0 for Generic ESP32" in capsys.readouterr().out
    assert main(["images", "list", *folder]) == 0
    assert "4 MiB" in capsys.readouterr().out
    assert main(["images", "verify", *folder]) == 0
    assert "1 of 1 images" in capsys.readouterr().out
    (tmp_path / "images" / NAME).write_bytes(b"")
    assert main(["images", "verify", *folder]) == 1
    assert "changed: it is not what was put there" in capsys.readouterr().out
    assert main(["images", "verify", "--json", *folder]) == 1
    assert main(["images", "add", str(tmp_path / "none.bin"), *folder]) == 2


def test_the_store_of_a_user_follows_the_systems_rule(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert ImageStore().folder == tmp_path / "hedgerow" / "images"
