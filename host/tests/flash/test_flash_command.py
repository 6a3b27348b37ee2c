"""`hedgerow flash`, as a person types it: several boards at once, failures alone, exit codes, sentences."""

import asyncio
import contextlib
import json
import os
import sys
import threading
import time
from pathlib import Path

import made_images
import pytest

from hedgerow.cli.main import main
from hedgerow.errors import VerificationError
from hedgerow.flash import image
from hedgerow.flash.store import ImageStore
from hedgerow.fleet import boards
from hedgerow.plans.flash import FlashBench
from hedgerow.session import Session
from hedgerow.transports.ports import PortFacts, connect

if not sys.platform.startswith("linux"):
    pytest.skip("emulated boards need Linux", allow_module_level=True)

from hedgerow.virtual import VirtualBoard, interpreter
from hedgerow.virtual.bootsel import BootselDrive, BootselPico
from hedgerow.virtual.esp_rom import EmulatedRom, Faults

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A person's image store with one image for each board."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    kept = ImageStore()
    made = {f"{mcu}.bin": made_images.esp(mcu) for mcu in made_images.CHIPS}
    made |= {"pico.uf2": made_images.uf2(), "pico_w.uf2": made_images.uf2(machine=made_images.PICO_W)}
    for name, data in made.items():
        (tmp_path / name).write_bytes(data)
        kept.add(tmp_path / name)
    return tmp_path


def ports(*roms: EmulatedRom) -> list[str]:
    return [word for rom in roms for word in ("-p", rom.port)]


def test_several_boards_at_once_and_one_failure_stops_nobody(store, rom, capsys):
    good = [rom("ESP32"), rom("ESP32-S3"), rom("ESP32-C3")]
    bad = rom("ESP32", faults=Faults(cut_after_bytes=100_000))
    assert main(["flash", *ports(*good, bad)]) == 7
    told = capsys.readouterr()
    for board, mcu in zip(good, ("ESP32", "ESP32-S3", "ESP32-C3"), strict=True):
        assert f"✔ PASS  {board.port}  MicroPython 1.22.0 for {made_images.MACHINES[mcu]}" in told.out
    assert "✘ FAIL" in told.out
    assert "half written" in told.out
    assert "3 of 4 boards passed." in told.out
    assert told.err.startswith("4 boards, all at once, take about ")


def test_the_same_command_again_does_what_is_left(store, rom, capsys):
    board = rom("ESP32")
    assert main(["flash", *ports(board)]) == 0
    assert "177 KiB written, read back" in capsys.readouterr().out
    assert main(["flash", *ports(board), "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)["ports"]
    assert (one["result"], one["written_bytes"], one["board"]) == ("PASS", 0, "ESP32_GENERIC")
    assert (one["baud"], one["mac"]) == (921_600, "aa:bb:11:22:33:44")
    assert main(["flash", *ports(board), "--json", "--baud", "230400"]) == 0
    (one,) = json.loads(capsys.readouterr().out)["ports"]
    assert one["baud"] == 230_400


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ([], 2, "no port was named"),
        (["-p", "a", "-p", "a"], 2, "named twice"),
        (["-p", "/dev/ttyNONE"], 3, "there is no such port"),
        (["-p", "x", "--image", "nothing.bin"], 2, "neither a file nor one image of the store"),
        (["-p", "x", "--board", "RPI_PICO_9"], 2, "there is no board"),
        (["--drive", "/tmp", "--board", "RPI_PICO"], 4, "is not the drive of a Pico"),
    ],
)
def test_mistakes_end_in_a_sentence(store, capsys, arguments, code, told):
    assert main(["flash", *arguments]) == code
    said = capsys.readouterr()
    assert told in said.out + said.err


def test_all_takes_every_board_and_every_drive_that_is_there(store, rom, monkeypatch, capsys):
    board = rom("ESP32")
    there = PortFacts(board.port, vid=0x10C4, pid=0xEA60, serial_number="0001")
    other = PortFacts("/dev/ttyNONE", vid=0x1234, pid=0x5678)
    monkeypatch.setattr("hedgerow.transports.ports.here", lambda: [there, other])
    monkeypatch.setattr("hedgerow.flash.bootsel.drives", list)
    assert main(["flash", "--all"]) == 0
    assert "1 of 1 boards passed." in capsys.readouterr().out
    assert main(["flash", "-p", "id:0001"]) == 0
    assert "it was there already" in capsys.readouterr().out


def test_all_of_nothing_says_where_to_look(store, monkeypatch, capsys):
    monkeypatch.setattr("hedgerow.flash.bootsel.drives", list)
    monkeypatch.setattr("hedgerow.plans.flash.plugged_in", list)
    assert main(["flash", "--all"]) == 3
    assert "hedgerow doctor" in capsys.readouterr().err


def test_without_an_image_it_says_where_to_get_one(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert main(["flash", "-p", "x"]) == 2
    assert "micropython.org/download" in capsys.readouterr().err


def test_a_wrong_image_is_refused_before_anything_is_erased(store, rom, capsys):
    board = rom("ESP32-S3")
    assert main(["flash", *ports(board), "--image", str(store / "ESP32.bin")]) == 4
    assert "the image is for ESP32, and this board has an ESP32-S3. Nothing was changed." in capsys.readouterr().out
    assert board.erased_bytes == 0


def test_a_damaged_file_is_refused_before_any_port_is_opened(store, rom, capsys):
    board = rom("ESP32")
    (store / "cut.bin").write_bytes(made_images.esp()[:-5000])
    assert main(["flash", *ports(board), "--image", str(store / "cut.bin")]) == 2
    assert "ends in the middle of its application" in capsys.readouterr().err
    assert board.commands == []


def test_a_flash_that_is_too_small_is_refused(store, rom, capsys):
    board = rom("ESP32", flash_bytes=2 << 20)
    assert main(["flash", *ports(board)]) == 4
    assert "needs 4 MiB of flash, and this board has 2 MiB" in capsys.readouterr().out
    assert board.erased_bytes == 0


def test_more_boards_than_a_laptop_has_threads_are_written_at_once(rom):
    """asyncio lends six threads on two cores; here every board is under way before the first is done."""
    boards_there = [rom("ESP32") for _ in range(9)]
    under_way, ended = set(), []
    bench = FlashBench({"one.bin": image.read(made_images.esp(app_bytes=20_000))}, here=list)

    def tell(now):
        if now.doing.startswith("asking the boot loader"):
            under_way.add(now.port)

    bench.tell = tell
    bench.finished = lambda result: ended.append(len(under_way))
    results = asyncio.run(bench.flash([board.port for board in boards_there]))
    assert [result.error for result in results] == [None] * 9
    assert ended[0] == 9


def test_who_stops_it_waits_for_nobody_and_no_thread_goes_on_writing(rom):
    board = rom("ESP32", is_paced=True)
    bench = FlashBench({"one.bin": image.read(made_images.esp(app_bytes=400_000))}, here=list, bauds=(115_200,))
    writing = threading.Event()
    bench.tell = lambda now: writing.set() if now.doing.startswith("writing, about") else None

    async def work():
        task = asyncio.create_task(bench.flash([board.port]))
        await asyncio.to_thread(writing.wait, 60)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(work())
    end = time.monotonic() + 20
    while any(thread.name.startswith("flash") for thread in threading.enumerate()):
        assert time.monotonic() < end
        time.sleep(0.05)
    sent = board.received_bytes
    assert sent < 300_000
    time.sleep(0.5)
    assert not board.is_open


OFFICIAL = "HEDGEROW_IMAGES"


@pytest.mark.skipif(
    OFFICIAL not in os.environ, reason=f"${OFFICIAL} names no folder with MicroPython's published images"
)
def test_published_images_reach_a_board_of_each_chip(tmp_path, monkeypatch, rom, capsys):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    kept = ImageStore()
    added = [kept.add(path)[1] for path in sorted(Path(os.environ[OFFICIAL]).glob("*.bin"))]
    boards_there = [rom(one.mcu, flash_bytes=8 << 20) for one in added]
    assert main(["flash", *ports(*boards_there)]) == 0, capsys.readouterr().out
    for one, board in zip(added, boards_there, strict=True):
        assert bytes(board.flash[one.offset : one.offset + len(one.payload)]) == one.payload


# ---- boards that run MicroPython


@pytest.fixture
def virtual(tmp_path):
    found = interpreter.find()
    if found is None:
        pytest.skip("no micropython on PATH and none in $HEDGEROW_MICROPYTHON")

    def board(board_id: str) -> VirtualBoard:
        return VirtualBoard(boards.load(board_id), tmp_path / "board", found, uid=bytes(8))

    return board


def flashed(board: VirtualBoard, bench: FlashBench, drive=None, beside=None):
    """One run of `bench` on a running virtual board."""

    async def work():
        await board.start()
        tasks = [asyncio.create_task(beside(board))] if beside else []
        if drive is not None:
            tasks.append(asyncio.create_task(BootselPico(board, drive).serve()))
        try:
            async with asyncio.timeout(60):
                (result,) = await bench.flash([str(board.link)])
            async with Session(await connect(str(board.link))) as session:
                return result, await session.recognise() if board.pid else None
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await board.close()

    return asyncio.run(work())


def picos(drive, **settings) -> FlashBench:
    images = {
        "pico.uf2": image.read(made_images.uf2()),
        "w.uf2": image.read(made_images.uf2(machine=made_images.PICO_W)),
    }
    return FlashBench(images, drives=lambda: [drive] if drive.exists() else [], here=list, **settings)


def test_a_running_pico_is_asked_into_its_boot_loader_written_and_read_back(virtual, tmp_path):
    told, drive = [], tmp_path / "RPI-RP2"
    bench = picos(drive, tell=lambda now: told.append((now.doing, now.fraction)))
    result, found = flashed(virtual("RPI_PICO"), bench, drive)
    assert result.error is None
    assert (result.board_id, result.image.machine) == ("RPI_PICO", made_images.PICO)
    assert result.written_bytes == len(result.image.payload)
    assert "asking MicroPython into the boot loader" in [doing for doing, _ in told]
    assert [part for _, part in told] == sorted(part for _, part in told)
    assert found is not None


def test_a_pico_whose_flash_reads_back_otherwise_is_no_success(virtual, tmp_path):
    async def spoil(board):
        firmware = board.image.with_name(board.image.name + ".firmware")
        while not (firmware.exists() and "flashed" in board.resets):
            await asyncio.sleep(0)
        data = bytearray(firmware.read_bytes())
        data[5000] ^= 1
        firmware.write_bytes(data)

    drive = tmp_path / "RPI-RP2"
    result, _ = flashed(virtual("RPI_PICO"), picos(drive), drive, spoil)
    assert isinstance(result.error, VerificationError)
    assert "is not what was written" in result.error.what


def test_a_pico_that_shows_no_drive_is_told_and_its_button_named(virtual, tmp_path, monkeypatch):
    monkeypatch.setattr("hedgerow.plans.flash.DRIVE_WITHIN_S", 1.0)
    monkeypatch.setattr("hedgerow.flash.bootsel.picotool", lambda: None)
    monkeypatch.setattr("hedgerow.flash.bootsel.unmounted", lambda: None)

    async def keep_off(board):
        await board.wait_off(30)
        await board.power_on()

    result, _ = flashed(virtual("RPI_PICO"), picos(tmp_path / "none"), beside=keep_off)
    assert "no drive appeared" in result.error.what
    assert "BOOTSEL" in result.error.next_step


def test_an_esp32_with_usb_of_its_own_is_asked_into_its_boot_loader(virtual, tmp_path):
    """Nothing can reset it from outside; the MicroPython that runs on it can."""
    board, roms = virtual("ESP32_GENERIC_S3"), []

    async def become_a_boot_loader(board):
        await board.wait_off(60)
        board.pull_cable()
        roms.append(EmulatedRom("ESP32-S3", board.directory))

    bench = FlashBench({"s3.bin": image.read(made_images.esp("ESP32-S3"))}, here=list)

    async def work():
        await board.start()
        task = asyncio.create_task(become_a_boot_loader(board))
        try:
            async with asyncio.timeout(90):
                return (await bench.flash([str(board.link)]))[0]
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await board.close()
            for rom in roms:
                rom.close()

    result = asyncio.run(work())
    assert result.error is None
    assert (result.port, result.board_id) == (str(board.link), "ESP32_GENERIC_S3")
    assert "bootloader" in board.resets


# ---- drives


def test_a_pico_in_its_boot_loader_is_written_and_asked_when_it_is_back(virtual, tmp_path):
    """Its port appears only afterwards: a new one among those of the machine."""
    board = virtual("RPI_PICO")
    drive = tmp_path / "RPI-RP2"
    there: list[PortFacts] = []

    async def work():
        with BootselDrive(drive) as one:

            async def come_back():
                await asyncio.to_thread(one.wait_gone)
                board.directory.mkdir(parents=True, exist_ok=True)
                board.image.with_name(board.image.name + ".firmware").write_bytes(one.flash)
                await board.start()
                there.append(PortFacts(str(board.link)))

            task = asyncio.create_task(come_back())
            bench = picos(drive, board=boards.load("RPI_PICO"))
            bench.here = lambda: list(there)
            try:
                return (await bench.flash([], [drive]))[0]
            finally:
                with contextlib.suppress(Exception):
                    await task
                await board.close()

    result = asyncio.run(work())
    assert result.error is None
    assert result.port == str(drive)


def test_a_pico_that_does_not_come_back_is_no_success(tmp_path, monkeypatch):
    monkeypatch.setattr("hedgerow.plans.flash.RETURN_WITHIN_S", 0.5)
    drive = tmp_path / "RPI-RP2"
    bench = picos(drive, board=boards.load("RPI_PICO"))
    with BootselDrive(drive):
        (result,) = asyncio.run(bench.flash([], [drive]))
    assert isinstance(result.error, VerificationError)
    assert "did not come back" in result.error.what
