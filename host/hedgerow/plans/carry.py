"""Knows what a person who carries messages takes from a node and hands to it, and does that. Opens no message.

The rules: take what is on its way, not what has arrived. Hand a node what is for it, and what is for everybody. What is
for another node it gets as well, one copy, as long as the message has copies left: the mesh carries it on from there.
"""

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hedgenode.rules.inbox import least_heard_first
from hedgerow.errors import RefusedError, StorageError, VerificationError
from hedgerow.fleet.carried import Carried, CarriedFolder, forwarded, hops_left, read
from hedgerow.plans import reach
from hedgerow.session import Session
from hedgewire.cbor import Damage

COPIES = 6  # that one message leaves behind with relays, as many as a node gives a new one
ANSWER_S = 20.0
_ID, _SOURCE, _DESTINATION, _SIZE, _AGE_MS = 0, 1, 2, 5, 6  # of a row that a node says about a bundle

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Place:
    """A node as far as carrying is concerned: its id in hexadecimal digits, its node number, and everybody's there."""

    name: str
    id: str
    number: int
    everyone: int


@dataclass
class Visit:
    """What came of one visit: bundles taken from the node, brought to it, among them for itself, and left."""

    name: str
    taken: int = 0
    brought: int = 0
    for_it: int = 0
    not_wanted: int = 0
    no_room_here: int = 0
    damaged: int = 0

    @property
    def moved(self) -> int:
        return self.taken + self.brought

    def as_dict(self) -> dict[str, Any]:
        return dict(vars(self))


@dataclass
class Meeting:
    """A node that is being visited, and what it holds."""

    session: Session
    place: Place
    there: set[bytes] = field(default_factory=set)


def to_take(rows: Iterable[Sequence[Any]], place: Place, known: Collection[bytes]) -> list[Sequence[Any]]:
    """Which of the rows of a node's bundles to fetch, authors that are least heard first, each one's oldest first."""
    wanted = [row for row in rows if bytes(row[_ID]) not in known and row[_DESTINATION] != place.number]
    return least_heard_first(wanted, source=lambda row: row[_SOURCE], seq=lambda row: -(row[_AGE_MS] or 0))


def to_bring(
    folder: CarriedFolder, place: Place, there: Collection[bytes], *, copies: int | None = COPIES
) -> list[Carried]:
    """Which bundles to hand to a node that holds `there`: what is for it first.

    `copies`: how many nodes may get a message that is for another one; None for any number.
    """
    wanted = []
    for one in folder:
        had = folder.has_got(one.id)
        if one.id in there or place.id in had or not hops_left(one.bundle):
            continue
        if one.destination in (place.number, place.everyone) or copies is None or len(had) <= copies:
            wanted.append(one)
    return sorted(
        wanted, key=lambda one: (one.destination != place.number, one.destination != place.everyone, one.at_s)
    )


async def meet(session: Session, hello: dict[str, Any]) -> Meeting:
    """Ask who it is and which fleet's numbers it has."""
    base = int((await session.ask("config"))["ipn_base"])
    place = Place(str(hello["name"]), bytes(hello["id"]).hex(), base + int(hello["short"]), base + reach.EVERYONE)
    return Meeting(session, place)


async def take(meeting: Meeting, folder: CarriedFolder, visit: Visit, tell: Tell) -> None:
    """Fetch what is on its way there. Each bundle is in its file before the next one is asked for."""
    rows = await meeting.session.ask("bundles", timeout_s=ANSWER_S)
    meeting.there = {bytes(row[_ID]) for row in rows}
    wanted = to_take(rows, meeting.place, {one.id for one in folder} | folder.arrived)
    if wanted:
        tell(_forecast(f"{meeting.place.name}: fetching", len(wanted), sum(row[_SIZE] for row in wanted)))
    for row in wanted:
        asked_s = time.time()
        data = bytes((await meeting.session.ask("bundle", {"id": bytes(row[_ID])}, timeout_s=ANSWER_S))["data"])
        found = read(data, asked_s)
        if isinstance(found, Damage) or found.id != bytes(row[_ID]):
            visit.damaged += 1
            continue
        aged = read(forwarded(found.bundle, row[_AGE_MS] or 0), asked_s)
        if isinstance(aged, Damage) or aged.is_over(asked_s):
            continue
        if folder.keep(aged):
            folder.note(aged.id, meeting.place.id)
            visit.taken += 1
        else:
            visit.no_room_here += 1


async def bring(meeting: Meeting, folder: CarriedFolder, visit: Visit, tell: Tell, *, copies: int | None) -> None:
    """Hand over what this node should have; what reached its reader is let go here, once the node has it safe."""
    wanted = to_bring(folder, meeting.place, meeting.there, copies=copies)
    if wanted:
        tell(_forecast(f"{meeting.place.name}: bringing", len(wanted), sum(len(one.data) for one in wanted)))
    for one in wanted:
        moved = read(forwarded(one.bundle, one.age_ms(time.time())), 0)
        assert isinstance(moved, Carried)
        try:
            answer = await meeting.session.ask("accept", {"data": moved.data, "copies": 1}, timeout_s=ANSWER_S)
        except (RefusedError, StorageError):
            visit.not_wanted += 1  # of another fleet, seen before, or its store is full of better
            continue
        if bytes(answer["id"]) != one.id:
            raise VerificationError(f"it says it took another bundle than {one.id.hex()}", node=meeting.place.name)
        folder.note(one.id, meeting.place.id)
        meeting.there.add(one.id)
        visit.brought += 1
        if one.destination == meeting.place.number:
            visit.for_it += 1
            folder.note_arrival(one.id)


def exchange(folder: CarriedFolder, other: CarriedFolder) -> Visit:
    """Both folders get what the other has, as far as there is room: a stick is a mule like any other."""
    visit = Visit(str(other.path), damaged=len(other.damaged))
    for ours, theirs in ((folder, other), (other, folder)):
        for arrived in theirs.arrived - ours.arrived:
            ours.note_arrival(arrived)
    visit.taken, visit.no_room_here = _copy(other, folder)
    visit.brought, visit.not_wanted = _copy(folder, other)
    return visit


def _copy(source: CarriedFolder, target: CarriedFolder) -> tuple[int, int]:
    """(how many bundles went over, how many found no room)."""
    kept = refused = 0
    for one in source:
        if one.id not in target:
            went = target.keep(one)
            kept, refused = kept + went, refused + (not went)
        if one.id in target:
            for node in source.has_got(one.id):
                target.note(one.id, node)
    return kept, refused


def _forecast(what: str, count: int, size_bytes: int) -> str:
    """How long it will take on a cable of 115,200 baud, before it begins."""
    within_s = size_bytes / 9000 + count * 0.05
    return f"{what} {count} message{'s' * (count != 1)}, about {max(1, round(within_s))} s"
