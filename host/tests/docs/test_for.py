"""The pages for each kind of user, followed word for word; virtual boards answer on the ports that a page names."""

import subprocess
import sys
from pathlib import Path

import pytest
from pages import ROOT, Reader

from hedgerow.virtual import keeper

pytestmark = pytest.mark.timeout(120)
PORTS = ("/dev/ttyACM0", "/dev/ttyACM1")
FLEET = """
[fleet]
name = "orchard"

[defaults]
hello_ms = 500

[[node]]
name = "apple"
board = "ESP32_GENERIC_S3"

[[node]]
name = "pear"
board = "ESP32_GENERIC_S3"
"""


@pytest.fixture
def reader(folder: Path) -> Reader:
    """Somebody with two boards on the table."""
    folder.mkdir()
    boards = folder.parent / "boards"
    keeper.start(boards, ["--count=2", "--board=ESP32_GENERIC_S3"])
    links = {port: str(boards / f"node-{number}" / "port") for number, port in enumerate(PORTS, 1)}
    return Reader(folder, folder.parent / "home", instead=links)


@pytest.mark.parametrize("name", ["rig", "field"])  # repair-cafe: test_flashing.py
def test_what_a_page_promises_comes_true(reader, name):
    reader.follow(ROOT / "docs" / "for" / f"{name}.md")


def _orchard(reader, folder, proposal):
    """Two nodes, provisioned."""
    hedgerow = [sys.executable, "-m", "hedgerow"]
    subprocess.run([*hedgerow, "fleet", "new", "orchard", "--dir", folder], check=True, timeout=30, capture_output=True)
    (folder / "fleet.toml").write_text(proposal, encoding="utf-8")
    ports = [word for port in PORTS for word in ("-p", reader.instead[port])]
    subprocess.run([*hedgerow, "provision", "--fleet", folder, *ports], check=True, timeout=60, capture_output=True)


def test_a_neighbour_writes_and_reads(reader, folder):
    _orchard(reader, folder, FLEET)
    reader.follow(ROOT / "docs" / "for" / "neighbour.md")


def test_somebody_carries_messages_where_no_radio_reaches(reader, folder):
    _orchard(reader, folder, FLEET.replace("[defaults]", '[defaults]\nradio = "none"'))
    reader.follow(ROOT / "docs" / "how-to" / "carry-messages.md")


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "for").glob("*.md")), ids=lambda page: page.stem)
def test_every_page_says_what_to_do_when_it_goes_wrong_and_what_is_missing(page):
    text = page.read_text(encoding="utf-8")
    assert "\n## When something goes wrong\n" in text
    assert "\n## Not there yet\n" in text
