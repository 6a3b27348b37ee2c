"""Which heads of neighbours a node counter-signs, and what it remembers of that. Knows no key, no radio and no file.

What a captured node tells is little and bounded by this: the public keys of at most EIGHT neighbours whose heads it
holds and of at most FOUR that vouched for it, without a time or a place.
"""

from hedgenode.rules import ledger
from hedgenode.rules.ledger_pace import WITNESS_EVERY
from hedgewire.cbor import Damage, decode, encode
from hedgewire.ledger import is_head, is_witness

VERSION = 1
MAX_SEEN = 8  # neighbours whose newest head is kept
MAX_OWN = 4  # counter-signatures of our own heads, the newest
MAX_FORKS = 2

# What to do with a head that a neighbour shows.
IGNORE = "ignore"
ANSWER = "answer"  # with the counter-signature that was made before
CHECK = "check"  # the signature; then `checked` decides


class Seen:
    """The newest head of one neighbour: writer, seq, digest, signature, and our counter-signature or b""."""

    def __init__(self, writer, seq, digest, signature, ours):
        self.writer = writer
        self.seq = seq
        self.digest = digest
        self.signature = signature
        self.ours = ours


class Witnessing:
    """What one node knows of its neighbours' ledgers and they of its own; most recently used last.

    `budget` is a ledger_pace.Budget.
    """

    def __init__(self, budget):
        self._budget = budget
        self.seen = []
        self.own = []  # (seq, digest, witness, signature)
        self.forks = []  # (writer, seq, digest, signature, other digest, other signature)
        self.changed = False  # since to_bytes

    # ---- of neighbours

    def shown(self, writer: bytes, seq: int, digest: bytes, now_s: int) -> str:
        """What to do about a head: IGNORE, ANSWER or CHECK. An older one may be an old frame: it proves nothing."""
        for fork in self.forks:
            if fork[0] == writer:
                return IGNORE
        known = self.of(writer)
        if known is not None:
            stands = ledger.of_head(known.seq, known.digest, seq, digest)
            if stands == ledger.SAME and known.ours:
                return ANSWER
            if stands == ledger.OLDER or (stands == ledger.LATER and seq < known.seq + WITNESS_EVERY):
                return IGNORE
        return CHECK if self._budget.may_check(now_s) else IGNORE

    def checked(self, writer: bytes, seq: int, digest: bytes, signature: bytes) -> bool:
        """A head whose signature is good. Remember it; True where it is to be counter-signed now."""
        known = self.of(writer)
        if known is not None and ledger.of_head(known.seq, known.digest, seq, digest) == ledger.FORK:
            self.forks = self.forks[-(MAX_FORKS - 1) :]
            self.forks.append((writer, seq, known.digest, known.signature, digest, signature))
            self.changed = True
            return False
        if not self._budget.may_sign():
            return False
        if known is not None:
            self.seen.remove(known)
        self.seen = self.seen[-(MAX_SEEN - 1) :]
        self.seen.append(Seen(writer, seq, digest, signature, b""))
        self.changed = True
        return True

    def signed(self, writer: bytes, seq: int, ours: bytes) -> None:
        """Keep our counter-signature: asked again, the node answers without a new one."""
        known = self.of(writer)
        if known is not None and known.seq == seq:
            known.ours = ours
            self.changed = True

    def of(self, writer: bytes) -> "Seen | None":
        for seen in self.seen:
            if seen.writer == writer:
                return seen
        return None

    # ---- of our own heads

    def has(self, seq: int, witness: bytes) -> bool:
        """Whether that witness's counter-signature of that head is here."""
        for known in self.own:
            if known[0] == seq and known[2] == witness:
                return True
        return False

    def vouched(self, seq: int, digest: bytes, witness: bytes, signature: bytes) -> None:
        """A counter-signature of our head is good: keep the newest few, one of each witness."""
        rows = [known for known in self.own if known[2] != witness]
        self.own = rows[-(MAX_OWN - 1) :] + [(seq, digest, witness, signature)]
        self.changed = True

    # ---- over a restart

    def to_bytes(self) -> bytes:
        self.changed = False
        seen = [(one.writer, one.seq, one.digest, one.signature, one.ours) for one in self.seen]
        return encode((VERSION, self.own, seen, self.forks))

    def from_bytes(self, data) -> bool:
        """Take what was kept; False where it is damaged or of another version (then nothing is known)."""
        values = decode(data)
        if isinstance(values, Damage) or not isinstance(values, list) or len(values) != 4 or values[0] != VERSION:
            return False
        _, own, seen, forks = values
        if not (_all(own, is_witness) and _all(seen, _is_seen) and _all(forks, _is_fork)):
            return False
        self.own = [tuple(row) for row in own][-MAX_OWN:]
        self.seen = [Seen(*row) for row in seen][-MAX_SEEN:]
        self.forks = [tuple(row) for row in forks][-MAX_FORKS:]
        return True


def _all(rows, is_right):
    if not isinstance(rows, list):
        return False
    for row in rows:
        if not is_right(row):
            return False
    return True


def _is_seen(row):
    return (
        isinstance(row, list)
        and len(row) == 5
        and is_witness((row[1], row[2], row[0], row[3]))
        and (row[4] == b"" or is_head((row[1], row[2], row[4])))
    )


def _is_fork(row):
    return (
        isinstance(row, list)
        and len(row) == 6
        and is_witness((row[1], row[2], row[0], row[3]))
        and is_head((row[1], row[4], row[5]))
    )
