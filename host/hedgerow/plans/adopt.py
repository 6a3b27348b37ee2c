"""Knows how whoever holds a node's label takes that node into a fleet, over Bluetooth or any other way. No prompt.

The node belongs to nobody and takes what a move to a fleet needs from who shows the label (hedgenode/tasks/waiting.py);
after that step, which is atomic, it is a node like others, and the rest goes by this laptop's own key. Whatever
interrupts it: the same once more finds what is left.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any

from hedgerow.errors import FleetError, LinkError, RefusedError, VerificationError
from hedgerow.fleet import moving
from hedgerow.fleet.documents import Document
from hedgerow.fleet.folder import FleetFolder
from hedgerow.fleet.inventory import NodeSpec
from hedgerow.fleet.label import WaitingLabel
from hedgerow.plans import clock, credentials, executor, labels, papers, parallel, provision, trust_files
from hedgerow.plans import firmware as firmwares
from hedgerow.plans.executor import Connect, Progress, Tell
from hedgerow.plans.look import NOBODY, NodeFacts
from hedgerow.plans.moving import BACK_WITHIN_S, put
from hedgerow.plans.parallel import Build, PortResult
from hedgerow.plans.provision import Consent, Enrol, GiveDocuments, GiveGroupKeys, WriteConfig
from hedgerow.session import Answering, Credentials, Session
from hedgerow.transports import ble, ports
from hedgerow.transports.ble import Known

BY_AIR = ports.BLUETOOTH  # the way that a label is for
_POLL_S = 0.3
_RESTARTS_WITHIN_S = 1.5  # what is still on the air before that leads to nobody a moment later
_FIXED = frozenset({"id", "fleet", "board"})
_NEEDED = ("charter", "laptop", "revocation", "enrolment")  # in the order in which one needs the other


@dataclass
class Adoption:
    """One label, one fleet, one way. `name` is the node of fleet.toml that it becomes, None the first free one."""

    fleet: FleetFolder
    label: WaitingLabel
    port: str
    name: str | None = None
    consent: Consent = field(default_factory=Consent)
    connect: Connect = ports.connect
    build: Build = firmwares.build
    tell: Tell = lambda _: None
    _done: list[provision.Step] = field(default_factory=list, init=False)

    async def run(self) -> PortResult:
        """Take the node in and read back what it is. Errors are in the result, as with `Bench.provision`."""
        started = time.monotonic()
        result = PortResult(self.port, node_id=self.label.node_id)
        try:
            parallel.refuse_misuse([self.port], [self.name] if self.name else [], self.fleet.inventory)
            spec = await self._take_in()
            result = replace(result, node=spec.name, short=spec.enrolment.short if spec.enrolment else None)
            await self._settle(spec)
            result = replace(result, steps=tuple(self._done))
            self.fleet.observe(self.label.node_id, "provisioned", {"port": self.port, "changes": result.changes})
        except FleetError as error:
            result = replace(result, steps=tuple(self._done), error=error)
        return replace(result, seconds=time.monotonic() - started)

    async def _take_in(self) -> NodeSpec:
        """Until the node belongs to the fleet, or found to do so already."""
        async with AsyncExitStack() as stack:
            self._say("looking for it", 0.0)
            session = await self._session(stack, labels.shown(self.label))
            hello = await self._greeting(session)
            facts = _facts(hello, self.port)
            spec = self._wanted(facts)
            if hello["fleet"] == self.fleet.fleet_id and spec.enrolment is not None:
                return spec
            await self._refuse(spec, hello, facts)
            if not await session.is_protected():
                raise RefusedError(
                    "its secret opens it no more, or never did",
                    node=self.port,
                    state="Nothing was changed",
                    next_step="A board that was prepared anew has a new label; with a cable it needs none",
                )
            settled = self._enrolled(spec)
            needed = claim(settled, self.label.public)
            for number, paper in enumerate(needed, 1):
                self._say(f"it looks at paper {number} of {len(needed)}: {paper.kind}", number / (len(needed) + 3))
                await put(session, paper)
            self._done += [Enrol(settled.name), GiveDocuments()]
        self._say("it restarts", 0.6)
        await asyncio.sleep(_RESTARTS_WITHIN_S)
        return settled

    async def _greeting(self, session: Session) -> Mapping[str, Any]:
        found = await session.recognise()
        if found.answering is not Answering.HEDGEROW or found.hello is None:
            raise LinkError("no node answers there", node=self.port, next_step="Is its power on? Is it this port?")
        if bytes(found.hello["id"]) != self.label.node_id:
            raise RefusedError(
                f"this is node {bytes(found.hello['id']).hex()}, and the label is that of {self.label.node_id.hex()}",
                node=self.port,
                state="Nothing was changed",
                next_step="Take the label that is on this box",
            )
        return found.hello

    def _wanted(self, facts: NodeFacts) -> NodeSpec:
        given = parallel.deal_names(self.fleet.inventory, {self.port: facts}, [self.name] if self.name else [])
        spec = given[self.port]
        if isinstance(spec, FleetError):
            raise spec
        return spec

    async def _refuse(self, spec: NodeSpec, hello: Mapping[str, Any], facts: NodeFacts) -> None:
        if hello["fleet"] != NOBODY:
            raise RefusedError(
                f"this node belongs to a fleet already ({bytes(hello['fleet']).hex()}), as {hello['name']}",
                node=self.port,
                state="Nothing was changed: a label opens a node once",
                next_step="Ask the people of that fleet",
            )
        provision.refuse_wrong_board(spec, facts)
        provision.refuse_old_micropython(spec, facts, await asyncio.to_thread(self.build, spec.board))
        provision.refuse_other_key(spec, facts, self.consent)

    def _enrolled(self, spec: NodeSpec) -> NodeSpec:
        known = spec.enrolment
        if known is not None and known.node_id == self.label.node_id and spec.is_settled and spec.documents:
            return spec
        return self.fleet.enrol_as(spec.name, self.label.public, replaces_lost=self.consent.replace)

    async def _settle(self, spec: NodeSpec) -> None:
        """Settings, keys and documents of the node that belongs to the fleet now; all of it read back."""
        assert spec.enrolment is not None
        wanted = spec.config(spec.enrolment)
        boots = 0
        async with AsyncExitStack() as stack:
            session = await self._returned(stack)
            self._say("settings", 0.75)
            changed = await self._differs(session, wanted)
            if changed:
                await session.ask("configure", {"config": {key: wanted[key] for key in changed}})
                self._done.append(WriteConfig(changed))
                boots = (await session.ask("hello"))["boots"]
                await session.ask("restart")
        if boots:
            await asyncio.sleep(_RESTARTS_WITHIN_S)
        async with AsyncExitStack() as stack:
            session = await self._returned(stack, boots)
            self._say("documents and keys", 0.9)
            await papers.give(session, spec.documents)
            if not spec.groups <= {bytes(row[0]) for row in await session.ask("groups")}:
                await executor.give_group_keys(session, spec, self.fleet)
                self._done.append(GiveGroupKeys())
            await self._verify(session, spec, wanted)
            await clock.keep_right(session, await session.ask("hello"))
        self._say("done", 1.0)

    async def _differs(self, session: Session, wanted: Mapping[str, object]) -> tuple[str, ...]:
        changed = provision.changed_fields(wanted, await session.ask("config"))
        return tuple(key for key in changed if key not in _FIXED)

    async def _verify(self, session: Session, spec: NodeSpec, wanted: Mapping[str, object]) -> None:
        held = {bytes(digest)[: trust_files.DIGEST_START_BYTES] for digest, _ in await session.ask("documents")}
        groups = {bytes(row[0]) for row in await session.ask("groups")}
        left = [f"setting {key}" for key in provision.changed_fields(wanted, await session.ask("config"))]
        left += [] if trust_files.wanted(spec).digests <= held else ["documents"]
        left += [] if spec.groups <= groups else ["keys of groups"]
        if left:
            raise VerificationError(
                f"{spec.name} belongs to the fleet, but it still lacks: {', '.join(left)}",
                node=self.port,
                next_step="Run the same command again: it does what is left",
            )

    async def _returned(self, stack: AsyncExitStack, boots: int = 0) -> Session:
        """A session by this laptop's own key with the node as one of the fleet, started more often than `boots`."""
        end = time.monotonic() + BACK_WITHIN_S
        keys, said = credentials.of(self.fleet), "nothing"
        while time.monotonic() < end:
            try:
                session = await self._session(stack, keys)
                hello = await self._greeting(session)
                said = f"that it belongs to fleet {bytes(hello['fleet']).hex()}"
                is_ours = hello["fleet"] == self.fleet.fleet_id and hello["boots"] > boots
                if is_ours and await session.is_protected():
                    return session
            except LinkError:
                pass  # it restarts, and its port or its voice may be gone for a while
            await stack.aclose()
            await asyncio.sleep(_POLL_S)
        raise VerificationError(
            f"the node has its papers, but did not come back as one of this fleet; it said {said}",
            node=self.port,
            state="It belongs to nobody or to this fleet, and nothing in between: that is one step",
            next_step="Run the same command again: it does what is left",
        )

    async def _session(self, stack: AsyncExitStack, keys: Credentials) -> Session:
        if ports.is_bluetooth(self.port):
            transport = await ble.connect(ports.BLUETOOTH + self._called, self._on_the_air())
        else:
            transport = await self.connect(self.port)
        return await stack.enter_async_context(Session(transport, name=self.port, credentials=keys))

    @property
    def _called(self) -> str:
        """By name, so that listening ends with the first word of this node."""
        return self.port.removeprefix(ports.BLUETOOTH) or labels.NAME

    def _on_the_air(self) -> Sequence[Known]:
        """The node as it shows itself: as nobody's, or already as one of this fleet."""
        known = self.label
        return [
            Known(self._called, labels.NO_SHORT, known.node_id, fleet, known.public)
            for fleet in (NOBODY, self.fleet.charter.fleet_id)
        ]

    def _say(self, doing: str, fraction: float) -> None:
        self.tell(Progress(self.port, self.name or labels.NAME, doing, fraction))


def claim(spec: NodeSpec, public: bytes) -> list[Document]:
    """The papers by which a node of nobody comes to its fleet, in the order in which it needs them.

    The move names the oldest charter that the node is to hold; those behind it follow by their signatures.
    """
    needed = [paper for kind in _NEEDED for paper in spec.documents if paper.kind == kind]
    first = next(paper for paper in needed if paper.kind == "charter")
    return [moving.Move(NOBODY, public, None, spec.fleet, first.digest).to_document(), *needed]


def _facts(hello: Mapping[str, Any], port: str) -> NodeFacts:
    """What its greeting says; of its files nothing is asked, for a node of nobody tells nothing."""
    return NodeFacts(
        port=port,
        platform=None,
        machine=None,
        board_id=hello["board"],
        version=hello["mp"],
        mpy=hello["mpy"] & 0xFF,
        block_bytes=0,
        free_bytes=0,
        total_bytes=0,
        node_id=bytes(hello["id"]),
        was_running=True,
    )
