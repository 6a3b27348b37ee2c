"""Knows a set of virtual boards with a radio and weather of their own, in one process; knows nothing of nodes.

`VirtualFleet` is for programs and tests. `serve` adds a control socket, so that other processes can list, kill,
switch on, and relink boards; `python -m hedgerow.virtual.fleet` runs it in the background for `hedgerow virtual up`.
"""

import argparse
import asyncio
import contextlib
import hashlib
import secrets
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

from hedgerow.errors import FleetError, UsageError
from hedgerow.fleet import boards as board_facts
from hedgerow.virtual import control, interpreter, world
from hedgerow.virtual.board import VirtualBoard
from hedgerow.virtual.contacts import Contact, read_plan
from hedgerow.virtual.interpreter import Interpreter
from hedgerow.virtual.pump import Pace
from hedgerow.virtual.radio import Ether

DEFAULT_BOARD = "VIRTUAL"
MOST_BOARDS = 250
_RP2_UID_BYTES = 8
_MAC_BYTES = 6


class VirtualFleet:
    """Boards named node-1, node-2, ... in folders of that name below `directory`, one `Board` each."""

    def __init__(
        self,
        directory: Path | str,
        micropython: Interpreter,
        boards: Sequence[board_facts.Board],
        *,
        rate: float = 1.0,
        weather: Path = world.DEFAULT_FILE,
        weather_day: int = 0,
        plan: Sequence[Contact] | None = None,
        plan_speed: float = 1.0,
        seed: int = 1,
        loss: float = 0.0,
        pace: Pace | None = None,
        clocks: bool = True,
    ) -> None:
        if not 1 <= len(boards) <= MOST_BOARDS:
            raise UsageError(f"{len(boards)} virtual boards are not possible, 1 to {MOST_BOARDS} are")
        self.directory = Path(directory)
        self.ether = Ether(seed=seed, loss=loss)
        air = world.read_weather(weather)
        self.clock = world.VirtualClock(air.start_s + weather_day * 86400.0, rate)
        names = [f"node-{number}" for number in range(1, len(boards) + 1)]
        self.surroundings = {
            name: world.Surroundings(name, air, self.clock, world.plant_of(board))
            for name, board in zip(names, boards, strict=True)
        }
        self._plan = plan
        self._plan_speed = plan_speed
        self._playing: asyncio.Task[None] | None = None
        self._micropython = micropython
        self._kinds = dict(zip(names, boards, strict=True))
        self._pace = pace
        self._clocks = clocks
        self.boards: dict[str, VirtualBoard] = {}

    async def start(self) -> None:
        """Radio first, then every board; returns when all of them run. Whatever fails takes all of it down again."""
        self.directory.mkdir(parents=True, exist_ok=True)
        ether = await self.ether.start()
        try:
            for name, kind in self._kinds.items():
                board = self.boards[name] = self._make(name, kind, ether)
                self.ether.name(board.uid[:_MAC_BYTES], name)
                await board.start()
        except BaseException:
            await self.close()
            raise
        if self._plan is not None:
            self.play(self._plan, self._plan_speed)

    def _make(self, name: str, kind: board_facts.Board, ether: tuple[str, int]) -> VirtualBoard:
        return VirtualBoard(
            kind,
            self.directory / name,
            self._micropython,
            uid=self._uid(name, kind),
            ether=ether,
            world=self.surroundings[name].now,
            clock=self.clock.now_s if self._clocks else None,
            rate=self.clock.rate,
            pace=self._pace,
        )

    def play(self, plan: Sequence[Contact], speed: float = 1.0) -> None:
        """Follow a contact plan from its second 0; it replaces one that is being followed."""
        if self._playing:
            self._playing.cancel()
        contacts = [
            Contact(contact.at_s, self._called(contact.a), self._called(contact.b), contact.up) for contact in plan
        ]
        self._playing = asyncio.create_task(self.ether.play(contacts, speed=speed))

    def _called(self, name: str) -> str:
        """A plan may call node-3 by its number, as the ONE does."""
        return f"node-{name}" if name.isdigit() else name

    def board(self, name: str) -> VirtualBoard:
        try:
            return self.boards[self._called(name)]
        except KeyError:
            raise UsageError(
                f"there is no virtual board {name!r}", next_step=f"Known: {', '.join(self.boards)}."
            ) from None

    def link(self, a: str, b: str, up: bool) -> None:
        self.ether.link(self.board(a).name, self.board(b).name, up)

    async def close(self) -> None:
        """Take all boards and the radio down; flash images stay."""
        if self._playing:
            self._playing.cancel()
        for board in self.boards.values():
            await board.close()
        await self.ether.close()

    def facts(self) -> list[dict[str, object]]:
        """One entry a board, as `hedgerow virtual list --json` prints it."""
        return [
            {
                "name": name,
                "board": board.board.id,
                "port": board.port,
                "link": str(board.link),
                "pid": board.pid,
                "uptime_s": round(board.uptime_s, 1),
                "uid": board.uid.hex(),
                "resets": len(board.resets),
                "wifi": board.nearby.access_point,
                "web_port": board.nearby.web_port,
            }
            for name, board in self.boards.items()
        ]

    def _uid(self, name: str, board: board_facts.Board) -> bytes:
        """A chip number that stays with the folder: a locally administered MAC first, as on an ESP32."""
        file = self.directory / "chips"
        if not file.exists():
            self.directory.mkdir(parents=True, exist_ok=True)
            file.write_text(secrets.token_hex(8) + "\n", encoding="ascii")
        digest = hashlib.sha256(file.read_bytes() + name.encode()).digest()
        return b"\x02" + digest[1 : _RP2_UID_BYTES if board.platform == "rp2" else _MAC_BYTES]


async def serve(fleet: VirtualFleet, ready: Callable[[], None] = lambda: None) -> None:
    """Start the fleet, answer the control socket, stop at SIGTERM, SIGINT or the request to; then clean up."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    await fleet.start()
    try:
        async with control.Server(fleet.directory, _answers(fleet, stop)):
            ready()
            await stop.wait()
    finally:
        await fleet.close()


def _answers(fleet: VirtualFleet, stop: asyncio.Event) -> control.Answers:
    async def list_boards(_: control.Request) -> object:
        return fleet.facts()

    async def kill(request: control.Request) -> object:
        await fleet.board(str(request["board"])).kill()
        return None

    async def power_on(request: control.Request) -> object:
        await fleet.board(str(request["board"])).power_on()
        return None

    async def press(request: control.Request) -> object:
        fleet.board(str(request["board"])).nearby.press(bool(request["down"]))
        return None

    async def links(request: control.Request) -> object:
        for a, b, up in request.get("set", []):
            fleet.link(a, b, bool(up))
        return fleet.ether.links.pairs(fleet.boards)

    async def play(request: control.Request) -> object:
        plan = [Contact(float(at_s), str(a), str(b), bool(up)) for at_s, a, b, up in request["contacts"]]
        fleet.play(plan, float(request.get("speed", 1.0)))
        return None

    async def trace(request: control.Request) -> object:
        events = list(fleet.ether.trace)[-int(request.get("last", 100)) :]
        return [{**vars(event), "data": event.data.hex()} for event in events]

    async def surroundings(_: control.Request) -> object:
        now = {name: place.now() for name, place in fleet.surroundings.items()}
        return {"time_s": fleet.clock.now_s(), "rate": fleet.clock.rate, "nodes": now}

    async def stop_all(_: control.Request) -> object:
        asyncio.get_running_loop().call_later(0.05, stop.set)  # the answer goes out first
        return None

    return {
        "list": list_boards,
        "kill": kill,
        "power_on": power_on,
        "press": press,
        "links": links,
        "play": play,
        "trace": trace,
        "world": surroundings,
        "stop": stop_all,
    }


def chosen_boards(ids: Sequence[str], count: int | None) -> list[board_facts.Board]:
    """`count` boards of the given kinds in turn; without a count one of each kind."""
    ids = list(ids) or [DEFAULT_BOARD]
    loaded = [board_facts.load(board_id) for board_id in ids]
    return [loaded[index % len(loaded)] for index in range(count if count is not None else len(loaded))]


def main(arguments: Sequence[str] | None = None) -> int:
    """The background process of `hedgerow virtual up`. What goes wrong at the start lands in DIR/problem."""
    parser = argparse.ArgumentParser(prog="python -m hedgerow.virtual.fleet")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--count", type=int)
    parser.add_argument("--board", action="append", default=[])
    parser.add_argument("--speed-up", type=float, default=1.0)
    parser.add_argument("--weather", type=Path, default=world.DEFAULT_FILE)
    parser.add_argument("--contacts", type=Path)
    parser.add_argument("--loss", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    try:
        fleet = VirtualFleet(
            given.directory,
            interpreter.ensure(),
            chosen_boards(given.board, given.count),
            rate=given.speed_up,
            weather=given.weather,
            plan=read_plan(given.contacts) if given.contacts else None,
            seed=given.seed,
            loss=given.loss,
        )
        asyncio.run(serve(fleet))
    except FleetError as error:
        with contextlib.suppress(OSError):
            control.problem_file(given.directory).write_text(str(error), encoding="utf-8")
        return error.exit_code
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
