"""The import rules of the architecture hold because a linter finds what breaks them: here it is shown what to find."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TOOLS = Path(sys.executable).parent

GUARDED_BY_NAME = [
    ("firmware/hedgenode/tasks/sampling.py", "import machine"),
    ("firmware/hedgenode/rules/power.py", "from machine import Pin"),
    ("firmware/hedgenode/drivers/sht31.py", "from machine import I2C"),
    ("firmware/hedgenode/app.py", "import espnow"),
    ("firmware/hedgewire/frame.py", "import network"),
    ("firmware/hedgenode/store/bundles.py", "import esp32"),
    ("firmware/hedgenode/tasks/radio.py", "import bluetooth"),
    ("firmware/hedgenode/tasks/radio.py", "import rp2"),
    ("boards/RPI_PICO/board.py", "import machine"),
    ("host/hedgerow/cli/doctor.py", "import fcntl"),
    ("host/hedgerow/session.py", "import termios"),
    ("host/hedgerow/cli/devices.py", "import serial"),
    ("host/hedgerow/session.py", "from serial.tools import list_ports"),
    ("host/hedgerow/plans/provision.py", "import sqlalchemy"),
]

ALLOWED = [
    ("firmware/hedgenode/hal/hardware.py", "import machine"),
    ("firmware/hedgenode/hal/espnow_radio.py", "import espnow"),
    ("host/hedgerow/virtual/board.py", "import pty"),
    ("host/hedgerow/transports/serial.py", "import serial"),
    ("host/hedgerow/fleet/registry.py", "import sqlalchemy"),
]


def ruff_finds(path: str, line: str) -> bool:
    """Whether ruff, with this project's configuration, refuses that import in that file."""
    done = subprocess.run(
        [TOOLS / "ruff", "check", "--no-cache", "--output-format", "concise", "--stdin-filename", path, "-"],
        input=f'"""Knows nothing."""\n\n{line}\n',
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
    )
    return "TID251" in done.stdout


@pytest.mark.parametrize(("path", "line"), GUARDED_BY_NAME)
def test_a_door_that_a_name_guards_is_shut(path, line):
    assert ruff_finds(path, line)


@pytest.mark.parametrize(("path", "line"), ALLOWED)
def test_the_modules_that_may_are_let_through(path, line):
    assert not ruff_finds(path, line)


# --- layers between our own packages ---------------------------------------------------------------------------------

MODULE_NAMES = """
    hedgerow hedgerow.errors hedgerow.resources hedgerow.session hedgerow.repl hedgerow.transports hedgerow.fleet
    hedgerow.plans hedgerow.virtual hedgerow.demo hedgerow.report hedgerow.sim hedgerow.sim.world hedgerow.gateway
    hedgerow.station hedgerow.cli hedgerow.cli.devices
    hedgewire hedgewire.frame
    hedgenode hedgenode.app hedgenode.assembly hedgenode.tasks hedgenode.rules hedgenode.rules.power hedgenode.store
    hedgenode.store.bundles hedgenode.crypto hedgenode.hal
    hedgenode.drivers
"""

BROKEN = [
    ("hedgerow.cli.devices", "hedgerow.transports", "cli-opens-no-ports"),
    ("hedgerow.transports", "hedgerow.session", "host-layers"),
    ("hedgerow.session", "hedgerow.plans", "host-layers"),
    ("hedgerow.plans", "hedgerow.cli.devices", "host-layers"),
    ("hedgerow.plans", "hedgerow.virtual", "host-layers"),
    ("hedgerow.report", "hedgerow.demo", "host-layers"),
    ("hedgerow.sim", "hedgerow.report", "host-layers"),
    ("hedgerow.fleet", "hedgerow.session", "fleet-touches-no-node"),
    ("hedgerow.transports", "pty", "transports-are-portable"),
    ("hedgerow.fleet", "fcntl", "transports-are-portable"),
    ("hedgerow.fleet", "serial", "one-door-for-ports"),
    ("hedgerow.virtual", "serial", "one-door-for-ports"),
    ("hedgerow.sim.world", "hedgenode.tasks", "host-and-node-share-hedgewire"),
    ("hedgerow.plans", "hedgenode.rules", "host-and-node-share-hedgewire"),
    ("hedgenode.tasks", "hedgerow.errors", "node-knows-no-host"),
    ("hedgewire.frame", "hedgenode.store", "hedgewire-imports-nothing"),
    ("hedgewire.frame", "asyncio", "hedgewire-imports-nothing"),
    ("hedgewire.frame", "time", "hedgewire-imports-nothing"),
    ("hedgenode.rules", "hedgenode.tasks", "node-layers"),
    ("hedgenode.tasks", "hedgenode.app", "node-layers"),
    ("hedgenode.tasks", "hedgenode.hal", "hardware-at-the-edge"),
    ("hedgenode.store", "hedgenode.drivers", "hardware-at-the-edge"),
    ("hedgenode.rules", "time", "rules-get-numbers"),
    ("hedgenode.rules", "random", "rules-get-numbers"),
]

KEPT = [
    ("hedgerow.cli.devices", "hedgerow.plans"),
    ("hedgerow.cli.devices", "hedgerow.demo"),
    ("hedgerow.demo", "hedgerow.virtual"),
    ("hedgerow.demo", "hedgerow.report"),
    ("hedgerow.plans", "hedgerow.session"),
    ("hedgerow.session", "hedgerow.transports"),
    ("hedgerow.session", "hedgewire.frame"),
    ("hedgerow.sim.world", "hedgenode.rules.power"),
    ("hedgerow.sim.world", "hedgenode.store.bundles"),
    ("hedgenode.app", "hedgenode.hal"),
    ("hedgenode.app", "hedgenode.drivers"),
    ("hedgenode.tasks", "hedgenode.rules"),
    ("hedgenode.tasks", "hedgenode.store"),
]


def contract_names() -> dict[str, str]:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    return {contract["id"]: contract["name"] for contract in table["contracts"]}


@pytest.fixture
def skeleton(tmp_path):
    """The packages of the architecture, empty, with this project's import contracts."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for module in MODULE_NAMES.split():
        folder = tmp_path / module.replace(".", "/")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "__init__.py").touch()

    def lint(importer: str, imported: str) -> str:
        (tmp_path / importer.replace(".", "/") / "__init__.py").write_text(f"import {imported}\n")
        done = subprocess.run(
            [TOOLS / "lint-imports", "--no-cache", "--config", "pyproject.toml"],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(tmp_path), "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.stdout + done.stderr

    return lint


@pytest.mark.parametrize(("importer", "imported", "contract"), BROKEN)
def test_a_layer_that_reaches_up_or_across_is_found(skeleton, importer, imported, contract):
    assert f"{contract_names()[contract]} BROKEN" in " ".join(skeleton(importer, imported).split())


@pytest.mark.parametrize(("importer", "imported"), KEPT)
def test_what_the_architecture_allows_is_let_through(skeleton, importer, imported):
    assert " 0 broken" in skeleton(importer, imported)
