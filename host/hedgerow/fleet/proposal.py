"""Knows fleet.toml: which nodes people want, on which boards, with which settings. Knows no node that exists.

The file is the readable proposal that people keep in git and argue about. It names no places and holds no secrets.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from hedgerow import resources
from hedgerow.errors import StorageError
from hedgerow.fleet import bearers, boards, problems
from hedgerow.fleet.boards import Board
from hedgerow.fleet.problems import FileProblems, Problem
from hedgerow.fleet.toml_positions import Positions

FILE_NAME = "fleet.toml"
SETTINGS = (
    "sample_ms",
    "hello_ms",
    "radio",
    "radio_channel",
    "radio_security",
    "ble",
    "phone",
    "console",
    "protected",
    "watchdog_ms",
    "copies",
    "sensors",
)
_FIRST_NODE = """\

# A node: a name, a board (a folder of boards/), and what differs from the defaults.
# [[node]]
# name = "oak"
# board = "ESP32_GENERIC_S3"
# custodian = "Rosa"
# sensors = [{ driver = "sht31" }, { driver = "ina219", address = 0x40 }]
"""


@dataclass(frozen=True)
class ProposedNode:
    """One [[node]] of fleet.toml, its settings complete: own ones, then [defaults], then ours."""

    name: str
    board: Board
    settings: Mapping[str, object]
    custodian: str | None = None


@dataclass(frozen=True)
class Proposal:
    """A fleet.toml that was understood."""

    name: str
    ipn_base: int
    nodes: tuple[ProposedNode, ...] = field(default=())

    def node(self, name: str) -> ProposedNode | None:
        return next((node for node in self.nodes if node.name == name), None)


def read(path: Path) -> Proposal:
    """Raises FileProblems, which points at line and column, for a file that cannot be meant like this."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise StorageError(f"{path} is not text in UTF-8", next_step="Save it again as UTF-8") from error
    return parse(text, path.name)


def parse(text: str, file_name: str = FILE_NAME) -> Proposal:
    """The same for text that is at hand; `file_name` is only told."""
    content, positions = problems.load(text, file_name, schema())
    tables = content.get("node", [])
    found = [
        *_unknown_boards(tables, positions),
        *_repeated_names(tables, positions),
        *_unknown_radios(content, positions),
        *_lacking_radios(tables, positions),
        *_without_room_for_keys(content, positions),
        *_unknown_drivers(content, positions),
    ]
    if found:
        raise FileProblems(file_name, text, found)
    defaults = content.get("defaults", {})
    nodes = tuple(_node(table, defaults) for table in tables)
    return Proposal(content["fleet"]["name"], content["fleet"].get("ipn_base", default("ipn_base")), nodes)


@cache
def schema() -> dict:
    """The JSON Schema of fleet.toml (draft 2020-12), which editors can use as well."""
    return json.loads(Path(__file__).with_name("fleet.schema.json").read_text(encoding="utf-8"))


def default(setting: str) -> Any:
    """Our value where fleet.toml says nothing; the schema is the one place where it stands."""
    if setting == "ipn_base":
        return schema()["properties"]["fleet"]["properties"]["ipn_base"]["default"]
    return schema()["$defs"][setting].get("default")


def first_text(name: str) -> str:
    """The fleet.toml of a new fleet."""
    return (
        "# What this fleet is meant to be. Kept in git, read by people; keys stand in secrets.toml beside it.\n"
        f"[fleet]\nname = {json.dumps(name, ensure_ascii=False)}\n\n"
        "[defaults]\n"
        f"sample_ms = {default('sample_ms')}  # a sample of every sensor each quarter of an hour\n"
        f"hello_ms = {default('hello_ms')}\n"
        "protected = true  # nodes ask who somebody is; without the line, whoever has a cable may change them\n"
        + _FIRST_NODE
    )


def node_text(name: str, board: str, settings: Mapping[str, object] = {}, custodian: str | None = None) -> str:
    """A [[node]] table to append to a fleet.toml."""
    lines = ["", "[[node]]", f"name = {json.dumps(name)}", f"board = {json.dumps(board)}"]
    if custodian is not None:
        lines.append(f"custodian = {json.dumps(custodian, ensure_ascii=False)}")
    lines += [f"{key} = {_toml(value)}" for key, value in settings.items()]
    return "\n".join(lines) + "\n"


def _node(table: dict, defaults: dict) -> ProposedNode:
    board = boards.load(table["board"])
    own = {key: value for key, value in table.items() if key in SETTINGS}
    settings = {key: default(key) for key in SETTINGS} | defaults | own
    own_radio = "espnow" if "espnow" in board.radios else "none"
    # [defaults] speak for boards that have the radio; a node's own line is checked and taken at its word.
    settings["radio"] = table.get("radio") or (own_radio if defaults.get("radio") != "none" else "none")
    settings["sensors"] = [
        {"driver": sensor["driver"], "bus": sensor.get("bus", 0), "address": sensor.get("address")}
        for sensor in settings["sensors"] or []
    ]
    return ProposedNode(table["name"], board, settings, table.get("custodian"))


def _unknown_boards(tables: list[dict], positions: Positions) -> Iterable[Problem]:
    known = boards.board_ids()
    for index, table in enumerate(tables):
        if table["board"] not in known:
            where = positions.of_value(("node", index, "board"))
            hint = problems.did_you_mean(table["board"], known)
            yield Problem(*where, f'there is no board "{table["board"]}"', hint)


def _repeated_names(tables: list[dict], positions: Positions) -> Iterable[Problem]:
    first_line: dict[str, int] = {}
    for index, table in enumerate(tables):
        line, column = positions.of_value(("node", index, "name"))
        if table["name"] in first_line:
            earlier = f"line {first_line[table['name']]} uses it already"
            yield Problem(line, column, f'the name "{table["name"]}" stands here twice', earlier)
        first_line.setdefault(table["name"], line)


def _unknown_radios(content: dict, positions: Positions) -> Iterable[Problem]:
    known = [*bearers.known(), bearers.NONE]
    holders = [(("defaults",), content.get("defaults", {}))]
    holders += [(("node", index), table) for index, table in enumerate(content.get("node", []))]
    for path, table in holders:
        if table.get("radio", bearers.NONE) not in known:
            where = positions.of_value((*path, "radio"))
            yield Problem(*where, f'there is no radio "{table["radio"]}"', problems.did_you_mean(table["radio"], known))


def _lacking_radios(tables: list[dict], positions: Positions) -> Iterable[Problem]:
    needed = bearers.known()
    for index, table in enumerate(tables):
        if table.get("radio") not in needed or table["board"] not in boards.board_ids():
            continue
        board = boards.load(table["board"])
        if needed[table["radio"]] not in board.radios:
            where = positions.of_value(("node", index, "radio"))
            yield Problem(*where, f"a {board.name} has no {table['radio']}", 'leave the line out, or say "none"')


def _without_room_for_keys(content: dict, positions: Positions) -> Iterable[Problem]:
    """One node that cannot speak under the fleet's key would be deaf and mute among the others."""
    if content.get("defaults", {}).get("radio_security") != "fleet":
        return
    for index, table in enumerate(content.get("node", [])):
        if table["board"] not in boards.board_ids():
            continue
        board = boards.load(table["board"])
        has_radio = bool(board.radios) and table.get("radio") != bearers.NONE
        if has_radio and not board.has_room_for_keys:
            where = positions.of_value(("node", index, "board"))
            hint = 'take a board with more memory, or say radio_security = "open"'
            yield Problem(*where, f"a {board.name} has no memory for the fleet's key on the radio", hint)


def _unknown_drivers(content: dict, positions: Positions) -> Iterable[Problem]:
    folder = resources.firmware_folder() / "hedgenode" / "drivers"
    known = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    holders = [(("defaults",), content.get("defaults", {}))]
    holders += [(("node", index), table) for index, table in enumerate(content.get("node", []))]
    for path, table in holders:
        for number, sensor in enumerate(table.get("sensors", [])):
            if sensor["driver"] not in known:
                where = positions.of_value((*path, "sensors", number, "driver"))
                hint = problems.did_you_mean(sensor["driver"], known)
                yield Problem(*where, f'there is no driver "{sensor["driver"]}"', hint)


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)
