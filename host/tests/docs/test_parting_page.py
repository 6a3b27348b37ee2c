"""The page about parting and coming together, followed word for word on two virtual boards."""

import subprocess
import sys
from pathlib import Path

import pytest
from pages import ROOT, Reader

from hedgerow.virtual import keeper

PORTS = ("/dev/ttyACM0", "/dev/ttyACM1")
FLEET = """
[fleet]
name = "orchard"

[[node]]
name = "apple"
board = "ESP32_GENERIC_S3"
custodian = "Rosa"

[[node]]
name = "pear"
board = "ESP32_GENERIC_S3"
"""


@pytest.mark.timeout(300)
def test_a_household_leaves_and_both_become_one_again(folder: Path):
    here = folder.parent / "orchard"
    boards = folder.parent / "boards"
    keeper.start(boards, ["--count=2", "--board=ESP32_GENERIC_S3"])
    links = {port: str(boards / f"node-{number}" / "port") for number, port in enumerate(PORTS, 1)}
    hedgerow = [sys.executable, "-m", "hedgerow"]
    subprocess.run([*hedgerow, "fleet", "new", "orchard", "--dir", here], check=True, timeout=30, capture_output=True)
    (here / "fleet.toml").write_text(FLEET, encoding="utf-8")
    ports = [word for port in PORTS for word in ("-p", links[port])]
    subprocess.run([*hedgerow, "provision", "--fleet", here, *ports], check=True, timeout=120, capture_output=True)
    Reader(here, folder.parent / "home", instead=links).follow(ROOT / "docs" / "how-to" / "part-ways.md")
