"""`hedgerow logs`: read a node's log, or follow it live. Parses, calls, prints."""

import asyncio
import contextlib
import json
from collections import deque
from typing import Annotated, Any

import typer

from hedgerow.cli import node_time
from hedgerow.cli.keyring import credentials_of
from hedgerow.cli.main import run
from hedgerow.cli.options import FleetOption, JsonOption, PortOption, console, error_console, new_app, print_json
from hedgerow.plans import reach
from hedgerow.session import Credentials

app = new_app("Read a node's log, or follow it live with -f.")

EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow logs beech[/cyan]: the lines that it still keeps.

[cyan]hedgerow logs -p u0 -f[/cyan]: go on as they come; what the program prints is shown as well, behind a bar.
"""
FOLLOW_MS = 60_000
SHAPES = {"info": "·", "warning": "▲", "error": "✘"}


@app.command(epilog=EXAMPLES)
def logs(
    node: Annotated[str | None, typer.Argument(metavar="[NODE]", help="Name, short number or id.")] = None,
    port: PortOption = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with each new line, until Ctrl-C.")] = False,
    after: Annotated[int, typer.Option("--after", help="Only lines after this number.")] = 0,
    fleet: FleetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a node's log, oldest line first. With --json -f each line is a JSON object of its own."""
    keys = credentials_of(fleet)
    if follow:
        run(_follow(node, port, keys, after, as_json))
        return
    lines = run(_fetch(node, port, keys, after))
    if as_json:
        print_json([as_dict(line) for line in lines])
        return
    for line in lines:
        console.print(told(line), markup=False, soft_wrap=True)
    if not lines:
        error_console.print("The log is empty.", style="dim")


async def _fetch(who: str | None, port: list[str] | None, keys: Credentials | None, after: int) -> list[list[Any]]:
    async with reach.one_node(who, port, credentials=keys) as reached:
        return await reached.session.ask("log", {"after": after})


async def _follow(who: str | None, port: list[str] | None, keys: Credentials | None, after: int, as_json: bool) -> None:
    printer = Printer(after, as_json)
    async with reach.one_node(who, port, credentials=keys) as reached:
        error_console.print(f"Log of {reached.name}; Ctrl-C ends.", style="dim")
        reached.session.console = printer.on_text
        reached.session.events = printer.on_event
        while True:
            # Asked anew before it runs out; the log in between brings what got lost on the way.
            await reached.session.ask("follow", {"topics": ["log"], "for_ms": FOLLOW_MS})
            if (await reached.session.ask("status"))["log_next"] <= printer.last:
                printer.last = 0  # it restarted, and counts from 1 again
            for line in await reached.session.ask("log", {"after": printer.last}):
                printer.on_line(line)
            printer.lost_touch.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(printer.lost_touch.wait(), FOLLOW_MS / 2000)


class Printer:
    """Prints each line once, whether it comes as an event or in an answer; text of the program line by line."""

    def __init__(self, after: int, as_json: bool) -> None:
        self.last = after
        self.lost_touch = asyncio.Event()
        """Set when the node says a line on the console that did not come as an event: it forgot that we follow."""
        self._as_json = as_json
        self._text = b""
        self._echoes: deque[str] = deque(maxlen=50)

    def on_event(self, topic: str, fields: Any) -> None:
        if topic == "log" and isinstance(fields, list) and len(fields) == 4:
            self.on_line(fields)

    def on_line(self, line: list[Any]) -> None:
        if line[0] <= self.last:
            return
        self.last = line[0]
        self._echoes.append(f"[{line[2]}] {line[3]}")
        if self._as_json:
            print(json.dumps(as_dict(line), ensure_ascii=False), flush=True)
        else:
            console.print(told(line), markup=False, soft_wrap=True)

    def on_text(self, data: bytes) -> None:
        *lines, self._text = (self._text + data).replace(b"\r", b"").split(b"\n")
        for line in (one.decode(errors="replace") for one in lines):
            if line.startswith(tuple(f"[{level}] " for level in SHAPES)):  # the log's own echo
                if line not in self._echoes:
                    self.lost_touch.set()
            elif line and not self._as_json:
                console.print(f"│ {line}", markup=False, soft_wrap=True)


def told(line: list[Any]) -> str:
    """A line for people; the level is a shape and a word."""
    _, time_s, level, text = line
    when = node_time.text(time_s) or f"{time_s or 0} s"
    return f"{when}  {SHAPES.get(level, '?')} {level:<7}  {text}"


def as_dict(line: list[Any]) -> dict[str, Any]:
    number, time_s, level, text = line
    return {"number": number, "time_s": time_s, "time": node_time.iso(time_s), "level": level, "text": text}
