"""An image is judged by its contents: what is sound, for which chip, and every kind of damage has its sentence."""

import os
import random
from pathlib import Path

import made_images
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgerow.flash import esp_image, image, uf2
from hedgerow.flash.image import Image
from hedgerow.fleet import boards
from hedgewire.cbor import Damage

ESP, PICO = made_images.esp(), made_images.uf2()
OFFICIAL = "HEDGEROW_IMAGES"


@pytest.mark.parametrize("mcu", made_images.CHIPS)
def test_a_sound_image_says_what_it_is_for(mcu):
    found = image.read(made_images.esp(mcu))
    assert (found.mcu, found.machine, found.version) == (mcu, made_images.MACHINES[mcu], "1.22.0")
    assert (found.flash_bytes, found.filesystem_bytes) == (4 << 20, 2 << 20)
    assert found.offset == {"ESP32": 0x1000}.get(mcu, 0)
    assert found.covered == ((0, found.size_bytes),)


def test_a_sound_uf2_says_what_it_is_for():
    found = image.read(made_images.uf2(machine=made_images.PICO_W))
    assert (found.mcu, found.machine) == ("RP2040", made_images.PICO_W)
    assert found.flash_bytes == len(found.payload) == found.covered[0][1]


def spoilt(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "neither a UF2 file nor a flash image"),
        (b"\x7fELF" + bytes(500), "neither a UF2 file nor a flash image"),
        (b"<html>404</html>", "neither a UF2 file nor a flash image"),
        (ESP[:20], "ends before its boot loader"),
        (ESP[:3000], "ends in the middle of its boot loader"),
        (ESP[:0x7000], "no partition table"),
        (ESP[:0xF000], "ends before its application"),
        (ESP[: len(ESP) - 5000], "ends in the middle of its application"),
        (ESP[:-1], "ends in the middle of its application"),
        (spoilt(ESP, 200, b"\0\0"), "checksum of its boot loader"),
        (spoilt(ESP, 1, b"\x55"), "makes no sense"),
        (spoilt(ESP, 12, b"\x0d"), "SHA-256 of its boot loader"),
        (spoilt(ESP, 0x7002, b"\x07"), "checksum of its partition table"),
        (spoilt(ESP, 0x7000, b"\0\0"), "no partition table"),
        (spoilt(ESP, 0x7020, b"\0\0"), "partition table is damaged"),
        (spoilt(ESP, 0xF000, b"\0"), "no application where one must be"),
        (spoilt(ESP, 0xF000 + 5000, b"\1\2\3"), "checksum of its application"),
        (spoilt(ESP, len(ESP) - 3, b"\0\0"), "SHA-256 of its application"),
        (made_images.esp(chip_id=13), "it is for ESP32-C6"),
        (made_images.esp(chip_id=99), "an unknown chip (99)"),
        (made_images.program(0, b"app", is_app=True), "application for ESP32 alone"),
        (made_images.esp(app_bytes=0x1F0000), "larger than its partition"),
        (made_images.esp(machine="no machine here"), "not MicroPython"),
    ],
)
def test_a_damaged_esp32_image_is_told_why(data, told):
    found = image.read(data)
    assert isinstance(found, Damage)
    assert told in found.reason


def test_a_boot_loader_and_an_application_of_two_chips_are_no_image():
    mixed = made_images.esp("ESP32-S3")[:0x10000] + made_images.esp("ESP32-C3")[0x10000:]
    assert "its application is not" in image.read(mixed).reason


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ((("a", 0, 0, 0x10000, 0x100000), ("b", 0, 16, 0x20000, 0x100000)), "overlaps another"),
        ((("a", 0, 0, 0x2000, 0x100000),), "overlaps another"),
        ((("a", 0, 0, 0x10000, 0x800000),), "beyond the flash"),
        ((("vfs", 1, 0x81, 0x10000, 0x1000),), "has no application"),
    ],
)
def test_partitions_that_cannot_be_are_refused(rows, told):
    table = made_images.partition_table(*rows)
    found = image.read(spoilt(ESP, 0x7000, table.ljust(0xC00, b"\xff")))
    assert isinstance(found, Damage)
    assert told in found.reason


BLOCKS = len(PICO) // 512


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (PICO[:-1], "ends in the middle of a block"),
        (PICO[:-512], "some are missing"),
        (PICO[512:], "some are missing"),
        (PICO[:512] + PICO[1024:1536] + PICO[512:1024] + PICO[1536:], "some are missing"),
        (spoilt(PICO, 512 * 3, b"XX"), "block 3 is no UF2 block"),
        (spoilt(PICO, 512 * 4 - 2, b"X"), "block 3 is no UF2 block"),
        (spoilt(PICO, 512 * 2 + 8, b"\1\x20"), "block 2 is not meant for flash"),
        (spoilt(PICO, 512 * 2 + 8, b"\0\0"), "does not say for which chip"),
        (spoilt(PICO, 512 * 2 + 16, b"\x80\0"), "no whole page"),
        (spoilt(PICO, 512 * 2 + 15, b"\x20"), "which is no flash"),
        (spoilt(PICO, 512 * 2 + 12, PICO[512 + 12 : 512 + 16]), "same address"),
        (spoilt(PICO, 32 + 10, b"\0\0\0"), "checksum of its first stage"),
        (made_images.uf2(family=0xE48BFF59), "it is for RP2350"),
        (made_images.uf2(family=0x12345678), "family 12345678"),
        (made_images.uf2(machine="nothing known"), "not MicroPython"),
    ],
)
def test_a_damaged_uf2_is_told_why(data, told):
    found = image.read(data)
    assert isinstance(found, Damage)
    assert told in found.reason


def test_a_uf2_with_a_gap_says_what_it_leaves_alone():
    flash = bytearray(image.read(PICO).payload)
    data = bytearray(made_images.uf2_of(bytes(flash)))
    for number in range(40, BLOCKS):  # everything from block 40 on lies a page higher
        data[512 * number + 12 : 512 * number + 16] = (0x10000000 + 256 * (number + 16)).to_bytes(4, "little")
    found = uf2.parse(bytes(data))
    assert found.covered == ((0, 40 * 256), (56 * 256, (BLOCKS - 40) * 256))
    assert found.payload[40 * 256 : 56 * 256] == b"\xff" * (16 * 256)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_is_done_to_an_image_it_is_damage_or_still_an_image(data):
    """Fuzzed: flips, cuts and insertions end in a value, never in an exception."""
    whole = data.draw(st.sampled_from([ESP[:0x10000] + ESP[-500:], PICO]))
    at = data.draw(st.integers(0, len(whole)))
    change = data.draw(st.sampled_from(["flip", "cut", "insert", "zero"]))
    seed = random.Random(at)
    mutated = {
        "flip": spoilt(whole, at, bytes([seed.randrange(256)])),
        "cut": whole[:at],
        "insert": whole[:at] + seed.randbytes(3) + whole[at:],
        "zero": spoilt(whole, at, bytes(min(600, len(whole) - at))),
    }[change]
    assert isinstance(image.read(mutated), (Image, Damage))


@pytest.mark.parametrize("part", ["boot loader", "partition table", "application"])
def test_every_flipped_bit_of_what_runs_is_found(part):
    start, end = {
        "boot loader": (0, 9000),
        "partition table": (0x7000, 0x7000 + 5 * 32),
        "application": (0xF000, len(ESP)),
    }[part]
    seed = random.Random(part)
    for _ in range(60):
        at = seed.randrange(start, end)
        mutated = spoilt(ESP, at, bytes([ESP[at] ^ 1 << seed.randrange(8)]))
        assert isinstance(image.read(mutated), Damage), hex(at)


@pytest.mark.parametrize(("mcu", "part"), [("ESP32", 0), ("ESP32-S3", 0), ("ESP32-C3", 0x10000)])
def test_esptool_reads_the_same_checksum_and_hash(mcu, part, tmp_path):
    """An independent reader of the same format finds our images sound."""
    from esptool.bin_image import LoadFirmwareImage

    data = made_images.esp(mcu)
    found = LoadFirmwareImage(mcu, data[part:])
    assert found.checksum == found.calculate_checksum()
    assert found.stored_digest == found.calc_digest
    assert found.chip_id == made_images.CHIPS[mcu][0]


def test_folding_bytes_is_the_same_as_going_through_them():
    for length in (0, 1, 2, 3, 255, 256, 257):
        data = random.Random(length).randbytes(length)
        check = 0
        for byte in data:
            check ^= byte
        assert esp_image._xor(data) == check


# ---- which one fits


def of(version: str = "1.22.0", mcu: str = "ESP32-S3", **settings) -> Image:
    return image.read(made_images.esp(mcu, version, **settings))


S3 = ["generic esp32s3 module with esp32s3"]


def test_the_newest_release_that_fits_is_taken():
    old, new, preview = of("1.22.2"), of("1.26.1"), of("1.27.0-preview.12")
    assert image.best([new, old], "ESP32-S3", 8 << 20, S3) is new
    assert image.best([preview, of("1.27.0")], "ESP32-S3", 8 << 20, S3).version == "1.27.0"


def test_the_image_that_uses_the_flash_best_is_taken_and_none_that_is_too_large():
    small, large = of("1.26.0"), of("1.22.0", flash_code=3)
    assert image.best([small, large], "ESP32-S3", 8 << 20, S3) is large
    assert image.best([small, large], "ESP32-S3", 4 << 20, S3) is small
    assert image.best([large], "ESP32-S3", 4 << 20, S3) is None


def test_other_chips_other_boards_and_old_releases_are_not_taken():
    assert image.best([of(mcu="ESP32-C3"), of(machine="LOLIN_C3 with ESP32S3")], "ESP32-S3", 8 << 20, S3) is None
    assert "needs 1.22 or later" in image.misfit(of("1.21.0"), "ESP32-S3", 8 << 20)
    assert "for ESP32-S3, and this board has an ESP32" in image.misfit(of(), "ESP32", 8 << 20)
    assert image.misfit(of(), "ESP32-S3", None) is None


def test_newer_spelling_is_the_same_board():
    newer = of("1.28.0", machine="Generic ESP32S3 module with ESP32-S3")
    assert image.best([newer], "ESP32-S3", 8 << 20, S3) is newer


# ---- images that people really have


def official() -> list[Path]:
    folder = os.environ.get(OFFICIAL)
    return sorted(path for path in Path(folder).glob("*") if path.suffix in (".bin", ".uf2")) if folder else []


@pytest.mark.skipif(not official(), reason=f"${OFFICIAL} names no folder with MicroPython's published images")
def test_published_images_are_sound_and_each_is_one_of_our_boards():
    for path in official():
        found = image.read(path.read_bytes())
        assert isinstance(found, Image), (path, found)
        assert boards.answering_as(found.machine), found.machine
        assert image.version_numbers(found.version) >= (1, 22, 0)
