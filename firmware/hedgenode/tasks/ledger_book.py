"""The node's ledger, opened for a moment: entries, heads, what neighbours vouched for. Opened seldom, see ledger.py.

Decides nothing: rules/ledger.py says what is noted and rules/witness.py which heads are vouched for. Nothing waits in
here; signatures are made and checked outside, while this code is out of memory.
"""

from hedgenode.rules import ledger as rules
from hedgenode.rules import witness as witnesses
from hedgenode.rules.ledger_pace import Budget
from hedgenode.store.counters import read_whole, write_atomic
from hedgenode.store.ledger import LedgerStore
from hedgewire import ledger

FOLDER = "/store/ledger"
NEIGHBOURS_PATH = "/store/ledger/neighbours"


class Book:
    """Close it. `writer` is the node's public key, `used` what a ledger_pace.Budget has used."""

    def __init__(self, files, writer: bytes, used: list):
        self._files = files
        self._writer = writer
        self.store = LedgerStore(files, FOLDER, writer)
        self.neighbours = witnesses.Witnessing(Budget(used))
        self.damaged = self.store.damaged
        kept = read_whole(files, NEIGHBOURS_PATH)
        if kept is not None and not self.neighbours.from_bytes(kept):
            self.damaged += 1

    def close(self) -> None:
        self.store.close()

    def note(self, kind: str, fields: dict) -> bool:
        """Add an entry; False where the same stands there already. OSError when flash refuses."""
        if not rules.worth_noting(kind, fields, *self.store.last):
            return False
        self.store.append(kind, fields)
        return True

    def to_note_at_start(self, facts: dict) -> list:
        return rules.at_start(self.store.said, facts)

    def to_note_of_a_restart(self, boot: int) -> list:
        return rules.restarted(self.store.said, boot)

    def to_sign(self) -> "tuple | None":
        """(seq, digest, statement) of the newest entry, or None where it is signed."""
        store = self.store
        if not store.unsigned:
            return None
        return store.seq, store.digest, ledger.head_statement(store.seq, store.digest)

    def keep_head(self, seq: int, digest: bytes, signature: bytes) -> None:
        self.store.keep_head(seq, digest, signature)

    def keep_kept(self, seq: int, digest: bytes) -> bool:
        """A host holds all up to our signed head; False where it is another."""
        head = self.store.head
        if head is None or (seq, digest) != (head[0], head[1]):
            return False
        self.store.keep_kept(seq)
        return True

    def entries(self, after_seq: int, limit: int) -> list:
        """[(seq, bytes)], oldest first."""
        found = []
        for data in self.store.read(after_seq, limit):
            entry = ledger.decode_entry(data)
            if not isinstance(entry, ledger.Damage):  # the store gives nothing else
                found.append((entry.seq, data))
        return found

    def facts(self) -> dict:
        """How the ledger stands, as `ledger_head` answers."""
        store, known = self.store, self.neighbours
        return {
            "writer": self._writer,
            "seq": store.seq,
            "digest": store.digest,
            "first": store.first_seq,
            "kept": store.kept_seq,
            "head": store.head,
            "witnesses": known.own,
            "seen": [[one.writer, one.seq, one.digest, one.signature, one.ours] for one in known.seen],
            "forks": known.forks,
        }

    # ---- of neighbours; `said` is a link.Head or a link.Witness

    def on_head(self, said, now_s: int) -> tuple:
        """(our counter-signature or None, statement to check or None) for a head that a neighbour shows."""
        if said.writer == self._writer:
            return None, None
        what = self.neighbours.shown(said.writer, said.seq, said.digest, now_s)
        known = self.neighbours.of(said.writer)
        if known is not None and what == witnesses.ANSWER:
            return known.ours, None
        return None, ledger.head_statement(said.seq, said.digest) if what == witnesses.CHECK else None

    def on_good_head(self, said) -> "bytes | None":
        """Its signature is right: remember it. The statement that is to be counter-signed, if it is."""
        wanted = self.neighbours.checked(said.writer, said.seq, said.digest, said.signature)
        self._keep()
        return ledger.witness_statement(said.writer, said.seq, said.digest) if wanted else None

    def on_vouched(self, said, ours: bytes) -> None:
        """Our counter-signature: kept before it is shown, so that no second one is ever made beside it."""
        self.neighbours.signed(said.writer, said.seq, ours)
        self._keep()

    def on_witness(self, said, budget, now_s: int) -> "bytes | None":
        """The statement that is to be checked for a counter-signature of our present head; None: it is of no use."""
        head = self.store.head
        if head is None or (said.seq, said.digest) != (head[0], head[1]) or said.witness == self._writer:
            return None
        if self.neighbours.has(said.seq, said.witness) or not budget.may_check(now_s):
            return None
        return ledger.witness_statement(self._writer, said.seq, said.digest)

    def on_good_witness(self, said) -> None:
        self.neighbours.vouched(said.seq, said.digest, said.witness, said.signature)
        self._keep()

    def _keep(self):
        if self.neighbours.changed:
            write_atomic(self._files, NEIGHBOURS_PATH, self.neighbours.to_bytes())
