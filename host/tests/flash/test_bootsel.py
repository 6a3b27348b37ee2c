"""A Pico's drive takes an image whole or the person is told; picotool is used where no drive is mounted."""

import sys
import textwrap

import made_images
import pytest

from hedgerow.errors import InterruptedWork, RefusedError, VerificationError
from hedgerow.flash import bootsel, image

if not sys.platform.startswith("linux"):
    pytest.skip("the emulated board needs Linux", allow_module_level=True)

from hedgerow.virtual.bootsel import BootselDrive

PICO = image.read(made_images.uf2())


def write(path, data=PICO.data):
    told = []
    bootsel.write(path, data, lambda doing, fraction: told.append((doing, fraction)))
    return told


def test_a_whole_image_arrives_and_the_drive_goes(tmp_path):
    with BootselDrive(tmp_path / "RPI-RP2") as drive:
        told = write(drive.folder)
        assert drive.flash == PICO.payload
    assert told[0][0].startswith("writing 40 KiB, about ")
    assert [part for _, part in told] == sorted(part for _, part in told)


def test_a_folder_that_is_no_drive_is_refused_untouched(tmp_path):
    with pytest.raises(RefusedError, match="is not the drive of a Pico"):
        write(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_drive_of_another_chip_is_refused(tmp_path):
    (tmp_path / "INFO_UF2.TXT").write_text("UF2 Bootloader v1.0\nModel: Raspberry Pi RP2350\nBoard-ID: RP2350\n")
    assert not bootsel.is_drive(tmp_path)


def test_a_drive_that_goes_half_way_is_no_success(tmp_path, monkeypatch):
    monkeypatch.setattr(bootsel, "_CHUNK_BYTES", 4096)
    big = made_images.uf2(size=400_000)
    with (
        BootselDrive(tmp_path / "RPI-RP2", vanishes_after_bytes=100_000) as drive,
        pytest.raises((InterruptedWork, RefusedError)) as error,
    ):
        write(drive.folder, big)
    assert "half written" in error.value.state


def test_a_drive_that_takes_nothing_is_no_success(tmp_path, monkeypatch):
    monkeypatch.setattr(bootsel, "VANISH_WITHIN_S", 0.5)
    with BootselDrive(tmp_path / "RPI-RP2", is_deaf=True) as drive, pytest.raises(RefusedError, match="still there"):
        write(drive.folder)


def test_drives_are_found_where_a_person_says_they_are(tmp_path, monkeypatch):
    with BootselDrive(tmp_path / "RPI-RP2") as drive:
        monkeypatch.setenv(bootsel.DRIVES_VARIABLE, f"{drive.folder}:{tmp_path}")
        assert bootsel.drives() == [drive.folder]


def picotool(tmp_path, monkeypatch, code: str):
    """In place of picotool: a program that takes the same arguments."""
    program = tmp_path / "bin" / "picotool"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\n" + textwrap.dedent(code))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    return bootsel.picotool()


def test_picotool_loads_verifies_and_starts(tmp_path, monkeypatch):
    code = f"import sys, pathlib\npathlib.Path({str(tmp_path / 'asked')!r}).write_text(' '.join(sys.argv[1:]))"
    program = picotool(tmp_path, monkeypatch, code)
    bootsel.load_by_picotool(program, tmp_path / "a.uf2", "port")
    assert (tmp_path / "asked").read_text() == f"load -v -x {tmp_path / 'a.uf2'}"


def test_what_picotool_says_is_passed_on(tmp_path, monkeypatch):
    program = picotool(tmp_path, monkeypatch, "import sys\nsys.exit('ERROR: The device is not in BOOTSEL mode')")
    with pytest.raises(VerificationError, match="not in BOOTSEL mode"):
        bootsel.load_by_picotool(program, tmp_path / "a.uf2", "port")
