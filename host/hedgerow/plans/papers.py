"""Knows how to fetch a node's documents and how to give it those that it lacks. Judges none of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hedgerow.errors import FleetError, LinkError, RefusedError
from hedgerow.fleet import documents
from hedgerow.fleet.documents import Document, unite
from hedgerow.plans import reach
from hedgerow.plans.reach import Connect
from hedgerow.session import Session
from hedgerow.transports import ports
from hedgewire.cbor import Damage

SPREAD = ("charter", "laptop", "revocation")
_JUDGED_WITHIN_S = 60.0  # a chip checks a signature in about half a second, an emulated one more slowly


@dataclass(frozen=True)
class Given:
    """What became of the documents that a node was given: kinds that it took, and what it refused and why."""

    node: str
    taken: tuple[str, ...]
    refused: tuple[str, ...]


async def fetch(session: Session) -> list[Document]:
    """Every document that a node holds. What it sends damaged is left out."""
    found = []
    for digest, _ in await session.ask("documents"):
        answer = await session.ask("document", {"digest": bytes(digest)})
        one = documents.decode(bytes(answer["data"]))
        if not isinstance(one, Damage) and one.digest == bytes(digest):
            found.append(one)
    return found


async def give(session: Session, papers: Sequence[Document]) -> Given:
    """Give a node what it lacks, charters first and in order; it checks each one and passes it on to the others."""
    there = {bytes(digest) for digest, _ in await session.ask("documents")}
    taken, refused = [], []
    for paper in papers:
        if paper.digest in there:
            continue
        try:
            await session.ask("document_put", {"data": paper.encode()}, timeout_s=_JUDGED_WITHIN_S)
            taken.append(paper.kind)
        except RefusedError as no:
            refused.append(f"{paper.kind} {paper.digest[:4].hex()}: {no.what}")
    return Given(session.name, tuple(taken), tuple(refused))


async def from_nodes(
    who: str | None, port_names: Sequence[str], connect: Connect = ports.connect
) -> tuple[list[Document], list[FleetError]]:
    """The documents of the node called `who`, or of every node on these ports; and what went wrong on the others."""
    if who is not None or len(port_names) < 2:
        async with reach.one_node(who, port_names, connect=connect) as reached:
            return await fetch(reached.session), []
    found: list[Document] = []
    errors: list[FleetError] = []
    for port in port_names:
        try:
            async with reach.one_node(None, [port], connect=connect) as reached:
                found += await fetch(reached.session)
        except FleetError as error:
            errors.append(error)
    if not found:
        raise errors[0] if errors else LinkError("no node holds a document", next_step="Name the ports of other nodes")
    return unite(found), errors


def for_every_node(papers: Iterable[Document]) -> list[Document]:
    """Of these documents, those that concern every node, in the order in which one needs the other."""
    order = {kind: place for place, kind in enumerate(SPREAD)}
    wanted = [paper for paper in papers if paper.kind in order]
    return sorted(wanted, key=lambda paper: (order[paper.kind], paper.fields.get("version", 0), paper.digest))
