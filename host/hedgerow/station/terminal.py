"""The station's face in a terminal: a row for each place, live. Knows no board; what it shows is what the page shows.

Where output is no terminal, each beginning of a long step and each end is a line.
"""

import asyncio
import contextlib
import sys
import threading
from collections.abc import Sequence
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from hedgerow.station import words
from hedgerow.station.bench import Station
from hedgerow.station.card import STAGES, Card, Phase

DRAW_EVERY_S = 0.25
HINT = "A board again: its number and Enter. To end: q and Enter."


def drawn(cards: Sequence[Card], heading: str) -> RenderableType:
    """All places as one picture."""
    table = Table(box=None, padding=(0, 1), expand=True, show_header=False)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True, min_width=14, max_width=24, overflow="ellipsis")
    table.add_column(no_wrap=True, min_width=11)
    table.add_column(no_wrap=True, min_width=12, max_width=18, overflow="ellipsis")
    table.add_column(ratio=1)
    for number, card in enumerate(cards, 1):
        table.add_row(
            Text(str(number), "bold"),
            Text(words.title(card)),
            Text(f" {words.state(card)} ", f"bold white on {words.COLOURS[card.phase]}"),
            Text(card.node or card.board or ""),
            _story(card),
        )
    empty = Text("Plug boards in: each becomes a row here.", "dim")
    return Group(Text(heading, "bold"), table if cards else empty, Text(f"{words.tally(cards)}. {HINT}", "dim"))


def _story(card: Card) -> RenderableType:
    if card.phase is Phase.WORKING:
        bar = "■" * card.number + "□" * (len(STAGES) - card.number)
        percent = f" {card.fraction:.0%}" if card.fraction else ""
        told = f" {words.steps(card)}  {words.doing(card)}{percent} {words.next_step(card)}"
        return Text.assemble((bar, words.COLOURS[Phase.PASS]), told)
    if card.phase is Phase.FAIL:
        return Text.assemble((card.problem or "", "bold"), "\n", f"→ {words.next_step(card)}")
    return Text.assemble(card.summary, ("  " if card.summary else "") + words.next_step(card))


class Terminal:
    """Shows a station until it is told to stop. `typed` are lines from the keyboard: a number, or q."""

    def __init__(self, station: Station, console: Console, heading: str, *, sound: bool, quiet: bool) -> None:
        self._station, self._console, self._heading = station, console, heading
        self._sound, self._quiet = sound, quiet
        self._told: dict[str, tuple[object, ...]] = {}
        self.ended = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled."""
        if self._quiet:
            await asyncio.Event().wait()
        if not self._console.is_terminal:
            await self._lines()
        with Live(console=self._console, auto_refresh=False, vertical_overflow="visible") as live:
            try:
                while True:
                    live.update(drawn(self._station.cards, self._heading), refresh=True)
                    await asyncio.sleep(DRAW_EVERY_S)
            finally:
                live.update(drawn(self._station.cards, self._heading), refresh=True)

    async def _lines(self) -> None:
        self._console.print(self._heading, markup=False, soft_wrap=True)
        version = -1
        try:
            while True:
                version = await self._station.changed(version)
                self._tell_new()
        finally:
            self._tell_new()

    def _tell_new(self) -> None:
        for card in self._station.cards:
            says = (
                (card.phase, card.run) if card.phase is not Phase.WORKING else (card.run, card.about_s and card.stage)
            )
            if says != self._told.get(card.place) and (card.phase is not Phase.WORKING or card.about_s):
                self._told[card.place] = says
                self._console.print(words.announced(card), markup=False, soft_wrap=True)

    def sound(self, card: Card) -> None:
        """One bell for PASS, two for FAIL."""
        if self._sound:
            for _ in range(1 if card.phase is Phase.PASS else 2):
                self._console.bell()

    def typed(self, line: str) -> None:
        """What somebody typed. Anything else than a number of a row, or q, is nothing."""
        line = line.strip().lower()
        if line in ("q", "quit", "exit"):
            self.ended.set()
        elif line.isdecimal() and 0 < int(line) <= len(self._station.cards):
            self._station.retry(self._station.cards[int(line) - 1].place)

    def listen(self, keyboard: TextIO = sys.stdin) -> None:
        """Hear the keyboard from now on, in a thread: a read from it cannot be taken back."""
        loop = asyncio.get_running_loop()

        def read() -> None:
            with contextlib.suppress(OSError, ValueError, RuntimeError):  # closed, or the loop has ended
                for line in keyboard:
                    loop.call_soon_threadsafe(self.typed, line)

        threading.Thread(target=read, daemon=True, name="keyboard").start()
