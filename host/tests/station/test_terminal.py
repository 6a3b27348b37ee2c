"""What a person sees of the station in a terminal, and that a number and Enter try one place again."""

import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from hedgerow.fleet import founding, proposal
from hedgerow.station import words
from hedgerow.station.card import Card, Check, Phase, Stage, Verdict
from hedgerow.station.terminal import drawn

if not sys.platform.startswith("linux"):
    pytest.skip("virtual boards need Linux", allow_module_level=True)

import pexpect

from hedgerow.virtual import keeper

HEDGEROW = str(Path(sys.executable).with_name("hedgerow"))
PASSED = Card(
    "a", "left 1", "/dev/a", Phase.PASS, 1, Stage.RECORD, node="oak", summary="number 1: installed", is_plugged=True
)
FAILED = replace(
    PASSED, phase=Phase.FAIL, node=None, problem="No boot loader answers.", remedy="Hold BOOT.", exit_code=3
)
WORKING = Card(
    "c", "left 3", "/dev/c", Phase.WORKING, 1, Stage.FLASH, "writing", 0.5, 23, board="RPI_PICO", is_plugged=True
)


def shown(*cards: Card, width: int = 100) -> str:
    console = Console(width=width, record=True, file=io.StringIO(), force_terminal=True)
    console.print(drawn(cards, "Station of fleet orchard"))
    return console.export_text()


@pytest.mark.parametrize("width", [80, 100, 160])
def test_each_state_is_a_word_and_a_shape_and_says_what_to_do(width):
    text = " ".join(shown(PASSED, FAILED, WORKING, Card("d", "left 4"), width=width).split())
    for said in (
        "✔ PASS",
        "✘ FAIL",
        "▶ working",
        "○ empty",
        "No boot loader answers.",
        "→ Hold BOOT.",
        "flash, about 23 s",
        "2 of 7",
        "Unplug it; plug in the next one.",
        "1 passed, 1 failed, 1 at work",
    ):
        assert said in text, text


def test_the_colours_differ_for_every_kind_of_sight():
    """PASS and FAIL are of another brightness on the blue side and on the red side: no kind of sight merges them."""
    passed, failed = (bytes.fromhex(words.COLOURS[phase][1:]) for phase in (Phase.PASS, Phase.FAIL))
    assert passed[2] - passed[0] > 100
    assert failed[0] - failed[2] > 100


@pytest.fixture
def two_boards(tmp_path):
    """Ports of two running virtual boards, and a fleet folder for them."""
    keeper.start(tmp_path / "boards", ["--count=2", "--board=ESP32_GENERIC_S3"])
    founding.found(tmp_path / "orchard", "orchard").close()
    with (tmp_path / "orchard" / "fleet.toml").open("a", encoding="utf-8") as file:
        file.write(proposal.node_text("apple", "ESP32_GENERIC_S3") + proposal.node_text("pear", "RPI_PICO"))
    yield [str(tmp_path / "boards" / f"node-{number}" / "port") for number in (1, 2)]
    keeper.stop(tmp_path / "boards")


@pytest.mark.timeout(120)
def test_a_wrong_board_is_told_apart_and_tried_again_by_its_number(two_boards, tmp_path):
    folder = tmp_path / "orchard"
    ports = [text for port in two_boards for text in ("-p", port)]
    child = pexpect.spawn(
        HEDGEROW, ["station", *ports], cwd=str(folder), dimensions=(30, 120), timeout=60, encoding="utf-8"
    )
    try:
        child.expect("1 passed, 1 failed, 0 at work")
        assert "correct board" in child.before
        text = (folder / "fleet.toml").read_text()
        (folder / "fleet.toml").write_text(text.replace('"RPI_PICO"', '"ESP32_GENERIC_S3"'))
        known = [json.loads(line) for line in (folder / "station" / "records.jsonl").open()]
        failed = next(one["port"] for one in known if one["result"] == "FAIL")
        child.sendline(str(1 + two_boards.index(failed)))
        child.expect("2 passed, 0 failed, 0 at work")
        child.sendline("q")
        child.expect("Records: ")
        child.expect(pexpect.EOF)
    finally:
        child.close()
    assert child.exitstatus == 0
    assert (folder / "labels" / "labels.pdf").read_bytes().startswith(b"%PDF")

    # For scripts: what is done is recognised, a port that is not there is told, and the exit code is the gravest.
    done = subprocess.run(
        [HEDGEROW, "station", "--once", "--json", "-p", two_boards[0], "-p", str(tmp_path / "none")],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    told = json.loads(done.stdout)
    assert [card["result"] for card in told["places"]] == ["PASS", "FAIL"], done.stdout + done.stderr
    assert "done already" in told["places"][0]["summary"]
    assert done.returncode == 3


def test_once_without_ports_is_a_misuse(tmp_path):
    founding.found(tmp_path / "orchard", "orchard").close()
    done = subprocess.run([HEDGEROW, "station", "--once"], cwd=tmp_path / "orchard", capture_output=True, text=True)
    assert done.returncode == 2
    assert "Name them with -p." in done.stderr


def test_a_card_says_all_it_knows_as_json():
    card = replace(FAILED, checks=(Check("battery", Verdict.BAD, "0.90 V", "Charge it."),))
    assert card.as_dict()["checks"] == [{"name": "battery", "verdict": "bad", "seen": "0.90 V", "remedy": "Charge it."}]
