"""An ESP32 is flashed by the real esptool over an emulated boot loader; nothing that goes wrong passes for success."""

import sys
import threading
import time

import made_images
import pytest

from hedgerow.errors import InterruptedWork, LinkError, RefusedError, VerificationError
from hedgerow.flash import esp, image
from hedgerow.transports.serial import open_port

if not sys.platform.startswith("linux"):
    pytest.skip("the emulated boot loader needs Linux", allow_module_level=True)

from hedgerow.virtual.esp_rom import EmulatedRom, Faults

pytestmark = pytest.mark.timeout(120)
HOLD = "Hold BOOT."


def flash(board: EmulatedRom, wanted, tell=lambda doing, fraction: None, choose=None, **settings):
    return esp.flash(
        "port", lambda: open_port(board.port), choose or (lambda facts: wanted), tell, help_text=HOLD, **settings
    )


def holds(board: EmulatedRom, wanted) -> bool:
    return bytes(board.flash[wanted.offset : wanted.offset + len(wanted.payload)]) == wanted.payload


def of(mcu: str = "ESP32", **settings):
    return image.read(made_images.esp(mcu, **settings))


@pytest.mark.parametrize("mcu", made_images.CHIPS)
def test_an_empty_board_is_recognised_written_compressed_and_read_back(rom, mcu):
    board, wanted, seen = rom(mcu, flash_bytes=8 << 20), of(mcu), []
    done = flash(board, wanted, choose=lambda facts: (seen.append(facts), wanted)[1])
    assert holds(board, wanted)
    assert (seen[0].mcu, seen[0].flash_bytes, seen[0].mac) == (mcu, 8 << 20, "aa:bb:11:22:33:44")
    assert done.written_bytes == len(wanted.payload)
    assert done.sent_bytes < done.written_bytes
    assert 0x11 in board.commands  # compressed
    assert 0x03 not in board.commands
    assert done.baud == esp.BAUDS[0]
    assert bytes(board.flash[: wanted.offset]) == b"\xff" * wanted.offset


def test_progress_only_grows_and_says_how_long(rom):
    told = []
    flash(rom(), of(), tell=lambda doing, fraction: told.append((doing, fraction)))
    parts = [fraction for _, fraction in told]
    assert parts == sorted(parts)
    assert parts[-1] == 1.0
    assert any(doing.startswith("writing 177 KiB, about ") for doing, _ in told)


def test_what_is_there_already_is_not_written_again(rom):
    board, wanted = rom(), of()
    flash(board, wanted)
    erased = board.erased_bytes
    done = flash(board, wanted)
    assert (done.written_bytes, board.erased_bytes) == (0, erased)


def test_only_sectors_that_changed_are_written(rom):
    board, old = rom(), of()
    flash(board, old)
    erased = board.erased_bytes
    text = made_images.micropython("1.22.0", made_images.MACHINES["ESP32"], 120_000, 1)
    new = made_images.program(0, text[:-9] + b"different", is_app=True)  # its end, its checksum and its hash
    wanted = image.read(made_images.esp()[:0xF000] + new)
    done = flash(board, wanted)
    assert holds(board, wanted)
    assert 0 < done.written_bytes <= 2 * esp.SECTOR_BYTES
    assert board.erased_bytes - erased <= 2 * esp.SECTOR_BYTES


def test_files_on_the_board_stay_unless_everything_is_to_be_erased(rom):
    board = rom()
    board.flash[0x200000:0x200005] = b"files"
    flash(board, of())
    assert board.flash[0x200000:0x200005] == b"files"
    flash(board, of(), erase=True)
    assert board.flash[0x200000:0x200005] == b"\xff" * 5
    assert holds(board, of())


@pytest.mark.parametrize(("fastest", "used"), [(700_000, 460_800), (300_000, 230_400), (200_000, 115_200)])
def test_a_cable_that_damages_what_is_too_fast_gets_what_it_holds(rom, fastest, used):
    board, wanted, told = rom(faults=Faults(fastest_baud=fastest)), of(), []
    assert flash(board, wanted, tell=lambda doing, _: told.append(doing)).baud == used
    assert holds(board, wanted)
    assert "the cable does not hold 921600 baud; going on with 460800" in told


def test_a_cable_that_holds_nothing_is_told_and_nothing_was_changed(rom):
    board = rom(faults=Faults(fastest_baud=1))
    with pytest.raises(LinkError) as error:
        flash(board, of())
    assert error.value.state == "Nothing was changed"
    assert board.erased_bytes == 0


def test_a_board_that_hears_only_the_third_call_is_flashed(rom):
    board, wanted = rom(faults=Faults(deaf_syncs=3)), of()
    flash(board, wanted)
    assert holds(board, wanted)


def test_a_board_that_never_answers_says_which_button_to_hold_and_soon(rom):
    board, started = rom(faults=Faults(stall_after_bytes=0)), time.monotonic()
    with pytest.raises(LinkError) as error:
        flash(board, of())
    assert error.value.next_step == HOLD
    assert error.value.state == "Nothing was changed"
    assert time.monotonic() - started < 30
    assert board.erased_bytes == 0


def test_a_worn_flash_is_no_success(rom):
    board = rom(faults=Faults(dead_address=0x12345))
    with pytest.raises(VerificationError) as error:
        flash(board, of())
    assert "will not start" in str(error.value)


def test_an_image_that_the_caller_refuses_erases_nothing(rom):
    def choose(facts):
        raise RefusedError("not for this board")

    board = rom()
    board.flash[:] = b"\x77" * len(board.flash)
    with pytest.raises(RefusedError):
        flash(board, of(), choose=choose)
    assert board.erased_bytes == 0
    assert not {0x02, 0x03, 0x10, 0x11, 0xD0, 0xD1} & set(board.commands)


@pytest.mark.parametrize("mcu", ["ESP32-C3", "ESP32-S3"])
def test_a_chip_that_is_older_than_the_image_asks_for_is_refused_untouched(rom, mcu):
    board, wanted = rom(mcu, minor_revision=1), of(mcu, revisions=(3, 99))
    with pytest.raises(RefusedError) as error:
        flash(board, wanted)
    assert error.value.what == "the image needs a chip revision in range v0.3 - v0.99 (this chip is revision v0.1)"
    assert board.erased_bytes == 0
    newer = rom(mcu, minor_revision=4)
    flash(newer, wanted)
    assert holds(newer, wanted)


def bytes_of_a_whole_run(rom) -> int:
    board = rom()
    flash(board, of(), bauds=(921_600,))
    return board.received_bytes


def test_a_cable_pulled_at_any_stage_is_no_success_and_the_next_run_finishes(rom):
    """From the first sync to the last question, and after each pull the same command again."""
    total, wanted = bytes_of_a_whole_run(rom), of()
    places = [1, 60, 300, 1200, *range(2000, total, total // 9), total - 30]
    states = set()
    for place in places:
        board = rom(faults=Faults(cut_after_bytes=place))
        with pytest.raises((LinkError, InterruptedWork)) as error:
            flash(board, wanted, bauds=(921_600,))
        states.add(error.value.state)
        assert error.value.next_step.startswith("Plug the cable in again") or error.value.next_step == HOLD
        if board.erased_bytes:
            assert isinstance(error.value, InterruptedWork), place
        again = rom()
        again.flash[:] = board.flash
        done = flash(again, wanted)
        assert holds(again, wanted), place
        assert done.written_bytes <= len(wanted.payload)
    assert states == {"Nothing was changed", "The board is half written and will not start"}


def test_after_a_pulled_cable_what_is_written_already_is_not_written_again(rom):
    total, wanted = bytes_of_a_whole_run(rom), of()
    board = rom(faults=Faults(cut_after_bytes=total * 9 // 10))
    with pytest.raises(InterruptedWork):
        flash(board, wanted, bauds=(921_600,))
    again = rom()
    again.flash[:] = board.flash
    assert flash(again, wanted).written_bytes < len(wanted.payload) // 2


@pytest.mark.parametrize("part", [0.05, 0.5])
def test_a_board_that_falls_silent_is_given_up_within_a_bounded_time(rom, part):
    total, started = bytes_of_a_whole_run(rom), time.monotonic()
    board = rom(faults=Faults(stall_after_bytes=int(total * part)))
    with pytest.raises((LinkError, InterruptedWork)):
        flash(board, of(), bauds=(921_600,))
    assert time.monotonic() - started < 60


def test_several_boards_at_once_each_with_its_own_progress(rom):
    boards = [rom("ESP32"), rom("ESP32-S3"), rom("ESP32-C3"), rom("ESP32")]
    wanted = [of("ESP32"), of("ESP32-S3", seed=2), of("ESP32-C3", seed=3), of("ESP32", app_bytes=60_000)]
    told = [[] for _ in boards]

    def work(number):
        flash(boards[number], wanted[number], tell=lambda doing, fraction: told[number].append(fraction))

    threads = [threading.Thread(target=work, args=[number]) for number in range(len(boards))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert all(holds(board, one) for board, one in zip(boards, wanted, strict=True))
    for parts in told:
        assert parts == sorted(parts)
        assert len(parts) > 8


def test_reading_back_names_the_blocks_that_differ_and_changes_nothing(rom):
    board, wanted = rom(), of()
    flash(board, wanted)
    board.flash[0x18000] ^= 1
    erased = board.erased_bytes
    found = esp.read_back("port", lambda: open_port(board.port), wanted, lambda *_: None)
    assert found == [0x18000]
    assert board.erased_bytes == erased


def test_esptool_speaks_as_before_where_nobody_listens(rom, capsys):
    """The logger is one for the whole process: a program that uses esptool itself still sees its words."""
    from esptool.logger import log

    flash(rom(), of())
    assert capsys.readouterr().out == ""
    log.print("a word of esptool")
    assert "a word of esptool" in capsys.readouterr().out
