"""Knows how rows of a node's inbox become letters that a person reads: in order, opened, with what is proved of them.

The order is the rule of the nodes' own page. A node opens what its own keys open; the rest is tried here with the keys
on this laptop. Refuses to know commands.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hedgenode.rules.inbox import least_heard_first
from hedgerow.errors import FleetError
from hedgerow.fleet import keys, suite
from hedgerow.fleet.keyring import Holder, Keyring
from hedgerow.fleet.suite import finish
from hedgerow.plans.letters import place_of
from hedgerow.session import Session
from hedgewire import bundle, group, message, sealed
from hedgewire.cbor import Damage

_SOURCE, _SEQ = 2, 0  # in a row of the node's answer: seq, id, source, age_ms, layer, body, facts

Start = tuple[int, bytes, int, int | None, int]  # seq, id, source, age_ms, layer

UNSIGNED = "unsigned"
SIGNED = "signed"
UNKNOWN = "signed with a key that is not known here"
WRONG = "signature is wrong"


@dataclass(frozen=True)
class Received:
    """One message as a person sees it. `text` is None where neither the node nor this laptop can open it."""

    seq: int
    id: bytes
    source: int
    age_ms: int | None
    layer: int
    text: str | None
    proof: str = UNSIGNED
    author: bytes | None = None
    author_name: str | None = None
    group: str | None = None
    reader: Holder | None = None
    opened_by: str | None = None  # "node", "laptop"

    @property
    def is_open(self) -> bool:
        return self.text is not None


def in_order(rows: list[list[Any]]) -> list[list[Any]]:
    """The authors with the fewest messages first, each one's in order of arrival."""
    return least_heard_first(rows, source=lambda row: row[_SOURCE], seq=lambda row: row[_SEQ])


async def read(session: Session, keyring: Keyring, after: int = 0) -> list[Received]:
    """Every message at the node, in order, opened as far as the node's keys and ours go."""
    rows = in_order(await session.ask("inbox", {"after": after, "layers": True}))
    return [await _received(session, keyring, row) for row in rows]


async def _received(session: Session, keyring: Keyring, row: list[Any]) -> Received:
    facts = row[6] if len(row) > 6 and isinstance(row[6], dict) else {}
    start = (row[0], bytes(row[1]), row[2], row[3], row[4])
    place = place_of(bytes(facts.get("primary", b"")))
    if place is None or facts.get("v") == message.VERSION or row[4] not in (0, 1, 2):
        # A message, or a node, of the first release: a text in clear, of whatever layer it says.
        return Received(*start, row[5] if isinstance(row[5], str) else None, opened_by="node")
    if isinstance(row[5], str):
        return _from_node(keyring, start, place, row[5], facts)
    try:
        return await _opened_here(session, keyring, start, place, bytes(row[5])) or Received(*start, None)
    except FleetError:
        return Received(*start, None)  # it is gone from there, or we may not fetch it


def _from_node(keyring: Keyring, start: Start, place: bundle.Bundle, text: str, facts: dict) -> Received:
    """What is public, or what the node has opened."""
    group_id, to = facts.get("group"), facts.get("to")
    known = keyring.groups.by_id.get(bytes(group_id)) if group_id else None
    reader = keyring.holders.get(bytes(to)) if to else None
    context = bytes(group_id) if group_id else reader.public if reader else b""
    proof, author, author_name = _proof(
        keyring, start[4], place, text, facts.get("author"), facts.get("signature"), context
    )
    name = None if not group_id else known.name if known else bytes(group_id).hex()
    return Received(*start, text, proof, author, author_name, name, reader, "node")


async def _opened_here(
    session: Session, keyring: Keyring, start: Start, place: bundle.Bundle, body_start: bytes
) -> Received | None:
    """Opened with the keys on this laptop: only what fits by its first bytes is fetched from the node."""
    primary = bundle.primary_block(place)
    if start[4] == message.SEALED:
        for own in keyring.own.values():
            public = own.holder.public
            if sealed.hint(public, primary) == body_start:
                said = await _body(session, start[1])
                seed = own.seed()
                pair = keys.agreement_secret(seed), keys.agreement_public(public) or b""
                raw = None if said is None else finish(sealed.open_steps(suite, public, pair, place, said))
                if raw is not None:
                    return _from_content(keyring, start, place, raw, public, reader=own.holder)
        return None
    for one in keyring.groups.by_id.values():
        chain = keyring.reader(one)
        if chain is not None and group.fits(suite, chain, body_start):
            said = await _body(session, start[1])
            opened = None if said is None else group.open_body(suite, chain, place, said)
            if opened is not None:
                return _from_content(keyring, start, place, opened[1], one.group, group=one.name)
    return None


def _from_content(
    keyring: Keyring, start: Start, place: bundle.Bundle, raw: bytes, context: bytes, **facts: Any
) -> Received | None:
    content = message.decode_content(raw)
    if isinstance(content, Damage):
        return None
    proof, author, name = _proof(keyring, start[4], place, content.text, content.author, content.signature, context)
    return Received(*start, content.text, proof, author, name, opened_by="laptop", **facts)


async def _body(session: Session, bundle_id: bytes) -> bytes | None:
    held = bundle.decode(bytes((await session.ask("bundle", {"id": bundle_id}))["data"]))
    said = held if isinstance(held, Damage) else message.decode(held.payload)
    return None if isinstance(said, Damage) or not isinstance(said.body, bytes) else said.body


def _proof(
    keyring: Keyring,
    layer: int,
    place: bundle.Bundle,
    text: str,
    author: bytes | None,
    signature: bytes | None,
    context: bytes,
) -> tuple[str, bytes | None, str | None]:
    """(what is proved, key id, name) of the author."""
    if author is None or signature is None:
        return UNSIGNED, None, None
    author = bytes(author)
    holder = keyring.holders.get(author)
    if holder is None:
        return UNKNOWN, author, None
    statement = message.statement(layer, bundle.primary_block(place), text, context)
    good = keys.verify(holder.public, bytes(signature), statement)
    return (SIGNED if good else WRONG), author, str(holder)


def closed_count(found: Iterable[Received]) -> tuple[int, int]:
    """(group, sealed) messages that cannot be opened here."""
    layers = [one.layer for one in found if not one.is_open]
    return layers.count(message.GROUP), layers.count(message.SEALED)
