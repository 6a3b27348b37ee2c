"""Knows how to have nodes report, several at once, and where the reports of earlier days are. Judges nothing."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hedgerow.errors import FleetError, LinkError, RefusedError, RemoteError, UsageError
from hedgerow.fleet import boards, verdict
from hedgerow.fleet.folder import FleetFolder
from hedgerow.plans import credentials
from hedgerow.plans import firmware as firmwares
from hedgerow.plans import ledger as ledgers
from hedgerow.plans import release as release_folders
from hedgerow.plans.audit import audit
from hedgerow.plans.audit_slots import KnownRelease
from hedgerow.plans.executor import Connect
from hedgerow.plans.findings import Finding, NodeReport, Rules
from hedgerow.plans.firmware import FirmwareSet
from hedgerow.plans.ways import open_way
from hedgerow.session import Credentials, Session
from hedgerow.transports import ports

OBSERVATION = "audit"
FILES_WITHIN_S = 60.0


@dataclass(frozen=True)
class Audit:
    """The outcome: every finding, the reports that it rests on, and ports where no node answered."""

    findings: list[Finding]
    reports: list[NodeReport]
    errors: dict[str, FleetError] = field(default_factory=dict)


async def ask(port: str, connect: Connect = ports.connect, keys: Credentials | None = None) -> NodeReport:
    """The report of the node on that port. Changes nothing there."""
    async with Session(await open_way(port, connect, keys), name=port, credentials=keys) as node:
        hello = await node.ask("hello")
        slots = await _slots(node)
        status = await node.ask("status")
        config = await node.ask("config")
        files = await node.ask("files", {"hash": True}, timeout_s=FILES_WITHIN_S)
    try:
        return NodeReport(
            time_s=int(time.time()),
            port=port,
            node_id=bytes(hello["id"]),
            name=hello["name"],
            board=hello["board"],
            app=hello["app"],
            mp=hello["mp"],
            sha256={path: bytes(sha256) for path, _, sha256 in files if sha256 is not None},
            config=config,
            status=status,
            slots=slots,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RemoteError(f"the node's report lacks something: {error}", node=port) from error


async def _slots(node: Session) -> dict[str, Any] | None:
    try:
        said = await node.ask("slots", {"other": True})
    except (RefusedError, LinkError):  # older than slots, or short of memory; one that is gone fails the next question
        return None
    return {key: bytes(value) if isinstance(value, memoryview) else value for key, value in said.items()}


def known_releases(fleet: FleetFolder) -> list[KnownRelease]:
    """Every release in the fleet's folder that can be read; its files need not be there."""
    found = []
    for path in sorted((fleet.path / release_folders.FOLDER).glob(f"*/{release_folders.FILE_NAME}")):
        try:
            kept = release_folders.read(path)
        except UsageError:  # damaged: it is no measure of anything
            continue
        says, signed = kept.says, kept.lacks(fleet.standing) is None
        sha256 = {name: bytes(digest) for name, _, digest in says.files}
        found.append(KnownRelease(says.sequence, says.version, kept.paper.digest, tuple(says.boards), sha256, signed))
    return found


async def run(
    fleet: FleetFolder,
    port_names: Sequence[str],
    *,
    connect: Connect = ports.connect,
    build=firmwares.build,
    rules: Rules | None = None,
) -> Audit:
    """Ask the nodes on these ports, note what they said, and audit the whole fleet with the newest report of each."""
    keys = credentials.of(fleet)
    answers = await asyncio.gather(*(ask(port, connect, keys) for port in port_names), return_exceptions=True)
    fresh: dict[bytes, NodeReport] = {}
    errors: dict[str, FleetError] = {}
    for port, answer in zip(port_names, answers, strict=True):
        if isinstance(answer, NodeReport):
            if answer.node_id in fresh:
                errors[port] = _twice(answer, fresh[answer.node_id])
                continue
            fresh[answer.node_id] = answer
            fleet.observe(answer.node_id, OBSERVATION, answer.as_fields(), answer.time_s)
        elif isinstance(answer, FleetError):
            errors[port] = answer
        else:
            raise answer
    reports = {**remembered(fleet), **fresh}
    inventory = fleet.inventory
    ids = {spec.board.id for spec in inventory.nodes}
    made = await asyncio.gather(*(asyncio.to_thread(build, boards.load(board)) for board in sorted(ids)))
    firmware: Mapping[str, FirmwareSet] = {one.board: one for one in made}
    proved = await _ledgers(fleet, fresh, connect, keys)
    rules = rules or Rules(int(time.time()))
    findings = audit(inventory, list(reports.values()), firmware, rules, proved, known_releases(fleet))
    return Audit(findings, list(reports.values()), errors)


async def _ledgers(
    fleet: FleetFolder, fresh: Mapping[bytes, NodeReport], connect: Connect, keys: Credentials
) -> dict[str, list[verdict.Finding]]:
    """Have the nodes that answered note the audit, fetch their ledgers, and say what all that are here prove."""
    writers = {enrolment.node_id: enrolment.node for enrolment in fleet.roster.nodes}

    async def one(report: NodeReport) -> tuple[verdict.Finding, ...]:
        assert report.port is not None  # it has just answered there
        try:
            async with Session(await open_way(report.port, connect, keys), name=report.port, credentials=keys) as node:
                return await ledgers.audit(node, {"name": report.name, "id": report.node_id}, fleet)
        except (LinkError, RemoteError):  # silent or busy, older firmware, a board too small: the audit stands without
            return ()
        except FleetError as error:  # a full flash
            return (verdict.Finding(writers.get(report.node_id, b""), verdict.NOT_FETCHED, error.what),)

    asked = [report for report in fresh.values() if report.node_id in writers]
    shown = [finding for found in await asyncio.gather(*map(one, asked)) for finding in found]
    return ledgers.serious(fleet, shown)


def remembered(fleet: FleetFolder) -> dict[bytes, NodeReport]:
    """The newest report of each node that is enrolled, from this or an earlier day."""
    enrolled = {enrolment.node_id for enrolment in fleet.roster.nodes}
    latest = fleet.registry.latest(OBSERVATION)
    found = {node: NodeReport.of_fields(seen.fields) for node, seen in latest.items() if node in enrolled}
    return {node: report for node, report in found.items() if report is not None}


def _twice(one: NodeReport, other: NodeReport) -> FleetError:
    return LinkError(
        f"node {one.node_id.hex()} answers here and on {other.port}",
        node=one.port,
        next_step="If these are two boards, one is a copy of the other: take both off the air and look at them",
    )
