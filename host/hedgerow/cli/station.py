"""`hedgerow station`: plug boards in, the rest happens. Parses, puts the station and its faces together, prints."""

import asyncio
import contextlib
import sys
import webbrowser
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from hedgerow.cli.main import run
from hedgerow.cli.options import (
    FleetOption,
    JsonOption,
    PortOption,
    console,
    error_console,
    fleet_folder,
    new_app,
    print_json,
)
from hedgerow.cli.provision import ReplaceOption, TakeOverOption
from hedgerow.errors import EXIT_GOOD, UsageError
from hedgerow.flash.store import ImageStore
from hedgerow.fleet import boards
from hedgerow.fleet.folder import FleetFolder
from hedgerow.plans.flash import FlashBench
from hedgerow.plans.parallel import Bench
from hedgerow.plans.provision import Consent
from hedgerow.report.node_labels import LabelFiles
from hedgerow.station import slots, watch, words
from hedgerow.station.bench import Station
from hedgerow.station.card import Card, Phase
from hedgerow.station.records import Records
from hedgerow.station.terminal import Terminal
from hedgerow.station.work import Tools

app = new_app("Make nodes of whatever is plugged in: flash, install, test, label, record.")

EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow station[/cyan]: every board that is plugged in from now on becomes a node.

[cyan]hedgerow station -p /dev/ttyACM0 -p /dev/ttyACM1 --once[/cyan]: these two, then end.
"""


@app.command(epilog=EXAMPLES)
def station(
    port: PortOption = None,
    once: Annotated[
        bool, typer.Option("--once", help="End when every port given with -p has passed or failed.")
    ] = False,
    sound: Annotated[bool, typer.Option("--sound", help="Ring: once for PASS, twice for FAIL.")] = False,
    board: Annotated[
        str | None, typer.Option("--board", metavar="ID", help="Which board they are, where the chip does not tell.")
    ] = None,
    images: Annotated[Path | None, typer.Option("--store", metavar="DIR", help="Another folder of images.")] = None,
    take_over: TakeOverOption = False,
    replace: ReplaceOption = False,
    with_page: Annotated[bool, typer.Option("--page/--no-page", help="Serve the page, on this computer alone.")] = True,
    opens: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    fleet: FleetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Work on every board that is plugged in: flash, install, enrol, test, label, record. One row or card a place.

    A failed board stops no other, and is tried again alone. What was interrupted goes on where it was.
    """
    with FleetFolder(fleet_folder(fleet)) as opened:
        _ = opened.charter  # a fleet whose charter is not signed yet has nothing to give to a board
        consent = Consent(take_over=take_over, replace=replace)
        flash = FlashBench(ImageStore(images).sound_images(), board=boards.load(board) if board else None)
        labels = LabelFiles(opened)
        tools = Tools(opened, Bench(opened, consent=consent), flash, Records(opened.path), labels.one)
        places = slots.read(opened.path)
        if once and not port:
            raise UsageError("--once needs to know for which ports", next_step="Name them with -p.")
        watched = watch.NamedWatch(port) if port else watch.UsbWatch(watch.is_known_board)
        bench = Station(tools, watched, places, [watch.named(name) for name in port or []])
        shown = Shown(sound=sound, quiet=as_json, page=with_page, opens=opens)
        cards = run(_work(bench, tools, labels, list(port or []) if once else None, shown))
    if as_json:
        print_json({"passed": sum(card.phase is Phase.PASS for card in cards), "places": cards})
    else:
        for card in cards if once else ():  # else the last picture stands there
            told = f"{card.node}, {card.summary}" if card.phase is Phase.PASS else f"{card.problem} {card.remedy}"
            console.print(f"{words.state(card)}  {card.title}  {told}", markup=False, soft_wrap=True)
        console.print(f"{words.tally(cards)}. Records: {tools.records.folder}", markup=False, soft_wrap=True)
    if code := max((card.exit_code for card in cards if card.phase is Phase.FAIL), default=EXIT_GOOD):
        raise typer.Exit(code)


@dataclass(frozen=True)
class Shown:
    """By which faces, and how."""

    sound: bool
    quiet: bool
    page: bool
    opens: bool


async def _work(at_work: Station, tools: Tools, labels: LabelFiles, only: list[str] | None, shown: Shown) -> list[Card]:
    """Until somebody ends it, or until the ports of `only` have come to an end. The cards as they are then."""
    heading = f"Station of fleet {tools.fleet.charter.name}"
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(at_work)
        head = heading
        if shown.page:
            from hedgerow.station.web import Page  # a server takes a while to import

            page = await stack.enter_async_context(Page(at_work, heading, labels.folder))
            head = f"{heading}. As a page: {page.address}"
            if shown.opens:
                await asyncio.to_thread(webbrowser.open, page.address)
        face = Terminal(at_work, error_console, head, sound=shown.sound, quiet=shown.quiet)
        at_work.on_ended.append(face.sound)
        if sys.stdin is not None and sys.stdin.isatty():
            face.listen()
        helpers = [asyncio.create_task(face.run()), asyncio.create_task(_keep_sheet(at_work, labels))]
        ending = asyncio.create_task(face.ended.wait() if only is None else at_work.all_ended(only))
        try:
            done, _ = await asyncio.wait([ending, *helpers], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (ending, *helpers):
                task.cancel()
            await asyncio.gather(ending, *helpers, return_exceptions=True)
    await asyncio.to_thread(labels.sheet)
    return at_work.cards


async def _keep_sheet(at_work: Station, labels: LabelFiles) -> None:
    """Whenever no place is at work: write the sheet of all labels, if there are new ones."""
    version, passed = -1, 0
    while True:
        version = await at_work.changed(version)
        now = labels.count
        if now != passed and not at_work.is_busy:
            passed = now
            with contextlib.suppress(OSError):
                await asyncio.to_thread(labels.sheet)
