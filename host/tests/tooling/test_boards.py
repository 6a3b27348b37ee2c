"""Boards are data: what their files promise is there, agrees with itself, and a fault in one is named."""

import ast
import shutil
import tomllib
from pathlib import Path

import pytest

from hedgerow.errors import UsageError
from hedgerow.fleet import boards

ROOT = Path(__file__).parents[3]
ALL = boards.all_boards()
REAL = [board for board in ALL if board.stand_in is None]
KNOWN = {"ESP32_GENERIC", "ESP32_GENERIC_S3", "ESP32_GENERIC_C3", "RPI_PICO", "RPI_PICO_W"}
STAND_INS = {"VIRTUAL", "RPI_PICO_EMULATED"}

every_board = pytest.mark.parametrize("board", ALL, ids=lambda board: board.id)
every_real_board = pytest.mark.parametrize("board", REAL, ids=lambda board: board.id)


def constants(path: Path) -> dict[str, object]:
    """The plain constants of a board.py or wiring.py, read without running it."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    return {
        statement.targets[0].id: ast.literal_eval(statement.value)
        for statement in module.body
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
    }


def test_the_boards_that_a_newcomer_may_hold_are_there():
    assert {board.id for board in ALL} >= KNOWN | STAND_INS


@every_board
def test_a_board_says_how_to_reach_its_bootloader_in_sentences(board):
    assert board.bootloader_help.endswith(".")
    assert "\n" not in board.bootloader_help


@every_board
def test_a_file_system_fits_its_flash_and_the_heap_is_worth_the_name(board):
    assert board.filesystem_bytes < board.flash_bytes
    assert board.heap_bytes >= 100 * 1024
    for variant in board.variants.values():
        assert variant.filesystem_bytes < variant.flash_bytes


@every_board
def test_energy_figures_fall_with_deeper_sleep_and_name_their_source(board):
    energy = board.energy
    assert energy["awake"].current_ua > energy["light_sleep"].current_ua >= energy["deep_sleep"].current_ua
    assert all(len(current.source) > 20 for current in energy.values())


@every_board
def test_pins_go_onto_the_node_as_plain_constants(board):
    pins = constants(board.board_py)
    assert pins["ID"] == (board.id if board.stand_in is None else board.stands_for)
    assert pins["RADIO"] in ("espnow", "none")
    assert (pins["RADIO"] == "espnow") == ("espnow" in board.radios)
    assert {"LED_PIN", "LED_ACTIVE", "BUTTON_PIN", "I2C", "BATTERY_ADC_PIN", "BATTERY_DIVIDER_X1000"} <= set(pins)
    buses = pins["I2C"]
    assert isinstance(buses, tuple)
    assert all(len(bus) == 4 for bus in buses)


@every_real_board
def test_no_pin_is_used_twice(board):
    pins, wiring = constants(board.board_py), constants(board.folder / "wiring.py")
    used = [pins["LED_PIN"], pins["BUTTON_PIN"], pins["BATTERY_ADC_PIN"]]
    for bus in pins["I2C"]:
        used += bus[1:3]
    used += [pin for _, pin, _ in wiring["WIRES"] if isinstance(pin, int) and pin not in used]
    taken = [pin for pin in used if pin is not None]
    assert len(taken) == len(set(taken))


@every_real_board
def test_a_rig_is_told_which_wires_to_connect(board):
    wiring = constants(board.folder / "wiring.py")
    assert wiring["CONSOLE"] in ("usb", "uart")
    assert wiring["RESET"]
    assert all(len(wire) == 3 for wire in wiring["WIRES"])


@every_board
def test_a_board_is_found_by_what_it_answers(board):
    found = boards.answering_as(board.machine)
    assert (board.stands_for or board.id) in [one.id for one in found]


def test_a_newer_spelling_of_the_same_machine_is_the_same_board():
    for text in ("Generic ESP32S3 module with ESP32S3", "Generic ESP32S3 module with ESP32-S3"):
        assert [board.id for board in boards.answering_as(text)] == ["ESP32_GENERIC_S3"]


def test_a_variant_is_its_board():
    text = "Generic ESP32S3 module with Octal-SPIRAM with ESP32S3"
    assert [board.id for board in boards.answering_as(text)] == ["ESP32_GENERIC_S3"]


def test_boards_that_look_alike_are_not_taken_for_each_other():
    assert not boards.load("RPI_PICO").answers_as("Raspberry Pi Pico W with RP2040")
    assert boards.answering_as("Some other board with ESP8266") == ()


def test_a_stand_in_has_the_facts_of_the_board_it_stands_for():
    emulated, pico = boards.load("RPI_PICO_EMULATED"), boards.load("RPI_PICO")
    assert (emulated.machine, emulated.filesystem_bytes, emulated.board_py) == (
        pico.machine,
        pico.filesystem_bytes,
        pico.board_py,
    )
    assert emulated.stand_in == "emulated"
    assert emulated.usb_ids == ()


def test_an_unknown_board_is_answered_with_the_known_ones():
    with pytest.raises(UsageError) as error:
        boards.load("RPI_PICO_2")
    assert "RPI_PICO_W" in str(error.value)


# --- faults in a board.toml -----------------------------------------------------------------------------------------


@pytest.fixture
def pico_folder(tmp_path):
    """A copy of a board's folder to spoil."""
    return Path(shutil.copytree(ROOT / "boards" / "RPI_PICO", tmp_path / "RPI_PICO"))


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ('mcu = "RP2040"', 'mcu = "RP2350"', "mcu"),
        ('name = "Raspberry Pi Pico"', "", "name"),
        ("filesystem_bytes = 1_441_792", "filesystem_bytes = 1_441_793", "memory.filesystem_bytes"),
        ("heap_bytes = 229_376", "heap = 229_376", "heap"),
        ('"2e8a:0005"', '"2E8A:5"', "usb.ids.0"),
        ("current_ua = 21_000", "current_ua = 0", "energy.awake.current_ua"),
        ('port = "rp2"', 'port = "rp2"\ncolour = "green"', "colour"),
        ("[memory]", "[memory", "TOML"),
        ('id = "RPI_PICO"', 'id = "PICO"', "folder"),
        ('port = "rp2"', 'port = "rp2"\nstand_in = "virtual"', "stand_in"),
    ],
)
def test_a_fault_is_named_with_its_file_and_its_place(pico_folder, before, after, named):
    path = pico_folder / "board.toml"
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")
    with pytest.raises(UsageError) as error:
        boards.from_folder(pico_folder)
    assert str(path) in str(error.value)
    assert named in str(error.value)


def test_a_stand_in_for_no_board_is_refused(pico_folder):
    table = 'id = "RPI_PICO"\nname = "A stand-in"\nstands_for = "NOBODY"\nstand_in = "virtual"\n'
    (pico_folder / "board.toml").write_text(table, encoding="utf-8")
    with pytest.raises(UsageError, match="NOBODY"):
        boards.from_folder(pico_folder)


@every_board
def test_every_board_toml_passes_its_schema(board):
    assert boards.problems(tomllib.loads((board.folder / "board.toml").read_text(encoding="utf-8"))) == []


# --- what people read -----------------------------------------------------------------------------------------------


@every_board
def test_a_readme_says_what_has_been_proved_on_it(board):
    text = (board.folder / "README.md").read_text(encoding="utf-8")
    assert "\n## Proved by\n" in text


@every_real_board
def test_a_readme_does_not_claim_a_real_board_that_nobody_tried(board):
    proved = (board.folder / "README.md").read_text(encoding="utf-8").split("\n## Proved by\n")[1]
    assert "No real board has run this yet" in proved or "| real |" in proved
