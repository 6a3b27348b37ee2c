"""Knows how a group gets a new key that leaves somebody out: who stays, and the documents that carry it. Carries none.

A seizure, a rotation and a secession end alike: those who stay get a secret that those who go have no part in. The
documents are unsigned; a key in place of another counts once as many stewards have signed as the charter asks for.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from hedgerow.errors import RefusedError, UsageError
from hedgerow.fleet import documents, keys, suite
from hedgerow.fleet.documents import Document
from hedgerow.fleet.groups import Group, Groups
from hedgerow.fleet.roster import Roster
from hedgerow.fleet.standing import Standing
from hedgerow.fleet.suite import finish
from hedgewire import document, rekey
from hedgewire import group as wire

_SIGNED_BYTES = 1 + 34 + 66  # of one signature in an envelope: list, key, signature
_BESIDE_BYTES = 142 + wire.MAX_NAME_BYTES  # envelope and fields beside the rows


@dataclass(frozen=True)
class NewKey:
    """A generation of a group's key that begins: the documents are to be signed, kept and carried, all of them."""

    group: Group
    epoch: int
    members: frozenset[bytes]  # Ed25519 public keys
    documents: tuple[Document, ...]
    rows: int = rekey.MAX_MEMBERS
    """Members of one document."""

    def document_for(self, member: bytes) -> Document:
        """The one with a row for that member; from outside nobody can tell."""
        return self.documents[sorted(self.members).index(member) // self.rows]


def everybody(judged: Standing, roster: Roster, without: Iterable[bytes] = ()) -> frozenset[bytes]:
    """Who holds the key of the fleet: its nodes, and its laptops that may act. `without` are public keys."""
    held = {node.node for node in roster.nodes} | set(judged.laptops)
    return frozenset(one for one in held if keys.key_id(one) not in judged.revoked) - frozenset(without)


def renew(groups: Groups, group: Group, members: Iterable[bytes], *, threshold: int = 1, behind: int = 0) -> NewKey:
    """The next generation of a group's key, or the first one, for these members and nobody else.

    `threshold` signatures are to fit beside the rows. `behind` is an epoch that others may have given away already.
    Raises UsageError where nobody is left. A key that nobody can hold gets no row.
    """
    agreed = {member: keys.agreement_public(member) for member in set(members)}
    staying = sorted(member for member, public in agreed.items() if public is not None)
    if not staying:
        raise UsageError(f"nobody would be left in group {group.name}")
    known = groups.generations.get(group.group)
    epoch = wire.next_generation(max(known.epoch if known else 0, behind))
    if epoch // wire.STEPS > wire.MAX_GENERATION:
        raise RefusedError(f"group {group.name} has had all the keys that it can have; make a new one")
    seed = secrets.token_bytes(wire.SEED_BYTES)
    rows = min(rekey.MAX_MEMBERS, (document.MAX_BYTES - _BESIDE_BYTES - threshold * _SIGNED_BYTES) // rekey.ROW_BYTES)
    made = []
    for at in range(0, len(staying), rows):
        publics = [agreed[member] for member in staying[at : at + rows]]
        ephemeral = secrets.token_bytes(keys.SEED_BYTES)
        steps = rekey.make_steps(suite, groups.fleet, group.group, group.name, epoch, seed, ephemeral, publics)
        fields = finish(steps)
        if fields is None:
            raise UsageError(f"one of the keys of group {group.name}'s members is nobody's")
        made.append(documents.make(rekey.KIND, {key: fields[key] for key in fields if key not in ("kind", "v")}))
    return NewKey(group, epoch, frozenset(staying), tuple(made), rows)
