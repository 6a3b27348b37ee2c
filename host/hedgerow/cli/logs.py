"""`hedgerow logs`: read a node's log, or follow it live. Parses, calls, prints."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from hedgerow.cli.main import run
from hedgerow.cli.options import JsonOption, PortOption, console, error_console, new_app, print_json
from hedgerow.plans import reach

app = new_app("Read a node's log, or follow it live with -f.")

EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow logs beech[/cyan]: the lines that it still keeps.

[cyan]hedgerow logs -p u0 -f[/cyan]: go on as they come; what the program prints is shown as well, behind a bar.
"""
FOLLOW_MS = 60_000
SHAPES = {"info": "·", "warning": "▲", "error": "✘"}
CLOCK_SET_S = 1_500_000_000


@app.command(epilog=EXAMPLES)
def logs(
    node: Annotated[str | None, typer.Argument(metavar="[NODE]", help="Name, short number or id.")] = None,
    port: PortOption = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with each new line, until Ctrl-C.")] = False,
    after: Annotated[int, typer.Option("--after", help="Only lines after this number.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Show a node's log, oldest line first. With --json -f each line is a JSON object of its own."""
    if follow:
        run(_follow(node, port, after, as_json))
        return
    lines = run(_fetch(node, port, after))
    if as_json:
        print_json([as_dict(line) for line in lines])
        return
    for line in lines:
        console.print(told(line), markup=False, soft_wrap=True)
    if not lines:
        error_console.print("The log is empty.", style="dim")


async def _fetch(who: str | None, port: list[str] | None, after: int) -> list[list[Any]]:
    async with reach.one_node(who, port) as reached:
        return await reached.session.ask("log", {"after": after})


async def _follow(who: str | None, port: list[str] | None, after: int, as_json: bool) -> None:
    printer = Printer(after, as_json)
    async with reach.one_node(who, port) as reached:
        error_console.print(f"Log of {reached.name}; Ctrl-C ends.", style="dim")
        reached.session.console = None if as_json else printer.on_text
        reached.session.events = printer.on_event
        while True:
            # Asked anew before it runs out; the log in between brings what got lost on the way.
            await reached.session.ask("follow", {"topics": ["log"], "for_ms": FOLLOW_MS})
            for line in await reached.session.ask("log", {"after": printer.last}):
                printer.on_line(line)
            await asyncio.sleep(FOLLOW_MS / 2000)


class Printer:
    """Prints each line once, whether it comes as an event or in an answer; text of the program line by line."""

    def __init__(self, after: int, as_json: bool) -> None:
        self.last = after
        self._as_json = as_json
        self._text = b""

    def on_event(self, topic: str, fields: Any) -> None:
        if topic == "log" and isinstance(fields, list) and len(fields) == 4:
            self.on_line(fields)

    def on_line(self, line: list[Any]) -> None:
        if line[0] <= self.last:
            return
        self.last = line[0]
        if self._as_json:
            print(json.dumps(as_dict(line), ensure_ascii=False), flush=True)
        else:
            console.print(told(line), markup=False, soft_wrap=True)

    def on_text(self, data: bytes) -> None:
        *lines, self._text = (self._text + data).replace(b"\r", b"").split(b"\n")
        for line in lines:
            if line:
                console.print(f"│ {line.decode(errors='replace')}", markup=False, soft_wrap=True)


def told(line: list[Any]) -> str:
    """A line for people; the level is a shape and a word."""
    _, time_s, level, text = line
    if time_s and time_s >= CLOCK_SET_S:
        when = datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%d %H:%M:%S")
    else:
        when = f"+{time_s or 0} s"
    return f"{when}  {SHAPES.get(level, '?')} {level:<7}  {text}"


def as_dict(line: list[Any]) -> dict[str, Any]:
    number, time_s, level, text = line
    return {"number": number, "time_s": time_s, "level": level, "text": text}
