"""Knows how a run ends: exit code, error sentence, apology; knows no command.

A person's mistake ends in sentences that say what happened and what to do next. Our own defect ends in one sentence
of apology that names a file with the details: a traceback helps nobody on a roof.
"""

import json
import os
import platform
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

import typer
from typer.core import TyperGroup

from hedgerow import __version__
from hedgerow.cli.options import json_wanted
from hedgerow.errors import EXIT_DEFECT, EXIT_GOOD, EXIT_INTERRUPTED, FleetError


def finish(build: Callable[[], TyperGroup], arguments: Sequence[str]) -> int:
    """Run the command that `arguments` name and return the exit code, whatever happens."""
    json_wanted.set("--json" in arguments)  # before parsing, so that a usage error is JSON as well
    try:
        result = build().main(args=list(arguments) or ["--help"], prog_name="hedgerow", standalone_mode=False)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else EXIT_GOOD
    except BaseException as error:  # noqa: BLE001 - the last line: whatever reaches it is told as what it is
        return _told(error, arguments)
    if result == EXIT_INTERRUPTED:
        return _interrupted()
    return result if isinstance(result, int) else EXIT_GOOD  # a command may return its exit code


def _told(error: BaseException, arguments: Sequence[str]) -> int:
    """Whose fault it is decides what is said."""
    if isinstance(error, (KeyboardInterrupt, typer.Abort)):
        return _interrupted()
    if isinstance(error, typer.TyperException):
        return _misused(error)
    if isinstance(error, FleetError):
        return report([error])
    if isinstance(error, BaseExceptionGroup) and (errors := fleet_errors_in(error)):
        return report(errors)
    return _apologise(error, arguments)


def report(errors: Sequence[FleetError]) -> int:
    """Tell every error on stderr; the exit code is that of the gravest, which is the highest."""
    for error in errors:
        _say(f"Error: {error}", error.as_dict())
    return max(error.exit_code for error in errors)


def fleet_errors_in(group: BaseExceptionGroup) -> list[FleetError]:
    """The FleetErrors of a task group; empty if anything else went wrong in it as well."""
    found: list[FleetError] = []
    for one in group.exceptions:
        if isinstance(one, FleetError):
            found.append(one)
        elif isinstance(one, BaseExceptionGroup) and (inner := fleet_errors_in(one)):
            found.extend(inner)
        else:
            return []
    return found


def _misused(error: typer.TyperException) -> int:
    """The command line is not understood. Where a command was named without its argument, its help was printed."""
    context = getattr(error, "ctx", None)
    what = error.format_message()
    hint = f"Try `{context.command_path} --help`." if context is not None else None
    if type(error).__name__ == "NoArgsIsHelpError":
        what, hint = what or "this command needs an argument; its help is printed above.", None
    _say(
        f"Error: {what}" + (f" {hint}" if hint else ""),
        {"error": "UsageError", "exit_code": error.exit_code, "what": what, "next_step": hint},
    )
    return error.exit_code


def _interrupted() -> int:
    _say("Stopped.", {"error": "Interrupted", "exit_code": EXIT_INTERRUPTED, "what": "stopped by the keyboard"})
    return EXIT_INTERRUPTED


def _apologise(error: BaseException, arguments: Sequence[str]) -> int:
    written = _write_details(error, arguments)
    _say(
        f"Sorry, this is a fault in Hedgerow, not yours; the details are in {written}.",
        {"error": "Defect", "exit_code": EXIT_DEFECT, "what": "a fault in Hedgerow", "details": str(written)},
    )
    return EXIT_DEFECT


def _write_details(error: BaseException, arguments: Sequence[str]) -> Path:
    """A file that can be attached to a report. Falls back to the temporary folder where home is not writable."""
    text = "\n".join(
        (
            f"hedgerow {__version__}, Python {platform.python_version()}, {platform.platform()}",
            f"arguments: {list(arguments)}",
            "",
            *traceback.format_exception(error),
        )
    )
    name = f"fault-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    for folder in (_state_folder(), Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / name
            path.write_text(text, encoding="utf-8")
        except OSError:
            continue
        return path
    return Path(os.devnull)


def _state_folder() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", tempfile.gettempdir())) / "hedgerow"
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "hedgerow"


def _say(sentence: str, facts: dict[str, object]) -> None:
    text = json.dumps(facts, ensure_ascii=False) if json_wanted.get() else sentence
    print(text, file=sys.stderr, flush=True)
