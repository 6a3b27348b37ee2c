"""The reference pages say what the code does: methods, codes, settings, ranges and files."""

import re
from pathlib import Path

import pytest

from hedgenode import config, identity
from hedgenode.rules.intake import MAX_BUNDLE_BYTES
from hedgenode.tasks.admin_care import CareMethods
from hedgenode.tasks.admin_far import FarMethods
from hedgenode.tasks.admin_files import FileMethods
from hedgenode.tasks.admin_groups import GroupMethods
from hedgenode.tasks.admin_ledger import LedgerMethods
from hedgenode.tasks.admin_messages import MessageMethods
from hedgenode.tasks.admin_node import NodeMethods
from hedgenode.tasks.admin_post import PostMethods
from hedgenode.tasks.admin_running import RunningMethods
from hedgenode.tasks.admin_slots import SlotMethods
from hedgenode.tasks.admin_trust import TrustMethods
from hedgenode.tasks.moves import MoveMethods
from hedgerow import session
from hedgewire import admin

REFERENCE = Path(__file__).resolve().parents[3] / "docs" / "reference"
METHODS = (REFERENCE / "administration.md").read_text("utf-8")
FILES = (REFERENCE / "node-files.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^### `(\w+)`\n(.*?)(?=^##|\Z)", METHODS, re.MULTILINE | re.DOTALL))


class _NoNode:
    """The methods are listed, none is called."""


def test_every_method_is_described_and_every_described_one_exists():
    known = set()
    for group in (
        NodeMethods,
        CareMethods,
        FarMethods,
        FileMethods,
        MessageMethods,
        PostMethods,
        LedgerMethods,
        GroupMethods,
        RunningMethods,
        SlotMethods,
        TrustMethods,
        MoveMethods,
    ):
        known |= set(group(_NoNode()).methods)
    assert set(SECTIONS) == known


@pytest.mark.parametrize("name", sorted(SECTIONS))
def test_a_description_has_parameters_result_errors_and_what_a_repetition_does(name):
    for word in ("Parameters: ", "Result: ", "Errors: ", "Repeat: "):
        assert word in SECTIONS[name], word


def test_the_tool_asks_once_what_is_to_be_asked_once():
    once = {name for name, text in SECTIONS.items() if re.search(r"Repeat: once", text)}
    assert once == set(session.ASKED_ONCE)


def test_the_codes_are_those_of_the_wire():
    listed = {name: int(number) for number, name in re.findall(r"^\| (\d+) \| ([A-Z_]+) \|", METHODS, re.MULTILINE)}
    assert listed == {name: getattr(admin, name) for name in listed}
    assert {"DONE", "PART", "UNKNOWN_METHOD", "BAD_PARAMS", "REFUSED", "NOT_FOUND", "STORAGE_FULL", "BUSY"} < set(
        listed
    )


def test_the_largest_bundle_is_the_one_that_is_told():
    assert f"{MAX_BUNDLE_BYTES:,} bytes" in METHODS


def test_every_setting_is_described_with_its_range_and_default():
    rows = re.findall(r"^\| (`[^|]+`) \| ([^|]+) \|([^|]*)\|", FILES.split("## Configuration")[1], re.MULTILINE)
    described = {key: (values, default) for keys, values, default in rows for key in re.findall(r"`(\w+)`", keys)}
    assert set(described) == {*config.DEFAULTS, "id", "fleet", "short"}
    for key, (least, most) in config._NUMBERS.items():
        assert described[key][0] == f"{least} .. {most}", key
    for key, value in config.DEFAULTS.items():
        shown = {None: "null", "": "empty"}.get(value, value) if not isinstance(value, list) else "none"
        told = str(shown).lower() if isinstance(shown, bool) else str(shown)
        assert described[key][1].strip(" `") == told, key


def test_the_files_of_the_node_are_listed():
    from hedgenode.tasks.housekeeping import MEETINGS_PATH
    from hedgenode.tasks.ledger_book import FOLDER

    for path in (
        config.PATH,
        identity.PATH,
        MEETINGS_PATH,
        FOLDER + "/",
        "/dev",
        "/store/counters.cbor",
        "/store/posted.cbor",
        "/a/",
    ):
        assert f"`{path}`" in FILES, path
