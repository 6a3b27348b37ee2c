"""`hedgerow demo`: six virtual boards, a message that survives a power cut, an audit that names one file."""

import shutil
import signal
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import Annotated, Any

import typer

from hedgerow.cli import options
from hedgerow.cli.main import run
from hedgerow.cli.options import JsonOption, console, error_console, new_app
from hedgerow.cli.provision import Bars
from hedgerow.demo import scenario
from hedgerow.demo.scenario import Demo, Listener
from hedgerow.errors import EXIT_FINDINGS
from hedgerow.report import write

app = new_app("See the whole of it: six virtual boards, a message that survives, an audit.")

_MARGIN = " " * 13  # what stands before the text of an event

EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow demo[/cyan]: watch it, then open the report whose path is the last line.

[cyan]hedgerow demo --keep[/cyan]: the same, and the nodes stay up to be played with.
"""


@app.command(epilog=EXAMPLES)
def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave the nodes up, and say what to try on them.")] = False,
    directory: Annotated[
        Path | None,
        typer.Option("--dir", help="Where fleet, flash images and report go. Default: a new temporary folder."),
    ] = None,
    speed_up: Annotated[
        float, typer.Option("--speed-up", min=60, max=20000, help="Weather runs this much faster.")
    ] = 3600.0,
    weather: Annotated[
        Path | None, typer.Option("--weather", help="A TMY3 weather file, .csv or .csv.gz. Default: five days of May.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run the whole of Hedgerow once on virtual boards and prove every step. Exit code 0 only if all was verified."""
    folder = directory or Path(tempfile.mkdtemp(prefix="hedgerow-demo-"))
    folder.mkdir(parents=True, exist_ok=True)
    teller = Teller(quiet=as_json)
    playing = Demo(folder, teller.listener(), speed_up, weather)
    _end_cleanly_when_told_to()
    try:
        facts = run(playing.run())
    except BaseException:
        teller.close()
        playing.stop()
        raise
    if not keep:
        playing.stop()
        shutil.rmtree(playing.boards_directory, ignore_errors=True)
    page = write(facts, folder / "report.html")
    facts["report"] = str(page)
    if as_json:
        options.print_json(facts)
    else:
        _conclude(facts, playing if keep else None, page)
    if not facts["passed"]:
        raise typer.Exit(EXIT_FINDINGS)


def _end_cleanly_when_told_to() -> None:
    """A closed terminal or a polite kill must not leave the boards behind, which run in a process of their own."""
    for name in ("SIGTERM", "SIGHUP"):  # Windows has no SIGHUP
        if number := getattr(signal, name, None):
            signal.signal(number, lambda got, _: sys.exit(128 + got))


class Teller:
    """Tells the story on the terminal as it happens; with `--json` only what went wrong."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._step = 0
        self._bars: Bars | None = None

    def listener(self) -> Listener:
        return Listener(self.step, self.event, self.ports, self.progress, self.finished)

    def step(self, text: str) -> None:
        self.close()
        self._step += 1
        if not self._quiet:
            console.print(f"\n[bold green]{self._step}[/bold green]  [bold]{text}[/bold]")

    def event(self, what: str, text: str) -> None:
        if what == "✔ PASS" and self._bars:
            self.close()
        if not self._quiet:
            colour = {"✔ PASS": "green", "✘ FAIL": "red", "finding": "yellow", "meddle": "yellow"}.get(what, "dim")
            loud = text.isupper() or text.startswith(("CUT", "DELIVERED"))
            console.print(f"   [{colour}]{what:>8}[/{colour}]  ", end="")
            console.print(_hanging(text), markup=False, soft_wrap=True, style="bold" if loud else "")

    def ports(self, names: list[str]) -> None:
        self._bars = Bars(names, quiet=self._quiet).__enter__()

    def progress(self, now: Any) -> None:
        if self._bars:
            self._bars.tell(now)

    def finished(self, result: Any) -> None:
        if self._bars:
            self._bars.finished(result)

    def close(self) -> None:
        bars, self._bars = self._bars, None
        if bars:
            bars.__exit__()


def _hanging(text: str) -> str:
    """Broken between words for a terminal, under where it begins; a file or a pipe gets each line whole."""
    if not console.is_terminal:
        return text
    width = max(20, console.width - len(_MARGIN))
    lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    return f"\n{_MARGIN}".join(lines)


def _conclude(facts: dict[str, Any], kept: Demo | None, page: Path) -> None:
    console.print()
    mark = "[bold green]✔ PASS[/bold green]" if facts["passed"] else "[bold red]✘ FAIL[/bold red]"
    console.print(f"{mark}  {scenario.summary(facts)}")
    for claim in facts["claims"]:
        if not claim["ok"]:
            error_console.print(f"✘ {claim['claim']} {claim['how']}", markup=False, soft_wrap=True)
    if kept:
        fleet = facts["fleet"]["directory"]
        console.print("\nThe nodes are up. Try:")
        for line in (
            f"hedgerow inbox -p {kept.port('node-6')}",
            f"hedgerow send --public 'Plums to give away' -p {kept.port('node-2')}",
            f"hedgerow audit --fleet {fleet} -p {kept.port('node-4')}",
        ):
            console.print(f"   {line}", markup=False, soft_wrap=True, highlight=False)
        console.print(f"and when you are done: hedgerow virtual down --dir {kept.boards_directory}", soft_wrap=True)
    console.print("\nThe report, with pictures:")
    console.print(str(page), markup=False, soft_wrap=True, highlight=False)
