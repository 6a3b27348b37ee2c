"""Knows how boards become nodes that belong to nobody yet: firmware, a key of their own, a label. Knows no fleet.

Whoever holds such a label takes the node into a fleet without a cable (`hedgerow.plans.adopt`). A second time the same
board gets a new secret, and the old label opens nothing any more.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from hedgerow.errors import FleetError, RefusedError, UsageError
from hedgerow.fleet import boards, proposal
from hedgerow.fleet.boards import Board
from hedgerow.fleet.inventory import NodeSpec
from hedgerow.fleet.label import SECRET_BYTES, WaitingLabel
from hedgerow.plans import firmware as firmwares
from hedgerow.plans import labels, provision
from hedgerow.plans.executor import Connect, PortWork, Tell
from hedgerow.plans.firmware import FirmwareSet
from hedgerow.plans.look import NOBODY, NodeFacts
from hedgerow.plans.parallel import Build, Builds, Finished, PortResult, refuse_no_ports
from hedgerow.plans.provision import Consent, CreateIdentity, InstallFiles, LetItWait, RemoveFiles, Restart, ShowLabel
from hedgerow.transports import ports


@dataclass(frozen=True)
class Prepared:
    """How it ended on one port. `label` is None where it did not pass."""

    result: PortResult
    label: WaitingLabel | None = None


@dataclass
class PrepareBench:
    """Several ports. `board` is which board they are where they do not tell; `connect` and `build` are seams."""

    board: Board | None = None
    connect: Connect = ports.connect
    build: Build = firmwares.build
    tell: Tell | None = None
    finished: Finished | None = None
    _builds: Builds = field(init=False)

    def __post_init__(self) -> None:
        self._builds = Builds(self.build)

    async def prepare(self, port_names: Sequence[str]) -> list[Prepared]:
        """Make every board a node that waits, all at once; one result a port, in the order of the ports."""
        refuse_no_ports(port_names)
        return list(await asyncio.gather(*map(self._one, port_names)))

    async def _one(self, port: str) -> Prepared:
        started = time.monotonic()
        result, label = PortResult(port, node=labels.NAME), None
        work = PortWork(port, self.connect, self.tell)
        try:
            seen = await work.look()
            result, label = await self._carry_out(work, seen)
        except FleetError as error:
            await _wake(work)
            result = PortResult(port, node=labels.NAME, error=error)
        finally:
            await work.close()
        result = replace(result, seconds=time.monotonic() - started)
        if self.finished is not None:
            self.finished(result)
        return Prepared(result, label)

    async def _carry_out(self, work: PortWork, seen: NodeFacts) -> tuple[PortResult, WaitingLabel]:
        board = which_board(seen, self.board)
        firmware = await self._builds.of(board)
        secret = secrets.token_bytes(SECRET_BYTES)
        spec = NodeSpec(labels.NAME, board, NOBODY, 0, proposal.default("ipn_base"), {})
        steps = plan(spec, seen, firmware, secret)
        await work.carry_out(steps, spec, seen, None, firmware, Consent())
        if work.public is None:  # a step before has made it or read it
            raise RefusedError("the board does not tell its key", node=work.port)
        label = WaitingLabel(work.public, secret, board.id)
        return PortResult(work.port, labels.NAME, label.node_id, None, tuple(steps)), label


def plan(spec: NodeSpec, seen: NodeFacts, firmware: FirmwareSet, secret: bytes) -> list[provision.Step]:
    """The steps that make this board a node that waits with that secret.

    Raises RefusedError for a board that belongs to somebody, or could not be taken in without a cable.
    """
    config = seen.config or {}
    if config.get("fleet", NOBODY) != NOBODY:
        raise RefusedError(
            f"this is node {config.get('name', 'without a name')} of a fleet, and no board that belongs to nobody",
            node=seen.port,
            state="Nothing was changed",
            next_step="Leave it to its fleet; a board that is yours to give away is erased first",
        )
    if "ble" not in spec.board.radios or not spec.board.has_room_for_keys:
        raise RefusedError(
            f"a {spec.board.name} cannot be taken in without a cable: it lacks "
            + ("Bluetooth" if "ble" not in spec.board.radios else "the memory for it"),
            node=seen.port,
            state="Nothing was changed",
            next_step="With the cable it needs no label: whoever gets it runs `hedgerow provision`",
        )
    provision.refuse_old_micropython(spec, seen, firmware)
    steps: list[provision.Step] = []
    if differing := tuple(file for file in firmware.files if seen.sha256.get(file.path) != file.sha256):
        provision.refuse_full_flash(spec, seen, differing)
        steps.append(InstallFiles(differing))
    if extra := provision.superfluous(seen, firmware):
        steps.append(RemoveFiles(extra))
    if seen.node_id is None:
        steps.append(CreateIdentity())
    return [*steps, LetItWait(secret), Restart(), ShowLabel(secret)]


def which_board(seen: NodeFacts, named: Board | None) -> Board:
    """The board on that port. Raises UsageError where it does not tell, RefusedError where it tells otherwise."""
    if named is not None:
        if not seen.may_be(named):
            raise RefusedError(
                f"it is to be a {named.name}, but this says it is {seen.is_what}",
                node=seen.port,
                state="Nothing was changed",
            )
        return named
    found = boards.answering_as(seen.machine) if seen.machine else ()
    if len(found) != 1:
        raise UsageError(
            f"{seen.port}: which board is this ({seen.is_what})?", next_step="Say it with --board, or flash it first."
        )
    return found[0]


async def _wake(work: PortWork) -> None:
    with contextlib.suppress(FleetError):  # the way to it is gone, and the error that we have says so
        await work.wake()
