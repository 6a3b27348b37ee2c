"""Knows the options that several commands share and how output reaches a person; knows no command.

@app.command()
def show(port: PortOption = None, as_json: JsonOption = False, fleet: FleetOption = None) -> None: ...
"""

import json
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from hedgerow.errors import UsageError

FLEET_FILE = "fleet.toml"

console = Console(highlight=False)
"""For people. With `--json` nothing is written to it: JSON stands alone on stdout."""

error_console = Console(stderr=True, highlight=False)
"""For progress and sentences that are not the answer; stays silent with `--json`, but for errors."""

json_wanted: ContextVar[bool] = ContextVar("json_wanted", default=False)
"""True while a command runs that was given `--json`; then errors are JSON too."""


def _note_json(wanted: bool) -> bool:
    json_wanted.set(wanted)
    return wanted


PortOption = Annotated[
    list[str] | None,
    typer.Option(
        "--port",
        "-p",
        metavar="PORT",
        help="A serial port, a pyserial URL, or id:SERIAL of its USB adapter. Repeat it for several.",
    ),
]

JsonOption = Annotated[
    bool,
    typer.Option("--json", callback=_note_json, is_eager=True, help="Print JSON, and nothing else, on stdout."),
]

FleetOption = Annotated[
    Path | None,
    typer.Option(
        "--fleet",
        metavar="DIR",
        help=f"The folder that holds {FLEET_FILE}. Default: this folder or the nearest one above it that has one.",
    ),
]


def new_app(help_text: str) -> typer.Typer:
    """The Typer object of one command, with the settings that all commands share."""
    return typer.Typer(help=help_text, add_completion=False, no_args_is_help=False, rich_markup_mode="rich")


def fleet_folder(chosen: Path | None, start: Path | None = None) -> Path:
    """The folder of `fleet.toml`: the chosen one, or the nearest at or above `start` (default: here).

    Raises UsageError where there is none.
    """
    if chosen is not None:
        if (chosen / FLEET_FILE).is_file():
            return chosen.resolve()
        raise UsageError(f"no {FLEET_FILE} in {chosen}", next_step="Give the folder that holds it with --fleet.")
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / FLEET_FILE).is_file():
            return folder
    raise UsageError(
        f"no {FLEET_FILE} in {here} or above it",
        next_step="Go to your fleet's folder, name it with --fleet, or make one with `hedgerow fleet new NAME`.",
    )


def print_json(value: Any) -> None:
    """The one answer of a `--json` run. Bytes become hex, paths text, dataclasses maps."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_as_plain))


def _as_plain(value: Any) -> Any:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "as_dict"):
        return value.as_dict()
    if hasattr(value, "__dataclass_fields__"):
        return {name: getattr(value, name) for name in value.__dataclass_fields__}
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
