"""Who may move a node to another fleet, and what must have come before it goes; who may call a fleet a neighbour.

Gets statements (hedgewire/trust.py) and the set of public keys whose signatures somebody has checked; answers None or a
sentence that says why not. A household needs nobody for its own node, and nobody moves that node without it: no number
of stewards, and no revocation of the household's key either. A node that belongs to no household is the fleet's.
"""

from hedgenode.rules import trust

NOBODY = bytes(8)  # the fleet of a node that belongs to none yet


def mover_fault(household: "bytes | None", charter, signers, revoked=()) -> "str | None":
    """Why these people may not move a node, or None.

    `household` is the public key of its custodian, `charter` the one in force where the node is.
    """
    if household is not None:
        return None if household in signers else "the household that this node belongs to has not signed it"
    short = trust.lacking(charter, signers, revoked)
    if short:
        return "it lacks %d of %d signatures of the stewards" % (short, charter.threshold)
    return None


def move_fault(move, enrolment, charter, fleet: bytes, node: bytes, signers, revoked=()) -> "str | None":
    """Why a move does not count for this node, or None.

    `enrolment` is what the node belongs to its fleet by, None where it has none. A move names it, so that whoever kept
    an old one cannot send a node back to where it once was.
    """
    if move.fleet != fleet:
        return "it moves a node out of another fleet than this one"
    if move.node != node:
        return "it moves another node"
    if move.enrolment != (None if enrolment is None else enrolment.digest):
        return "it was signed for another enrolment of this node than the present one"
    if fleet == NOBODY:
        return None  # there is nobody who could sign it; only who has shown the node's label gets so far
    return mover_fault(None if enrolment is None else enrolment.custodian, charter, signers, revoked)


def destination_fault(move, charter, digest: bytes, signers) -> "str | None":
    """Why this charter is not where that move leads, or None."""
    if digest != move.charter:
        return "the move names another charter"
    if (digest[: len(move.to)] if charter.fleet is None else charter.fleet) != move.to:
        return "the move names another fleet than this charter is of"
    return trust.anchor_fault(charter, signers)


def neighbour_fault(neighbour, charter, laptops, fleet: bytes, signers, revoked=()) -> "str | None":
    """Why this fleet does not call the other one its neighbour, or None. `laptops`: public keys that may act now.

    One steward or laptop is enough: neighbours share the public layer, which anybody may read, and nothing else.
    """
    if neighbour.fleet != fleet:
        return "another fleet says so"
    for public in signers:
        if trust.key_id(public) not in revoked and (public in laptops or public in trust.counting(charter)):
            return None
    return "no steward and no laptop of this fleet has signed it"


def key_fault(rekey, charter, laptops, fleet: bytes, signers, revoked=(), begins: bool = False) -> "str | None":
    """Why the key of a group is not taken, or None.

    `begins`: this node has no key of that group yet. Who may let a node in, a laptop that may act, gives it that one. A
    key in place of another leaves somebody out, and that is for stewards.
    """
    if rekey.fleet != fleet:
        return "it is a key of another fleet"
    for public in signers:
        if begins and public in laptops and trust.key_id(public) not in revoked:
            return None
    short = trust.lacking(charter, signers, revoked)
    return "it lacks %d of %d signatures of the stewards" % (short, charter.threshold) if short else None
