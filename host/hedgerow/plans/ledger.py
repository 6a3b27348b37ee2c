"""Knows how to fetch a node's ledger into a fleet's folder, and what it means beside what is known of it already."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hedgerow.errors import FleetError, RemoteError, StorageError
from hedgerow.fleet import ledger as ledgers
from hedgerow.fleet import verdict
from hedgerow.fleet.folder import FleetFolder
from hedgerow.fleet.keys import key_id, verify
from hedgerow.fleet.ledger import Copies
from hedgerow.fleet.verdict import Finding
from hedgerow.plans import credentials, reach
from hedgerow.plans.reach import Connect
from hedgerow.session import Session
from hedgerow.transports import ports
from hedgewire import ledger
from hedgewire.cbor import Damage
from hedgewire.ledger import Entry, Page

HEAD_WITHIN_S = 12.0  # a signature takes a Pico half a second, an emulated one seconds; then it is asked again
ENTRIES_AT_ONCE = 256
SERIOUS = frozenset({verdict.FORK, verdict.ROLLBACK, verdict.BROKEN, verdict.LOST, verdict.CONTRADICTED})
SAID = SERIOUS | {verdict.NOT_FETCHED}


@dataclass(frozen=True)
class Collected:
    """What one node gave: entries that were new here, and whether that contradicts what is known of it."""

    name: str
    node_id: bytes
    seq: int
    new_entries: int
    false_records: int  # signatures that are nobody's; they were not kept
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Collection:
    collected: tuple[Collected, ...]
    errors: dict[str, FleetError] = field(default_factory=dict)


async def from_ports(
    fleet: FleetFolder, port_names: Sequence[str] | None, nodes: Sequence[str] = (), *, connect: Connect = ports.connect
) -> Collection:
    """The ledgers of these nodes, or of all that answer, one after the other. Raises LinkError where nobody does."""
    found: list[Collected] = []
    errors: dict[str, FleetError] = {}
    async with reach.all_nodes(port_names, nodes, connect=connect, credentials=credentials.of(fleet)) as (
        reached,
        silent,
    ):
        errors |= silent
        for one in reached:
            try:
                found.append(await collect(one.session, one.hello, fleet))
            except FleetError as error:
                errors[one.name] = error
    return Collection(tuple(found), errors)


async def audit(session: Session, hello: Any, fleet: FleetFolder) -> tuple[Finding, ...]:
    """Have the node note that it was audited, fetch its ledger, and return what it shows against the node at once."""
    await session.ask("audited", timeout_s=HEAD_WITHIN_S)
    return (await collect(session, hello, fleet)).findings


def serious(fleet: FleetFolder, shown: Sequence[Finding] = ()) -> dict[str, list[Finding]]:
    """What the ledgers of this folder, and what nodes just `shown`, prove against their writers, by their names.

    Gaps are not among it: a copy that lacks something proves nothing against anybody.
    """
    names = fleet.known_keys
    found = [one for one in verdict.judge(fleet.ledger.copies, names).findings if one.kind in SERIOUS]
    told = {(one.writer, one.kind) for one in found}
    found += [one for one in shown if one.kind in SAID and (one.writer, one.kind) not in told]
    by_name: dict[str, list[Finding]] = {}
    for one in found:
        by_name.setdefault(names.get(one.writer) or key_id(one.writer).hex(), []).append(one)
    return by_name


async def collect(session: Session, hello: Any, fleet: FleetFolder) -> Collected:
    """Fetch what is new, keep it, read it back, tell the node so, and note in our own ledger what it showed."""
    name, node_id = str(hello["name"]), bytes(hello["id"])
    said = await session.ask("ledger_head", {"sign": True}, HEAD_WITHIN_S)
    writer, head = _head_of(said, name)
    if key_id(writer) != node_id:
        raise RemoteError(
            "shows the ledger of another key than its own",
            node=name,
            next_step="Do not trust it: it is a copy, or its identity was made anew",
        )
    known = fleet.ledger.copies
    entries = await _missing_entries(session, known, writer, head, name)
    page = Page(writer, entries, [head], _rows(said.get("witnesses"), ledger.is_witness))
    given, false_records = _sound(Copies.of([page, *_of_others(writer, said)]))
    rolled_back = _rolled_back(known, writer, head)
    new = given.without(known)
    for made in new.pages().values():
        ledgers.write(fleet.ledger_path, made)
    after = fleet.ledger.copies
    if given.without(after) != Copies():
        raise StorageError("what was written does not read back", node=name, next_step="Check that disk")
    _note_audit(fleet, after, node_id, head)
    await session.ask("ledger_kept", {"seq": head[0], "digest": head[1]})
    troubles = [one for one in verdict.judge(after, fleet.known_keys).findings if one.writer == writer]
    seqs = {entry.seq for entry in entries}
    return Collected(name, node_id, head[0], len(seqs), false_records, (*rolled_back, *troubles))


def _head_of(said: Any, name: str) -> tuple[bytes, ledgers.Head]:
    said = said if isinstance(said, dict) else {}
    writer, head = said.get("writer", b""), said.get("head")
    if isinstance(writer, bytes) and isinstance(head, list) and ledger.is_head(head):
        seq, digest, signature = head
        if verify(writer, signature, ledger.head_statement(seq, digest)):
            return writer, (seq, digest, signature)
    raise RemoteError("shows no signed head of its ledger, or one with a false signature", node=name)


async def _missing_entries(
    session: Session, known: Copies, writer: bytes, head: ledgers.Head, name: str
) -> list[Entry]:
    """What the node has and this folder lacks, up to the signed head."""
    chain = verdict.judge(known.of_writer(writer)).chains.get(writer)
    have = chain.entries[-1].seq if chain is not None and chain.entries and not chain.gaps else 0
    if chain is None or have > head[0] or chain.digests.get(head[0], head[1]) != head[1]:
        have = 0  # set back, or another story: look at all of it
    found = await _entries_after(session, have, head[0], name)
    if have and found and chain is not None and found[0].previous != chain.digests.get(have):
        found = await _entries_after(session, 0, head[0], name)
    return found


async def _entries_after(session: Session, after: int, last: int, name: str) -> list[Entry]:
    found: list[Entry] = []
    while after < last:
        rows = await session.ask("ledger", {"after": after, "limit": ENTRIES_AT_ONCE}, HEAD_WITHIN_S)
        for row in rows:
            entry = ledger.decode_entry(row) if isinstance(row, bytes) else Damage("shape", 0)
            if isinstance(entry, Damage) or entry.seq <= after:
                raise RemoteError("gives entries that are none, or not in order", node=name)
            after = entry.seq
            if after <= last:
                found.append(entry)
        if not rows:
            break
    return found


def _of_others(writer: bytes, said: dict[str, Any]) -> list[Page]:
    """What the node holds of its neighbours: their heads, its counter-signatures, forks."""
    pages: list[Page] = []
    for row in said.get("seen") or ():
        if isinstance(row, list) and len(row) == 5 and ledger.is_witness((row[1], row[2], row[0], row[3])):
            other, seq, digest, signature, ours = row
            vouched = [(seq, digest, writer, ours)] if ledger.is_witness((seq, digest, writer, ours)) else []
            pages.append(Page(other, [], [(seq, digest, signature)], vouched))
    for row in said.get("forks") or ():
        if isinstance(row, list) and len(row) == 6 and ledger.is_witness((row[1], row[2], row[0], row[3])):
            heads = [(row[1], row[2], row[3]), (row[1], row[4], row[5])]
            pages.append(Page(row[0], [], [head for head in heads if ledger.is_head(head)], []))
    return pages


def _rows(value: Any, is_right) -> list[tuple]:
    return [tuple(row) for row in value if is_right(row)] if isinstance(value, list) else []


def _sound(given: Copies) -> tuple[Copies, int]:
    """Without what nobody has signed: a node must not fill this folder with what it made up. And how much that was."""
    heads = {
        (writer, head)
        for writer, head in given.heads
        if verify(writer, head[2], ledger.head_statement(head[0], head[1]))
    }
    witnesses = {
        (writer, row)
        for writer, row in given.witnesses
        if verify(row[2], row[3], ledger.witness_statement(writer, row[0], row[1]))
    }
    left_out = len(given.heads) - len(heads) + len(given.witnesses) - len(witnesses)
    return Copies(given.entries, frozenset(heads), frozenset(witnesses)), left_out


def _rolled_back(known: Copies, writer: bytes, head: ledgers.Head) -> list[Finding]:
    """An older head than one that is known is a rollback: here it is the node's newest word, not an old frame."""
    newest = verdict.newest_good_head(known, writer)
    if newest is None or newest[0] <= head[0]:
        return []
    what = f"shows head {head[0]} as its newest, but has signed head {newest[0]} before"
    return [Finding(writer, verdict.ROLLBACK, what, (verdict.evidence(writer, heads=[head, newest]),))]


def _note_audit(fleet: FleetFolder, copies: Copies, node_id: bytes, head: ledgers.Head) -> None:
    """What a laptop noted of a node, twice in a row the same, is once."""
    mine = fleet.secrets.laptop
    if mine is None:
        return
    fields = {"node": node_id, "seq": head[0], "digest": head[1]}
    noted = [entry for entry in copies.entries_of(mine).values() if entry.kind == "audited"]
    last = max((entry for entry in noted if entry.fields.get("node") == node_id), key=lambda e: e.seq, default=None)
    if last is None or {key: last.fields.get(key) for key in fields} != fields:
        fleet.note("audited", fields)
