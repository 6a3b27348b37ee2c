"""Knows how to bring papers and new keys to the nodes in reach, and asks each what it has of them. Judges nothing.

A node passes on what it was given, by radio and by whoever carries bundles, so one in reach is a beginning. What a node
answers is noted with the fleet, and its ledger is fetched, so that later looks need no node.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hedgerow.errors import FleetError, LinkError
from hedgerow.fleet import keys
from hedgerow.fleet.documents import Document
from hedgerow.fleet.folder import FleetFolder
from hedgerow.fleet.revoking import Target
from hedgerow.fleet.standing import Standing
from hedgerow.plans import credentials, ledger, papers, reach, seizure, seizure_report
from hedgerow.plans.reach import Connect, Reached
from hedgerow.transports import ports

JUDGED_WITHIN_S = 60.0  # a chip takes a second for each signature, an emulated one more
_BUSY_S = 1.0
_MOST_TRIES = 20


@dataclass
class Carried:
    """What came of it: names of nodes that have all of it, and what went wrong, by port or name."""

    told: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    failed: dict[str, FleetError] = field(default_factory=dict)


async def carry(
    fleet: FleetFolder, port_names: Sequence[str] | None, gone: Target | None, *, connect: Connect = ports.connect
) -> Carried:
    """Bring all that counts to every node of this fleet on these ports; one that fails hinders no other."""
    done = Carried()
    names = list(port_names or ()) or [facts.path for facts in ports.here()]
    if not names:
        return done
    to_trust, to_open = for_every_node(fleet), seizure.for_nodes(fleet)
    out = None if gone is None else keys.key_id(gone.public)
    under_way: set[bytes] = set()
    try:
        async with reach.all_nodes(names, connect=connect, credentials=credentials.of(fleet)) as (reached, silent):
            done.failed |= silent
            for one in reached:
                if bytes(one.hello["fleet"]) != fleet.fleet_id or bytes(one.hello["id"]) == out:
                    continue
                try:
                    await _bring(fleet, one, to_trust, to_open, done)
                    under_way |= await _to_the_captured(fleet, one, gone)
                except FleetError as error:
                    done.failed[one.name] = error
    except LinkError as error:
        if not done.failed:
            done.failed[", ".join(names)] = error
    if gone is not None and done.told:
        fleet.observe(keys.key_id(gone.public), seizure_report.UNDER_WAY, {"count": len(under_way)})
    return done


def for_every_node(fleet: FleetFolder) -> list[Document]:
    """Charters, certificates and revocations that count."""
    judged: Standing = fleet.standing
    counting = {*(one.digest for one in judged.charters), *judged.certificates, *judged.revocations}
    return papers.for_every_node(one for one in fleet.registry.documents() if one.digest in counting)


async def _bring(
    fleet: FleetFolder, one: Reached, to_trust: list[Document], to_open: list[Document], done: Carried
) -> None:
    node = bytes(one.hello["id"])
    given = await papers.give(one.session, to_trust)
    done.refused += [f"{one.name}: {line}" for line in given.refused]
    known = fleet.registry.latest(seizure_report.GIVEN).get(node)
    before = set(known.fields.get("papers", ())) if known else set()
    held = await _epochs(fleet, one)
    new = [paper for paper in to_open if paper.digest not in before]
    for paper in new:
        await _put(one, paper)
    if new:
        fleet.observe(node, seizure_report.GIVEN, {"papers": [paper.digest for paper in to_open]})
        held = await _epochs(fleet, one)
    if held:
        try:
            await ledger.collect(one.session, one.hello, fleet)
        except FleetError as error:  # it keeps none, or has no memory for a signature now: its answer stands
            done.refused.append(f"{one.name}: its ledger is not here: {error.what}")
    done.told.append(one.name)


async def _epochs(fleet: FleetFolder, one: Reached) -> dict[bytes, int]:
    """How far its groups are, by its own word; noted with the fleet."""
    found = {bytes(row[0]): int(row[2]) for row in await one.session.ask("groups")}
    if found:
        fleet.note_epochs(bytes(one.hello["id"]), found)
    return found


async def _to_the_captured(fleet: FleetFolder, one: Reached, gone: Target | None) -> set[bytes]:
    """Ids of messages that this node carries to the captured one."""
    claims = [] if gone is None else [claim for claim in fleet.roster.claims if claim.node == gone.public]
    if not claims:
        return set()
    wanted = fleet.proposal.ipn_base + claims[-1].short
    rows: Any = await one.session.ask("bundles")
    return {bytes(row[0]) for row in rows if row[2] == wanted}


async def _put(one: Reached, paper: Document) -> None:
    """Give a document; a node that looks at another one, or lacks memory at this moment, is asked again."""
    for left in range(_MOST_TRIES, 0, -1):
        try:
            await one.session.ask("document_put", {"data": paper.encode()}, timeout_s=JUDGED_WITHIN_S)
            return
        except LinkError as error:
            if left == 1 or "ask again" not in str(error):
                raise
            await asyncio.sleep(_BUSY_S)
