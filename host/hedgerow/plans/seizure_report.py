"""Knows what a drill has come to: who has confirmed the new keys, and what the holder of the captured thing still has.

Computed from documents, ledgers and what nodes have answered, every time anew. What cannot be known here is said to be
unknown, with its bound; nothing is promised.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from hedgenode.rules import routing
from hedgerow.fleet import council, group_work, keys, standing, verdict
from hedgerow.fleet.folder import FleetFolder
from hedgerow.fleet.revoking import LAPTOP, NODE, STEWARD, Target
from hedgerow.fleet.roster import Roster
from hedgerow.plans.seizure import NOTED, Drill, Renewal, has_room, short_digest
from hedgewire import group as wire

CONFIRMED = "confirmed"  # its signed ledger says so
ANSWERED = "answered"  # it said so when it was asked; its ledger is not here, or keeps no such entry
CARRIED = "carried"  # it was given the papers and has said nothing yet
OUT_OF_REACH = "not heard of"
NO_ROOM = "no room for keys"
DONE = (CONFIRMED, ANSWERED, NO_ROOM)
GIVEN = "given"  # kinds of observations
UNDER_WAY = "under way"
_DAY_S = 24 * 3600


@dataclass(frozen=True)
class Confirmation:
    """How one node that stays stands to the new keys of its groups."""

    name: str
    state: str
    lacks: tuple[str, ...] = ()
    """Names of groups whose new keys it has not confirmed."""


def confirmations(folder: FleetFolder, renewals: Iterable[Renewal]) -> list[Confirmation]:
    """A row for each node of the fleet, by short id."""
    renewals = list(renewals)
    chains = verdict.judge(folder.ledger.copies).chains
    answered = folder.registry.latest(group_work.EPOCHS)
    given = folder.registry.latest(GIVEN)
    rows = []
    for node in folder.roster.nodes:
        if not has_room(node.board):
            rows.append(Confirmation(node.name, NO_ROOM))
            continue
        wanted = [one for one in renewals if node.node in one.members]
        said = answered[node.node_id].fields if node.node_id in answered else {}
        signed: dict[object, int] = {}
        for entry in chains[node.node].entries if node.node in chains else ():
            epoch = entry.fields.get("epoch")
            if entry.kind == NOTED and isinstance(epoch, int):
                signed[entry.fields.get("group")] = max(epoch, signed.get(entry.fields.get("group"), 0))
        by_ledger = [one for one in wanted if signed.get(short_digest(one.group.group), 0) >= one.epoch]
        told = [one for one in wanted if one in by_ledger or said.get(one.group.group.hex(), 0) >= one.epoch]
        lacks = tuple(one.group.name for one in wanted if one not in told)
        if not lacks:
            state = CONFIRMED if by_ledger == wanted else ANSWERED
        else:
            state = CARRIED if node.node_id in given else OUT_OF_REACH
        rows.append(Confirmation(node.name, state, lacks))
    return rows


def waiting(folder: FleetFolder, renewals: Iterable[Renewal]) -> list[Confirmation]:
    """The nodes that have not said yet that they have the new keys."""
    return [one for one in confirmations(folder, renewals) if one.state not in DONE]


def facts(folder: FleetFolder, drill: Drill) -> dict[str, Any]:
    """All of it as plain values: for `--json`, for the terminal and for the page."""
    judged = folder.standing
    pending = {paper.digest for paper in judged.pending}
    rows = confirmations(folder, drill.renewals)
    needs = {standing.lacks(paper, judged) for paper in drill.papers if paper.digest in pending}
    needs |= {one.needs for one in drill.renewals if one.needs is not None}
    return {
        "revoked": None if drill.gone is None else _target(drill.gone),
        "in_force": not needs,
        "needs": sorted(needs),
        "papers": [council.describe(paper, judged) for paper in drill.papers],
        "groups": [
            {
                "name": one.group.name,
                "id": one.group.group.hex(),
                "epoch": one.epoch,
                "members": len(one.members),
                "documents": [len(standing.trimmed(paper, judged).encode()) for paper in one.documents],
                "in_force": one.needs is None,
            }
            for one in drill.renewals
        ],
        "nodes": [{"name": one.name, "state": one.state, "lacks": list(one.lacks)} for one in rows],
        "confirmed": [one.name for one in rows if one.state in (CONFIRMED, ANSWERED)],
        "waiting": [one.name for one in rows if one.state not in DONE],
        "no_room_for_keys": [one.name for one in rows if one.state == NO_ROOM],
        "holder": None if drill.gone is None else _holder(folder, drill),
    }


def all_facts(folder: FleetFolder) -> list[dict[str, Any]]:
    """Of every node, laptop and steward that is put out by now: for the report of the fleet."""
    from hedgerow.plans import seizure

    judged = folder.standing
    found: dict[bytes, Target] = {}
    for claim in sorted(folder.roster.claims, key=lambda one: one.short):
        found.setdefault(claim.node, Target(NODE, claim.name, claim.node))
    for given in judged.certificates.values():
        found.setdefault(given.laptop, Target(LAPTOP, given.name, given.laptop))
    for charter in judged.charters:
        for one in charter.stewards:
            found.setdefault(one.public, Target(STEWARD, one.name, one.public))
    gone = [one for one in found.values() if keys.key_id(one.public) in judged.revoked]
    return [facts(folder, seizure.look(folder, one)) for one in gone]


def _target(gone: Target) -> dict[str, Any]:
    return {"kind": gone.kind, "name": gone.name, "public": gone.public}


def _holder(folder: FleetFolder, drill: Drill) -> dict[str, Any]:
    """What whoever has the captured thing can read, and whom it met, as far as it is known here."""
    gone = drill.gone
    assert gone is not None  # whoever asks has looked
    told: dict[str, Any] = {"groups": [_groups_row(folder, gone, one) for one in drill.renewals]}
    told["lent"] = list(drill.lent)
    if gone.kind == NODE:
        names = folder.known_keys
        met = sorted({names[public] for public in _met(folder, gone.public) if public in names})
        seen = folder.registry.latest(UNDER_WAY).get(keys.key_id(gone.public))
        told["met"] = met
        told["met_at_most_days"] = routing.FORGOTTEN_S // _DAY_S
        told["met_at_most_peers"] = routing.MAX_PEERS
        told["sealed_under_way"] = None if seen is None else seen.fields.get("count")
    elif gone.kind == LAPTOP:
        told |= _of_a_laptop(folder, gone)
    else:
        papers = folder.registry.documents()
        told["signed"] = sum(1 for paper in papers if gone.public in paper.signers)
    told["in_words"] = in_words(_target(gone), told)
    return told


def in_words(gone: dict[str, Any], holder: dict[str, Any]) -> list[str]:
    """What whoever holds the captured thing can still read, and whom it met: a sentence each."""
    lines = []
    for one in holder["groups"]:
        made = one["until_time_s"]
        when = "" if made is None else f" (new key made {datetime.fromtimestamp(made, UTC):%Y-%m-%d %H:%M} UTC)"
        lines.append(f"group {one['name']}: epochs {one['from_epoch']} to {one['until_epoch']}{when}")
        if one["from_epoch_with_kept_documents"] < one["from_epoch"]:
            first = one["from_epoch_with_kept_documents"]
            lines.append(f"group {one['name']}: back to epoch {first}, if the papers that gave those keys were kept")
        if one["still_written_by"]:
            names = ", ".join(one["still_written_by"])
            lines.append(
                f"group {one['name']}: what {names} may still write under the old key, until they have the new one"
            )
    if not holder["groups"]:
        lines.append("no group: no key of one was known to it")
    if gone["kind"] == "node":
        count = holder["sealed_under_way"]
        known = "" if count is None else f"; {count} messages to it are under way in reach"
        lines.append(f"what was sealed to the node itself{known}")
        met = ", ".join(holder["met"]) or "nobody that ledgers here tell of"
        lines.append(
            f"whom it met in the last {holder['met_at_most_days']} days, at most {holder['met_at_most_peers']}: {met}"
        )
    lines += [f"what was sealed to {name}, whose key it lent; that key is put out, too" for name in holder["lent"]]
    if gone["kind"] == "laptop":
        lines.append(
            "all that was collected on it, and what its owner's keys open; the keys on it, with the passphrase"
        )
        lines.append(f"it took in: {', '.join(holder['took_in']) or 'nobody'}; {holder['enrolments_left']} were left")
    if gone["kind"] == "steward":
        lines.append(f"nothing that is sealed; the key has signed {holder['signed']} papers here")
    return lines


def _groups_row(folder: FleetFolder, gone: Target, one: Renewal) -> dict[str, Any]:
    """Which epochs of a group. A node erases old ones; whoever kept the documents that gave the keys can go further
    back with the node's long-term key, and on a laptop the documents lie beside it."""
    seen = folder.registry.latest(group_work.EPOCHS).get(keys.key_id(gone.public))
    last = one.epoch - 1
    generation = last // wire.STEPS * wire.STEPS
    known = None if seen is None else seen.fields.get(one.group.group.hex())
    first = wire.STEPS if gone.kind == LAPTOP else generation
    kept = max(generation, known - wire.EPOCHS_KEPT + 1) if isinstance(known, int) and gone.kind == NODE else first
    return {
        "name": one.group.name,
        "from_epoch": kept,
        "from_epoch_with_kept_documents": first if gone.kind == LAPTOP else wire.STEPS,
        "until_epoch": last,
        "until_time_s": _made_s(folder, one),
        "still_written_by": [row.name for row in waiting(folder, [one]) if one.group.name in row.lacks],
    }


def _made_s(folder: FleetFolder, one: Renewal) -> int | None:
    """When the new key was made, by the clock of whoever made it."""
    wanted = {paper.digest[:8] for paper in one.documents}
    times = [
        entry.fields.get("time_s")
        for chain in verdict.judge(folder.ledger.copies).chains.values()
        for entry in chain.entries
        if entry.kind == NOTED and entry.fields.get("document") in wanted
    ]
    return min((time_s for time_s in times if isinstance(time_s, int)), default=None)


def _met(folder: FleetFolder, public: bytes) -> set[bytes]:
    """Keys of those who have vouched for its ledger, and for whose ledgers it has vouched."""
    copies = folder.ledger.copies
    vouching = {row[2] for row in copies.witnesses_of(public)}
    return vouching | {writer for writer, row in copies.witnesses if row[2] == public}


def _of_a_laptop(folder: FleetFolder, gone: Target) -> dict[str, Any]:
    judged, found = folder.standing, folder.registry.documents()
    before = replace(judged, revoked=judged.revoked - {keys.key_id(gone.public)})
    roster = Roster.of(found, before)
    given = [one for one in before.certificates.values() if one.laptop == gone.public]
    used = {one.digest: sum(1 for claim in roster.claims if claim.certificate == one.digest) for one in given}
    return {
        "enrolments_left": sum(max(0, one.enrolments - used[one.digest]) for one in given),
        "took_in": sorted(node.name for node in roster.nodes if node.laptop == gone.public),
    }
