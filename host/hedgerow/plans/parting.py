"""Knows how fleets part and become one: which documents that takes, whose signatures they lack, what each node needs.

Everything is made and signed in folders first; carrying it is for plans/moving.py, and a second run of the same command
finds what is there and does what is left. No node is touched here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hedgerow.errors import UsageError
from hedgerow.fleet import charter as charters
from hedgerow.fleet import founding, keys, moving, passphrase, proposal
from hedgerow.fleet.charter import Charter
from hedgerow.fleet.documents import Document, unite
from hedgerow.fleet.folder import FleetFolder
from hedgerow.fleet.founding import Origin
from hedgerow.fleet.groups import Groups, give
from hedgerow.fleet.key_lock import Ask
from hedgerow.fleet.moving import Move
from hedgerow.fleet.roster import ENROLMENT, Enrolment
from hedgerow.plans import rekey
from hedgewire import cbor
from hedgewire import rekey as wire

MOST_CHARACTERS = 40  # of a node's name
RADIO_SECURITY = "radio_security"  # of a whole fleet, so it stands in [defaults]
FLEET_KEYS = "fleet"
KEYED = "keyed"  # kinds of observations in a fleet's registry
MOVED = "moved"
SHUT_OUT = "shut out"


@dataclass(frozen=True)
class Journey:
    """One node on its way from a fleet to another, and what it has to be given, in the order in which it helps."""

    name: str
    former: Enrolment
    to: bytes  # fleet
    papers: tuple[Document, ...]
    lacks: str | None = None
    """Whose word is missing, in words; such a node stays where it is."""


def chosen(origin: FleetFolder, names: Sequence[str], *, mine: bool) -> list[Enrolment]:
    """The nodes meant. `mine`: those of households whose keys lie on this laptop. Raises UsageError for others."""
    nodes = origin.roster.nodes
    held = {key.public for key in origin.secrets.custodians.values()}
    found = [node for node in nodes if mine and node.custodian in held]
    for name in names:
        node = next((node for node in nodes if node.name == name), None)
        if node is None:
            known = ", ".join(one.name for one in nodes)
            raise UsageError(f"there is no node {name} in this fleet", next_step=f"Its nodes are {known or 'none yet'}")
        if node not in found:
            found.append(node)
    if not found:
        raise UsageError(
            "no node is to go" if not mine else "no node here belongs to a household whose key is on this laptop",
            next_step="Name some with --nodes oak,elm",
        )
    return found


def found_for(
    path: Path,
    name: str,
    origins: Sequence[FleetFolder],
    nodes: Sequence[Sequence[Enrolment]],
    stewards: Iterable[str] = (),
    threshold: int | None = None,
    ask: Ask = passphrase.ask,
) -> FleetFolder:
    """The folder of the fleet where they go; the one that is there already, if it comes out of the same fleets.

    `nodes` are those of each origin. Raises UsageError where another fleet is in that folder.
    """
    parents = tuple(origin.charter for origin in origins)
    if (path / proposal.FILE_NAME).exists():
        return _same(path, origins, ask)
    wanted = list(stewards)
    if len(parents) > 1 and not wanted:
        wanted = _union(parents)
    papers = unite(paper for origin in origins for paper in origin.registry.documents())
    tables, taken = "", set[str]()
    for origin, some in zip(origins, nodes, strict=True):
        tables += "".join(_table(origin, node, name_among(taken, node, origin)) for node in some)
        taken |= {node.name for node in some}
    origin_of_all = Origin(
        parents,
        tuple(one for origin in origins for one in origin.standing.certificates.values()),
        tuple(key.seed for origin in origins for key in origin.secrets.stewards.values()) if len(parents) > 1 else (),
        {who: key.seed for origin in origins for who, key in origin.secrets.custodians.items()},
        tuple(papers),
        tables,
        origins[0].proposal.ipn_base,
        any(node.settings[RADIO_SECURITY] == FLEET_KEYS for origin in origins for node in origin.proposal.nodes),
        any(node.settings["protected"] for origin in origins for node in origin.proposal.nodes),
    )
    lock = next((origin.secrets.lock for origin in origins if origin.secrets.lock is not None), None)
    return founding.found(path, name, wanted, threshold, lock=lock, ask=ask, origin=origin_of_all)


def lacks_to_begin(made: FleetFolder, origins: Sequence[FleetFolder]) -> str | None:
    """Whose signatures the new fleet lacks before anything moves. A union is signed by both of the councils."""
    charter = made.charter_at_hand
    document = next(one for one in made.registry.documents(charters.CHARTER) if one.digest == charter.digest)
    councils = [(charter, charter.name)]
    if charter.joins is not None:
        councils += [(origin.charter, origin.charter.name) for origin in origins]
    for council, whose in councils:
        short = moving.lacking(council, document)
        if short:
            return f"the charter of {charter.name} lacks {short} of {council.threshold} signatures of {whose}"
    return None


def prepare(origin: FleetFolder, made: FleetFolder, nodes: Sequence[Enrolment]) -> None:
    """Make what is not there yet, sign it with the keys here, and keep it in both folders."""
    begins = made.standing.charters[0]
    for node in nodes:
        move = Move(origin.fleet_id, node.node, node.digest, begins.fleet_id, begins.digest)
        known = _held(origin, move.to_document())
        seeds = [key.seed for key in origin.secrets.custodians.values() if key.public == node.custodian]
        if node.custodian is None:
            council = moving.council_of(origin.charter)
            seeds = [key.seed for key in origin.secrets.stewards.values() if key.public in council]
        signed = known.signed(*seeds)
        origin.add([signed])
        made.add([signed])
        _enrol(made, node, origin)
    _give_key(made)
    _greet(origin, made)
    # By these the ones who stay can check what the others sign.
    known = (charters.CHARTER, charters.LAPTOP, ENROLMENT)
    origin.add(paper for kind in known for paper in made.registry.documents(kind))


def may_decide(origin: FleetFolder, node: Enrolment) -> str | None:
    """Whose word this node needs that cannot be given with the keys here, in words; or None."""
    if node.custodian is not None:
        if node.custodian in {key.public for key in origin.secrets.custodians.values()}:
            return None
        return "the household that it belongs to has to sign, and its key is not here"
    council = moving.council_of(origin.charter)
    held = [key for key in origin.secrets.stewards.values() if key.public in council]
    short = origin.charter.threshold - len(held)
    return None if short <= 0 else f"it belongs to no household, and {short} more stewards have to sign"


def journeys(origin: FleetFolder, made: FleetFolder) -> list[Journey]:
    """Every node that has been asked to go from the one to the other, whether or not it has gone."""
    papers = unite([*origin.registry.documents(), *made.registry.documents()])
    judged, there = origin.standing, made.standing
    roster, arrivals = origin.roster, made.roster
    claims = {claim.digest: claim for claim in roster.claims}
    by_digest = {paper.digest: paper for paper in papers}
    keyed = _keyed(made)
    found = []
    for paper in papers:
        move = moving.read_move(paper) if paper.kind == moving.MOVE else None
        if not isinstance(move, Move) or (move.fleet, move.to) != (judged.fleet, there.fleet):
            continue
        former, arrival = claims.get(move.enrolment or b""), arrivals.with_key(move.node)
        if former is None or arrival is None:
            continue
        fault = moving.fault(paper, former.custodian, judged.charters, judged.revoked)
        wanted = [charter.digest for charter in there.charters]
        wanted += [arrival.certificate, arrival.digest]
        key = keyed.get(arrival.node_id)
        wanted += [] if key is None else [key]
        given = [paper, *(by_digest[digest] for digest in wanted)]
        found.append(Journey(arrival.name, former, there.fleet, tuple(given), fault))
    return sorted(found, key=lambda one: one.former.short)


def for_those_who_stay(origin: FleetFolder) -> rekey.NewKey | None:
    """A key of the fleet that leaves out whoever has gone; None where the present one does, or there is none."""
    judged, roster = origin.standing, origin.roster
    groups = Groups.of(origin.registry.documents(), judged)
    members = rekey.everybody(judged, roster)
    generation = groups.generations.get(judged.fleet)
    if generation is None or not members:
        return None
    return rekey.renew(groups, groups.by_id[judged.fleet], members, threshold=origin.charter.threshold)


def neighbour_papers(fleet: FleetFolder, other: bytes) -> list[Document]:
    """What the nodes of a fleet are to be told of the other one."""
    found = []
    for paper in fleet.registry.documents(moving.NEIGHBOUR):
        said = moving.read_neighbour(paper)
        if isinstance(said, moving.Neighbour) and (said.fleet, said.neighbour) == (fleet.fleet_id, other):
            found.append((said.epoch, paper))
    newest = max((epoch for epoch, _ in found), default=0)
    return [paper for epoch, paper in found if epoch == newest]


def _same(path: Path, origins: Sequence[FleetFolder], ask: Ask) -> FleetFolder:
    made = FleetFolder(path, ask)
    first = made.standing.charters[0] if made.standing.charters else made.charter_at_hand
    named = {first.parent, first.joins}
    if all(named & {one.digest for one in origin.standing.charters} for origin in origins):
        return made
    made.close()
    raise UsageError(f"there is another fleet in {path}", next_step="Choose another folder with --dir")


def _union(parents: Sequence[Charter]) -> list[str]:
    """Every steward of both, as `NAME=HEX`; of two with one name the second gets the name of the fleet."""
    publics: dict[bytes, str] = {}
    for parent in parents:
        for steward in parent.stewards:
            name = steward.name if steward.name not in publics.values() else f"{steward.name} of {parent.name}"
            if steward.public in moving.council_of(parent):
                publics.setdefault(steward.public, name)
    return [f"{name}={public.hex()}" for public, name in publics.items()]


def name_among(taken: set[str], node: Enrolment, origin: FleetFolder) -> str:
    """The node's name, with that of the fleet that it comes from where another node has it."""
    return node.name if node.name not in taken else f"{node.name} of {origin.charter.name}"[:MOST_CHARACTERS]


def _table(origin: FleetFolder, node: Enrolment, name: str) -> str:
    wanted = origin.proposal.node(node.name)
    names = {one.public: one.name for one in origin.custodians.values()}
    settings = dict(wanted.settings) if wanted else {}
    sensors = settings.get("sensors")
    if isinstance(sensors, list):
        settings["sensors"] = [{key: value for key, value in one.items() if value is not None} for one in sensors]
    settings = {key: value for key, value in settings.items() if value not in (None, []) and key != RADIO_SECURITY}
    return proposal.node_text(name, node.board, settings, names.get(node.custodian or b""))


def _held(folder: FleetFolder, document: Document) -> Document:
    """The copy in the folder with the signatures that it has, or this one."""
    found = (one for one in folder.registry.documents(document.kind) if one.digest == document.digest)
    return next(found, document)


def _enrol(made: FleetFolder, former: Enrolment, origin: FleetFolder) -> None:
    """Take the node in under its name and its short id, where nobody else here has them."""
    roster = made.roster
    if roster.with_key(former.node) is not None:
        return
    certificate = made.certificate
    name = name_among({node.name for node in roster.nodes}, former, origin)
    enrolment = roster.next_enrolment(
        certificate, former.node, name, former.board, former.custodian, charter_version=made.charter.version
    )
    if former.short not in {node.short for node in roster.nodes}:
        enrolment = replace(enrolment, short=former.short)  # what is under way to it arrives
    enrolment = replace(enrolment, replaces=former.digest)
    seeds = [key.seed for key in made.secrets.custodians.values() if key.public == former.custodian]
    made.sign(enrolment.to_document(), made.secrets.laptop_seed, *seeds)


def _give_key(made: FleetFolder) -> None:
    """The key of the new fleet for everybody in it; for those who came later, the same key."""
    keyed, judged, roster = _keyed(made), made.standing, made.roster
    newcomers = [node.node for node in roster.nodes if node.node_id not in keyed]
    if not newcomers:
        return
    groups = Groups.of(made.registry.documents(), judged)
    group = groups.by_id[judged.fleet]
    known = groups.seed(judged.fleet, [made.secrets.laptop_seed])
    if known is None:
        new = rekey.renew(groups, group, rekey.everybody(judged, roster), threshold=made.charter.threshold)
        given = {node: new.document_for(node) for node in newcomers}
    else:
        some = newcomers[: wire.MAX_MEMBERS]
        given = dict.fromkeys(some, give(groups, group, some, known[1]))
    for paper in unite(given.values()):
        made.sign(paper, made.secrets.laptop_seed, *_council_seeds(made))
    for node, paper in given.items():
        made.observe(keys.key_id(node), KEYED, {"paper": paper.digest})
    _give_key(made)


def _keyed(made: FleetFolder) -> dict[bytes, bytes]:
    """Digest of the document with the fleet's key by node id, as this laptop has noted it."""
    held = {paper.digest for paper in made.registry.documents(wire.KIND)}
    noted = {node: cbor.decode(seen.data) for node, seen in made.registry.latest(KEYED).items()}
    return {node: said["paper"] for node, said in noted.items() if isinstance(said, dict) and said["paper"] in held}


def _council_seeds(folder: FleetFolder) -> list[bytes]:
    council = moving.council_of(folder.charter)
    return [key.seed for key in folder.secrets.stewards.values() if key.public in council]


def _greet(origin: FleetFolder, made: FleetFolder) -> None:
    """Both fleets call each other neighbours, and share the key of a circle, where this laptop may say so."""
    if neighbour_papers(origin, made.fleet_id) and neighbour_papers(made, origin.fleet_id):
        return
    seed = moving.new_circle_seed()
    for here, there in ((origin, made), (made, origin)):
        members = rekey.everybody(here.standing, here.roster)
        said = moving.neighbours(
            here.fleet_id, there.fleet_id, there.charter.name, there.charter.digest, 1, seed, members
        )
        for one in said:
            paper = one.to_document().signed(here.secrets.laptop_seed, *_council_seeds(here)[:1])
            here.add([paper])
            there.add([paper])


def note_moved(made: FleetFolder, nodes: Iterable[bytes]) -> None:
    """Remember which nodes (ids) said themselves that they have come."""
    for node in nodes:
        made.observe(node, MOVED, {"fleet": made.fleet_id})


def has_moved(made: FleetFolder) -> set[bytes]:
    """Ids of nodes that have been seen in the new fleet."""
    return {node for node, seen in made.registry.latest(MOVED).items() if _says_fleet(seen.data, made.fleet_id)}


def shut_out(origin: FleetFolder, made: FleetFolder) -> list[Document]:
    """The new key for those who stay, once everybody who goes has gone; signed with the keys here, and kept.

    Empty where somebody is still on the way, or where it was made before: then `hedgerow charter sign` finds it if it
    lacks signatures.
    """
    going = [one for one in journeys(origin, made) if one.lacks is None]
    gone, noted = has_moved(made), origin.registry.latest(SHUT_OUT)
    ids = {one.former.node_id for one in going}
    if not ids or not ids <= gone or ids <= set(noted):
        return []
    new = for_those_who_stay(origin)
    if new is None:
        return []
    papers = [origin.sign(paper, origin.secrets.laptop_seed, *_council_seeds(origin)) for paper in new.documents]
    for node in ids:
        origin.observe(node, SHUT_OUT, {"epoch": new.epoch})
    return papers


def _says_fleet(data: bytes, fleet: bytes) -> bool:
    said = cbor.decode(data)
    return isinstance(said, dict) and said.get("fleet") == fleet
