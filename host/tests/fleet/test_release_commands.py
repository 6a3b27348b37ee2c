"""`hedgerow release`: built from source, signed by people, refused when it is not what it says."""

import json
import shutil

import pytest

from hedgerow.cli.main import main
from hedgerow.fleet import key_lock


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "empty home"))
    monkeypatch.setattr(key_lock, "LOG2_N", 4)
    source = tmp_path / "firmware"
    for name in (
        "hedgewire/__init__.py",
        "hedgewire/one.py",
        "hedgenode/__init__.py",
        "slots.py",
        "boot.py",
        "main.py",
    ):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text("X = 1\n")
    (source / "hedgenode" / "app.py").write_text('VERSION = "9.8.7"\n')
    return tmp_path


@pytest.fixture
def ask(capsys):
    def asked(*arguments: str, code: int = 0):
        assert main([*arguments, "--json"]) == code, capsys.readouterr().err
        said = capsys.readouterr()
        return json.loads(said.out if code in (0, 1) else said.err.splitlines()[-1])

    return asked


FLEET = ("--fleet", "river")
SOURCE = ("--source", "firmware")
FIRST = "river/releases/RPI_PICO-1"


def test_stewards_sign_one_after_the_other_once_a_charter_is_in_force(here, ask):
    ben, cy = (f"{name}={ask('keys', 'new', name, '--keys', f'{name}.toml')['public']}" for name in ("Ben", "Cy"))
    ask("fleet", "new", "river", "--stewards", f"Ana,{ben},{cy}")
    ask("release", "build", "RPI_PICO", *SOURCE, *FLEET)
    assert ask("release", "show", FIRST, *FLEET, code=1)["lacks"] == "no charter is in force"
    assert "not signed yet" in ask("release", "sign", FIRST, "--yes", *FLEET, code=4)["what"]
    ask("charter", "sign", "--keys", "Ben.toml", *FLEET)
    assert ask("release", "sign", FIRST, "--yes", *FLEET)["lacks"].endswith("in force: Ben, Cy")
    assert ask("release", "sign", FIRST, "--yes", "--keys", "Cy.toml", *FLEET)["signed_by"] == ["Ana", "Cy"]
    assert ask("release", "show", FIRST, *FLEET)["lacks"] is None
    ask("release", "build", "RPI_PICO", *SOURCE, *FLEET)
    (here / "none.toml").write_text("")
    refused = ask("release", "sign", "river/releases/RPI_PICO-2", "--yes", "--keys", "none.toml", *FLEET, code=4)
    assert "no key here counts for release 2" in refused["what"]


def test_a_release_is_built_signed_and_shown(here, ask, capsys):
    ask("fleet", "new", "river", "--stewards", "Ana,Ben,Cy")
    built = ask("release", "build", "RPI_PICO", *SOURCE, *FLEET)
    assert (built["sequence"], built["version"], built["files"]) == (1, "9.8.7", 5)
    assert built["lacks"] == "it lacks 2 of 2 signatures of the stewards in force: Ana, Ben, Cy"
    assert ask("release", "show", FIRST, *FLEET, code=1)["signed_by"] == []
    signed = ask("release", "sign", FIRST, "--yes", *FLEET)
    assert (signed["lacks"], signed["signed_by"]) == (None, ["Ana", "Ben", "Cy"])
    assert ask("release", "show", FIRST, *FLEET)["digest"] == built["digest"]
    # Built again from the same source it is the same, signatures included; the next one gets the next number.
    assert ask("release", "build", "RPI_PICO", "--sequence", "1", *SOURCE, *FLEET)["lacks"] is None
    assert ask("release", "build", "RPI_PICO", *SOURCE, *FLEET)["sequence"] == 2
    assert ask("release", "build", "ESP32_GENERIC", *SOURCE, *FLEET)["sequence"] == 1
    assert main(["release", "show", FIRST, *FLEET]) == 0
    said = capsys.readouterr().out
    assert "✔ every file is there as it says" in said
    assert "✔ signed by enough stewards" in said


def test_what_was_changed_is_neither_signed_nor_called_good(here, ask):
    ask("fleet", "new", "river")
    ask("release", "build", "RPI_PICO", *SOURCE, *FLEET)
    app = here / FIRST / "hedgenode" / "app.mpy"
    whole = app.read_bytes()
    for damage, words in (
        (lambda: app.write_bytes(whole[:-1] + b"!"), "hedgenode/app.mpy is not the one of the release"),
        (app.unlink, "hedgenode/app.mpy is missing"),
        (lambda: (app.write_bytes(whole), app.with_name("x.mpy").write_bytes(b"x")), "x.mpy does not belong to it"),
    ):
        damage()
        assert words in ask("release", "sign", FIRST, "--yes", *FLEET, code=4)["what"]
        assert words in ask("release", "show", FIRST, *FLEET, code=1)["fault"]
    (here / FIRST / "release.cbor").write_bytes(b"\xa0")
    assert "is no release" in ask("release", "show", FIRST, *FLEET, code=2)["what"]


def test_another_fleet_does_not_sign_it_and_nothing_is_overwritten(here, ask):
    ask("fleet", "new", "river")
    ask("fleet", "new", "brook")
    ask("release", "build", "RPI_PICO", *SOURCE, *FLEET)
    assert "another fleet" in ask("release", "sign", FIRST, "--yes", "--fleet", "brook", code=4)["what"]
    assert ask("release", "show", FIRST, "--fleet", "brook", code=1)["lacks"] == "it is a release of another fleet"
    (here / "firmware" / "hedgewire" / "one.py").write_text("X = 2\n")
    again = ask("release", "build", "RPI_PICO", "--sequence", "1", *SOURCE, *FLEET, code=2)
    assert "holds something else" in again["what"]
    shutil.rmtree(here / FIRST)
    assert "cannot be read" in ask("release", "show", FIRST, *FLEET, code=2)["what"]
