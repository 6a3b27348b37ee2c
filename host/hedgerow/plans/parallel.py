"""Knows how to work on several ports at once: who becomes which node, and that one failure stops nobody else.

First every port is looked at, then names are dealt, then each port is worked on by itself. Names wait for the slowest
look, so that the first port gets the first free name of fleet.toml and not the fastest one.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hedgerow.errors import FleetError, RefusedError, UsageError
from hedgerow.fleet.boards import Board
from hedgerow.fleet.folder import FleetFolder
from hedgerow.fleet.inventory import Inventory, NodeSpec
from hedgerow.plans import credentials
from hedgerow.plans import firmware as firmwares
from hedgerow.plans.executor import Connect, PortWork, Tell
from hedgerow.plans.firmware import FirmwareSet
from hedgerow.plans.look import NodeFacts
from hedgerow.plans.provision import Consent, Step, plan
from hedgerow.transports import ports

Build = Callable[[Board], FirmwareSet]
Finished = Callable[["PortResult"], None]


@dataclass(frozen=True)
class PortResult:
    """How the work on one port ended. `steps` are those of the plan; `error` is None when all is verified."""

    port: str
    node: str | None = None
    node_id: bytes | None = None
    short: int | None = None
    steps: tuple[Step, ...] = ()
    error: FleetError | None = None
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        return self.error is None

    @property
    def changes(self) -> list[str]:
        return [str(step) for step in self.steps if step.changes]

    def as_dict(self) -> dict[str, object]:
        return {
            "port": self.port,
            "node": self.node,
            "id": self.node_id.hex() if self.node_id else None,
            "short": self.short,
            "result": "PASS" if self.passed else "FAIL",
            "changes": self.changes,
            "seconds": round(self.seconds, 2),
            "error": self.error.as_dict() if self.error else None,
        }


@dataclass
class Bench:
    """Several ports and one fleet. `connect` and `build` are seams; tests and rigs put their own in."""

    fleet: FleetFolder
    connect: Connect = ports.connect
    build: Build = firmwares.build
    consent: Consent = field(default_factory=Consent)
    tell: Tell | None = None
    finished: Finished | None = None
    _builds: "Builds" = field(init=False)
    _at_work: dict[str, "tuple[NodeFacts, NodeSpec]"] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._builds = Builds(self.build)

    async def plan(self, port_names: Sequence[str], nodes: Sequence[str] = ()) -> list[PortResult]:
        """What provisioning would do on each port. Changes nothing; a program that had to be stopped runs again."""
        return await self._on_each(port_names, nodes, dry=True)

    async def provision(self, port_names: Sequence[str], nodes: Sequence[str] = ()) -> list[PortResult]:
        """Make every board a node, all at once; one result a port, in the order of the ports."""
        return await self._on_each(port_names, nodes, dry=False)

    async def provision_one(self, port: str) -> PortResult:
        """Make one board a node while others may be at work: each gets the first name that is free at its turn."""
        board = PortWork(port, self.connect, self.tell, credentials.of(self.fleet))
        try:
            seen = await _look(board)
            if not isinstance(seen, NodeFacts):
                return await self._on_one(board, None, seen, self._consent(), dry=False)
            given = self._name_beside_others(port, seen)  # nothing may be awaited until it is taken
            if isinstance(given, NodeSpec):
                self._at_work[port] = seen, given
            return await self._on_one(board, seen, given, self._consent(), dry=False)
        finally:
            self._at_work.pop(port, None)
            await board.close()

    def _name_beside_others(self, port: str, seen: NodeFacts) -> NodeSpec | FleetError:
        others = self._at_work
        if twins := [at for at, (facts, _) in others.items() if seen.node_id and facts.node_id == seen.node_id]:
            return _cloned(port, twins)
        taken = {spec.name for _, spec in others.values()}
        inventory = self.fleet.inventory
        free = replace(inventory, nodes=tuple(spec for spec in inventory.nodes if spec.name not in taken))
        return deal_names(free, {port: seen})[port]

    async def _on_each(self, port_names: Sequence[str], nodes: Sequence[str], *, dry: bool) -> list[PortResult]:
        _ = self.fleet.charter  # a fleet whose charter is not signed yet has nothing to give to a board
        inventory = self.fleet.inventory
        refuse_misuse(port_names, nodes, inventory)
        consent = self._consent()
        keys = credentials.of(self.fleet)
        boards = {port: PortWork(port, self.connect, self.tell, keys) for port in port_names}
        try:
            looks = dict(zip(port_names, await asyncio.gather(*map(_look, boards.values())), strict=True))
            seen = {port: facts for port, facts in looks.items() if isinstance(facts, NodeFacts)}
            given = {**looks, **deal_names(inventory, seen, nodes)}

            async def one(port: str) -> PortResult:
                started = time.monotonic()
                result = await self._on_one(boards[port], seen.get(port), given[port], consent, dry=dry)
                await boards[port].close()
                result = replace(result, seconds=time.monotonic() - started)
                if self.finished is not None:
                    self.finished(result)
                return result

            return list(await asyncio.gather(*map(one, port_names)))
        finally:
            for board in boards.values():
                await board.close()

    async def _on_one(
        self, board: PortWork, seen: NodeFacts | None, given: NodeSpec | FleetError, consent: Consent, *, dry: bool
    ) -> PortResult:
        result = PortResult(board.port, node_id=seen.node_id if seen else None)
        try:
            if seen is None or isinstance(given, FleetError):
                await board.wake()
                return replace(result, error=given)
            result = replace(result, node=given.name, short=given.enrolment.short if given.enrolment else None)
            try:
                firmware = await self.firmware(given.board)
                steps = plan(given, seen, firmware, consent)
            except FleetError:
                await board.wake()
                raise
            result = replace(result, steps=tuple(steps))
            if dry:
                await board.wake()
                return result
            settled = await board.carry_out(steps, given, seen, self.fleet, firmware, consent)
            await board.keep_clock_right()
            if settled.enrolment is not None:
                known = settled.enrolment
                result = replace(result, node_id=known.node_id, short=known.short)
                self.fleet.observe(known.node_id, "provisioned", {"port": board.port, "changes": result.changes})
            return result
        except FleetError as error:
            return replace(result, error=error)

    def _consent(self) -> Consent:
        keys_here = self.fleet.secrets.custodians
        ours = frozenset(known.id for name, known in self.fleet.custodians.items() if name in keys_here)
        return replace(self.consent, custodians=ours)

    async def firmware(self, board: Board) -> FirmwareSet:
        """What stands on every node of that board."""
        return await self._builds.of(board)


class Builds:
    """The firmware of each board, built once, in a thread, however many ports ask."""

    def __init__(self, build: Build) -> None:
        self._build = build
        self._made: dict[str, asyncio.Task[FirmwareSet]] = {}

    async def of(self, board: Board) -> FirmwareSet:
        if board.id not in self._made:
            self._made[board.id] = asyncio.create_task(asyncio.to_thread(self._build, board))
        return await self._made[board.id]


def refuse_no_ports(port_names: Sequence[str]) -> None:
    """Raise UsageError where no port was named, or one twice."""
    if not port_names:
        raise UsageError("no port was named", next_step="Name one with -p; `hedgerow devices` lists them")
    if len(set(port_names)) != len(port_names):
        raise UsageError("a port was named twice")


def refuse_misuse(port_names: Sequence[str], nodes: Sequence[str], inventory: Inventory) -> None:
    """Mistakes on the command line that no look at a board is needed for."""
    refuse_no_ports(port_names)
    if len(set(nodes)) != len(nodes):
        raise UsageError("a node was named twice")
    for name in nodes:
        if inventory.named(name) is None:
            raise UsageError(
                f"fleet.toml names no node {name}",
                next_step="Add a [[node]] for it, or check the spelling: it names "
                + (", ".join(node.name for node in inventory.nodes) or "none yet"),
            )
    if nodes and len(nodes) != len(port_names):
        raise UsageError(
            f"{len(nodes)} nodes are named for {len(port_names)} ports",
            next_step="Name as many nodes as ports, in the same order; or none, then free names of fleet.toml are used",
        )


def deal_names(
    inventory: Inventory, seen: Mapping[str, NodeFacts], nodes: Sequence[str] = ()
) -> dict[str, NodeSpec | FleetError]:
    """Which node each port becomes. Enrolled boards keep their names; the others get the named or the free ones.

    Free names go in the order of fleet.toml to ports in the order given, each to a board of its own kind.
    """
    given: dict[str, NodeSpec | FleetError] = {}
    for port, facts in seen.items():
        twins = [other for other, there in seen.items() if facts.node_id is not None and there.node_id == facts.node_id]
        if len(twins) > 1:
            given[port] = _cloned(port, [other for other in twins if other != port])
            continue
        enrolment = next((node for node in inventory.roster.nodes if node.node_id == facts.node_id), None)
        if enrolment is not None and (not nodes or enrolment.name in nodes):
            given[port] = inventory.named(enrolment.name) or _not_proposed(port, enrolment.name)
    taken = {spec.name for spec in given.values() if isinstance(spec, NodeSpec)}
    if nodes:
        left = [spec for name in nodes if name not in taken and (spec := inventory.named(name)) is not None]
    else:
        left = [spec for spec in inventory.nodes if spec.name not in taken and spec.enrolment is None]
    for port, facts in seen.items():
        if port in given:
            continue
        # With names given, order decides alone: a board that does not fit is then refused by the plan, in clear words.
        fitting = left if nodes else [spec for spec in left if facts.may_be(spec.board)] or left
        if fitting:
            given[port] = fitting[0]
            left.remove(fitting[0])
        else:
            given[port] = _no_name_left(port, facts)
    return given


async def _look(board: PortWork) -> NodeFacts | FleetError:
    try:
        return await board.look()
    except FleetError as error:
        return error


def _cloned(port: str, others: Sequence[str]) -> FleetError:
    return RefusedError(
        f"this board has the same key as the one on {', '.join(others)}: one is a copy of the other's flash",
        node=port,
        state="Nothing was changed",
        next_step="Erase the copy (its /identity.cbor at least) and provision it as a node of its own",
    )


def _not_proposed(port: str, name: str) -> FleetError:
    return RefusedError(
        f"this is node {name} of your fleet, but fleet.toml does not name it",
        node=port,
        state="Nothing was changed",
        next_step=f'Add a [[node]] with name = "{name}" to fleet.toml, or name the node that it is to become',
    )


def _no_name_left(port: str, facts: NodeFacts) -> FleetError:
    return RefusedError(
        f"fleet.toml has no free name for this board ({facts.is_what})",
        node=port,
        state="Nothing was changed",
        next_step="Add a [[node]] with a name and its board to fleet.toml, then run the same command again",
    )
