"""Knows how to bring a move's documents to the nodes in reach, and to send them on to the others. Decides nothing.

A node that stays carries what is for others; one that goes is given its own papers, and is asked afterwards who it is.
Nothing is called done that the node did not say itself, after its restart.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from hedgerow.errors import FleetError, LinkError, VerificationError
from hedgerow.fleet.documents import Document
from hedgerow.plans.parting import Journey
from hedgerow.plans.ways import open_way
from hedgerow.session import Answering, Session
from hedgerow.transports import Transport, ports

Connect = Callable[[str], Awaitable[Transport]]
Tell = Callable[[str], None]

JUDGED_WITHIN_S = 60.0  # a chip takes a second for each signature, an emulated one more
BACK_WITHIN_S = 40.0
_BUSY_S = 1.0
_POLL_S = 0.3
_MOST_TRIES = 20


@dataclass(frozen=True)
class Carriage:
    """What is to be brought where. `fleet` is the one that is left; nodes are known by their ids."""

    fleet: bytes
    journeys: tuple[Journey, ...]
    for_stayers: tuple[Document, ...] = ()
    for_movers: tuple[Document, ...] = ()


@dataclass
class Report:
    """What came of it, by node id."""

    moved: dict[bytes, str] = field(default_factory=dict)  # name
    sent: dict[bytes, str] = field(default_factory=dict)  # name of the node that carries the papers
    failed: dict[str, FleetError] = field(default_factory=dict)  # by port or name of the node
    told: list[str] = field(default_factory=list)  # names of nodes that stay and have what is for them
    under_way: dict[bytes, int] = field(default_factory=dict)  # messages to that node, carried by others in reach


def ports_of(named: Sequence[str] | None) -> list[str]:
    """The ports named, or every port of this machine."""
    return list(named or ()) or [facts.path for facts in ports.here()]


class Carrier:
    """The nodes on some ports, and what is to be brought to them."""

    def __init__(self, port_names: Sequence[str], connect: Connect = ports.connect, **options: Any) -> None:
        self._ports = list(port_names)
        self._connect = connect
        self._options = options  # of every session: credentials

    async def carry(self, work: Carriage, tell: Tell = lambda _: None) -> Report:
        """Bring everything; what one node refuses or loses hinders no other."""
        report = Report()
        seen = await self._who_is_there(report)
        going = {journey.former.node_id: journey for journey in work.journeys}
        here = [(port, hello) for port, hello in seen.items() if bytes(hello["id"]) in going]
        staying = [
            (port, hello)
            for port, hello in seen.items()
            if bytes(hello["id"]) not in going and hello["fleet"] == work.fleet
        ]
        absent = [one for node, one in going.items() if node not in {bytes(hello["id"]) for _, hello in here}]
        # Those who stay first: they carry what is for others, and go on hearing those who have not gone yet.
        for port, hello in staying:
            await self._each(self._stay(port, hello, absent, work, report, tell), hello, report)
        await asyncio.gather(
            *(
                self._each(self._go(port, hello, going[bytes(hello["id"])], work, report, tell), hello, report)
                for port, hello in here
            )
        )
        return report

    async def look(self, nodes: Iterable[Journey]) -> Report:
        """Who is there, and how many messages are under way to those who would go. Changes nothing."""
        report = Report()
        wanted = {journey.former.short: journey for journey in nodes}
        for port, hello in (await self._who_is_there(report)).items():
            async with self._session(port) as session:
                base = (await session.ask("config"))["ipn_base"]
                for _, _, destination, *_ in await session.ask("bundles"):
                    journey = wanted.get(destination - base)
                    if journey is not None and journey.former.node_id != bytes(hello["id"]):
                        node = journey.former.node_id
                        report.under_way[node] = report.under_way.get(node, 0) + 1
        return report

    async def _each(self, work: Awaitable[None], hello: Mapping[str, Any], report: Report) -> None:
        try:
            await work
        except FleetError as error:
            report.failed[str(hello["name"])] = error

    async def _who_is_there(self, report: Report) -> dict[str, Mapping[str, Any]]:
        async def ask(port: str) -> Mapping[str, Any] | None:
            try:
                async with self._session(port) as session:
                    found = await session.recognise()
                    return found.hello if found.answering is Answering.HEDGEROW else None
            except FleetError as error:
                report.failed[port] = error
                return None

        answers = zip(self._ports, await asyncio.gather(*map(ask, self._ports)), strict=True)
        return {port: hello for port, hello in answers if hello is not None}

    async def _stay(
        self, port: str, hello: Mapping[str, Any], absent: list[Journey], work: Carriage, report: Report, tell: Tell
    ) -> None:
        name = str(hello["name"])
        async with self._session(port) as session:
            for journey in absent:
                if journey.lacks is not None or journey.former.node_id in report.sent:
                    continue
                tell(f"{name} takes the papers of {journey.name} along")
                for paper in journey.papers:
                    await session.ask("document_send", {"to": journey.former.short, "data": paper.encode()})
                report.sent[journey.former.node_id] = name
            for paper in work.for_stayers:
                await put(session, paper)
        report.told.append(name)

    async def _go(
        self, port: str, hello: Mapping[str, Any], journey: Journey, work: Carriage, report: Report, tell: Tell
    ) -> None:
        if journey.lacks is not None:
            return
        if hello["fleet"] == work.fleet:
            async with self._session(port) as session:
                for number, paper in enumerate(journey.papers, 1):
                    tell(f"{journey.name} looks at paper {number} of {len(journey.papers)}: {paper.kind}")
                    await put(session, paper)
        tell(f"{journey.name} restarts")
        await self._returned(port, journey)
        report.moved[journey.former.node_id] = journey.name
        async with self._session(port) as session:
            for paper in work.for_movers:
                await put(session, paper)

    async def _returned(self, port: str, journey: Journey) -> None:
        """Wait until the node says that it belongs to the other fleet, and holds what it was given for that."""
        end = time.monotonic() + BACK_WITHIN_S
        wanted = {paper.digest for paper in journey.papers if paper.kind == "enrolment"}
        said = "nothing"
        while time.monotonic() < end:
            try:
                async with self._session(port) as session:
                    hello = (await session.recognise()).hello
                    if hello is not None and bytes(hello["id"]) == journey.former.node_id:
                        said = f"fleet {bytes(hello['fleet']).hex()}"
                        if hello["fleet"] == journey.to:
                            held = {bytes(digest) for digest, _ in await session.ask("documents")}
                            if wanted <= held:
                                return
            except LinkError:
                pass  # it restarts, and its port may be gone for a while
            await asyncio.sleep(_POLL_S)
        raise VerificationError(
            f"{journey.name} has its papers, but did not come up in the other fleet; it said {said}",
            node=port,
            state="It is wholly in one of the two fleets: a move is one step",
            next_step="Run the same command again: it does what is left",
        )

    @asynccontextmanager
    async def _session(self, port: str):
        way = await open_way(port, self._connect, self._options.get("credentials"))
        async with Session(way, name=port, **self._options) as session:
            yield session


async def put(session: Session, paper: Document) -> None:
    """Give a document; a node that looks at another one, or lacks memory at this moment, is asked again."""
    for left in range(_MOST_TRIES, 0, -1):
        try:
            await session.ask("document_put", {"data": paper.encode()}, timeout_s=JUDGED_WITHIN_S)
            return
        except LinkError as error:
            if left == 1 or "ask again" not in str(error):
                raise
            await asyncio.sleep(_BUSY_S)
