"""Knows how to find the node that a person means among several ports, and who is who.

Changes nothing anywhere but a wrong clock.
A node is meant by its name, its short number, or the first digits of its id. Ports are tried at the same time.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from hedgerow.errors import FleetError, LinkError, UsageError
from hedgerow.plans import clock
from hedgerow.plans.ways import Connect, expand, open_way
from hedgerow.session import Answering, Credentials, Recognised, Session, silence
from hedgerow.transports import ports

EVERYONE = 0xFFFF
LARGEST_SHORT = 0xFFFE


@dataclass(frozen=True)
class Reached:
    """A node that answered: where, its session (open), and what it said to `hello`."""

    port: str
    session: Session
    hello: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.hello["name"])

    @property
    def short(self) -> int:
        return int(self.hello["short"])

    def is_called(self, who: str) -> bool:
        if who.isdecimal() and int(who) == self.short:
            return True
        return who == self.name or (len(who) >= 4 and bytes(self.hello["id"]).hex().startswith(who.lower()))


@dataclass(frozen=True)
class Behind:
    """What is behind one port: recognised, or the error that the attempt ended in."""

    port: str
    found: Recognised | None = None
    error: FleetError | None = field(default=None, compare=False)


@asynccontextmanager
async def one_node(
    who: str | None, port_names: Sequence[str] | None, *, connect: Connect = ports.connect, **options: Any
) -> AsyncIterator[Reached]:
    """The node called `who`, or the only one there is. Its session is closed at the end.

    `port_names` empty means every port of this machine. `options` go to the Session (console, events, credentials).
    Raises LinkError if it is not there, UsageError if several are and none was named.
    """
    names = list(port_names or ()) or [facts.path for facts in ports.here()]
    if not names:
        raise LinkError("there is no port to ask", state=ports.describe_ports([]), next_step="Plug a node in.")
    names = [name + who if name == ports.BLUETOOTH and who else name for name in names]
    answers = await asyncio.gather(*(_greet(name, connect, options) for name in names))
    reached = [one for one in answers if isinstance(one, Reached)]
    try:
        chosen = _choose(who, reached, [one for one in answers if isinstance(one, FleetError)])
        await _close([one for one in reached if one is not chosen])
        await clock.keep_right(chosen.session, chosen.hello)
        yield chosen
    finally:
        await _close(reached)


@asynccontextmanager
async def all_nodes(
    port_names: Sequence[str] | None,
    nodes: Sequence[str] = (),
    *,
    connect: Connect = ports.connect,
    credentials: Credentials | None = None,
) -> AsyncIterator[tuple[list[Reached], dict[str, FleetError]]]:
    """Every node that answers, or those called `nodes`, and what is wrong with ports that were named and do not.

    Raises LinkError where nobody answers, or one of `nodes` does not.
    """
    names = await expand(port_names or [facts.path for facts in ports.here()], credentials)
    options = {"credentials": credentials}
    answers = dict(zip(names, await asyncio.gather(*(_greet(name, connect, options) for name in names)), strict=True))
    reached = [one for one in answers.values() if isinstance(one, Reached)]
    try:
        chosen = [one for one in reached if not nodes or any(one.is_called(who) for who in nodes)]
        errors = {port: one for port, one in answers.items() if isinstance(one, FleetError) and port_names}
        absent = [who for who in nodes if not any(one.is_called(who) for one in chosen)]
        if absent or not (chosen or errors):
            _choose(absent[0] if absent else None, [], list(errors.values()))
        yield chosen, errors
    finally:
        await _close(reached)


async def behind(port_names: Sequence[str], *, connect: Connect = ports.connect) -> list[Behind]:
    """What is behind each of these ports, asked at the same time; nothing there is stopped."""

    async def look(port: str) -> Behind:
        try:
            async with Session(await connect(port), name=port) as session:
                return Behind(port, await session.recognise())
        except FleetError as error:
            return Behind(port, error=error)

    return list(await asyncio.gather(*(look(port) for port in port_names)))


def recipient(who: str, known: Mapping[int, str]) -> int:
    """The short number of `who`: a number, `everyone`, or a name of `known`. Raises UsageError for anybody else."""
    if who == "everyone":
        return EVERYONE
    if who.isdecimal():
        if 0 < int(who) <= LARGEST_SHORT:
            return int(who)
        raise UsageError(f"{who} is no short number", next_step=f"They go from 1 to {LARGEST_SHORT}.")
    for short, name in known.items():
        if name == who:
            return short
    names = ", ".join(sorted(known.values()))
    raise UsageError(
        f"nobody here is called {who!r}",
        state=f"Known names: {names}" if names else "No names are known without a fleet folder",
        next_step="Give the short number, or go to your fleet's folder (or name it with --fleet).",
    )


async def _greet(port: str, connect: Connect, options: Mapping[str, Any]) -> Reached | FleetError:
    try:
        session = Session(await open_way(port, connect, options.get("credentials")), name=port, **options)
    except FleetError as error:
        return error
    try:
        found = await session.recognise()
    except FleetError as error:
        await session.close()
        return error
    if found.answering is Answering.HEDGEROW and found.hello is not None:
        session.name = str(found.hello.get("name", port))
        return Reached(port, session, found.hello)
    await session.close()
    return silence(port, found)


def _choose(who: str | None, reached: Sequence[Reached], errors: Sequence[FleetError]) -> Reached:
    called = [one for one in reached if who is None or one.is_called(who)]
    if len(called) == 1:
        return called[0]
    there = ", ".join(f"{one.name} ({one.short}) on {one.port}" for one in reached)
    if called:
        raise UsageError(
            "several nodes are there" if who is None else f"more than one node is called {who}",
            state=there,
            next_step="Name one, or give its port with -p.",
        )
    if len(errors) == 1 and not reached:
        raise errors[0]
    told = f"Nodes that answer: {there}" if reached else " ".join(str(error) for error in errors)
    raise LinkError(
        f"{who} does not answer" if who else "no node answers",
        state=told or None,
        next_step="Check its power and cable, and name its port with -p.",
    )


async def _close(reached: Sequence[Reached]) -> None:
    await asyncio.gather(*(one.session.close() for one in reached))
