"""A node's move to another fleet: what has come for it, whether all of it is there, and the one step that it is.

In a folder of its own lie the move and the documents of the fleet where it leads, checked as they come; the node stays
what it is. What fleet it is of, its configuration says, so rewriting that file, which is atomic, is the move. Before
that the node is wholly in the old fleet; after it, `finish_steps` comes first at every start until nothing is left to
do, so that whoever asks finds it wholly in the new one. What it holds (messages, samples, ledger) lies elsewhere.
"""

import hashlib

from hedgenode.rules import moving as rules
from hedgenode.rules import trust as trust_rules
from hedgenode.store.counters import read_whole, write_atomic
from hedgenode.store.trust import TrustStore
from hedgenode.store.trust_table import ENDING, TABLE, path_of
from hedgewire import document, rekey, trust
from hedgewire.cbor import Damage

_OF_DESTINATION = (rekey.KIND, trust.CHARTER, trust.LAPTOP, trust.REVOCATION, trust.ENROLMENT)
_MOVE = "move"
_KEY = "key"


class Moving:
    """`folder` is for the move, `present` where the documents of the node's own `fleet` lie; `public` is its key.

    `move` is the one that has come, a Statement, or None. `opens_steps(rekey)` is a generator that gives the seed which
    that document has for this node, or None; `needs_key` says whether the node can keep keys of groups. One task.
    """

    def __init__(self, files, folder, present, fleet, public, opens_steps, needs_key=True, verify_steps=None):
        self._files = files
        self._folder = folder
        self._present = present
        self._fleet = fleet
        self._public = public
        self._opens_steps = opens_steps
        self._needs_key = needs_key
        self._verify_steps = verify_steps
        self.move = _statement(files, folder + "/" + _MOVE, trust.MOVE)
        self.former = _statement(files, path_of(present, trust.ENROLMENT, b""), trust.ENROLMENT)
        if self.move is not None and not self._is_for_us(self.move):
            self.forget()

    def is_about(self, found) -> bool:
        """Whether that document concerns a move, and not the fleet that the node is in."""
        if found.kind == trust.MOVE:
            return True
        if self.move is None or found.kind not in _OF_DESTINATION:
            return False
        if found.kind == trust.CHARTER and found.fields.get("fleet") is None:
            return _digest(found.body) == self.move.charter
        return found.fields.get("fleet") == self.move.to

    def put_steps(self, data: bytes):
        """Take in a document that concerns a move, if it verifies; return None, or the sentence that refuses it.

        A generator (crypto.steps). OSError when flash refuses.
        """
        found = document.decode(data) if len(data) <= document.MAX_BYTES else Damage("it is too long", 0)
        if isinstance(found, Damage):
            return "this is no document: %s" % found.reason
        if found.kind == trust.MOVE:
            refusal = yield from self._put_move_steps(found, data)
            return refusal
        if self.move is None:
            return "no move is under way here"
        if found.kind == rekey.KIND:
            refusal = yield from self._put_key_steps(found, data)
            return refusal
        refusal = yield from self._destination().put_steps(data)
        return refusal

    def lacks(self) -> "str | None":
        """What is missing before the node can go, in words; None where nothing is."""
        if self.move is None:
            return "a move"
        there = self._destination()
        if not there.charters:
            return "the charter that the move names"
        if there.enrolment is None:
            return "an enrolment of this node" if there.certificates else "the certificate of a laptop"
        if self._needs_key and _key_in(self._files, self._folder + "/" + _KEY) is None:
            return "the key of the fleet"
        return None

    def config(self, present: dict) -> dict:
        """The configuration that makes it a node of the other fleet. Nothing may be lacking."""
        there = self._destination()
        move, mine = self.move, there.enrolment
        assert move is not None and mine is not None  # noqa: PT018 - or something is lacking
        wanted = dict(present)
        wanted["fleet"] = move.to
        wanted["short"] = mine.short
        wanted["name"] = mine.name
        wanted["charter"] = there.version
        wanted["custodian"] = None if mine.custodian is None else trust_rules.key_id(mine.custodian)
        return wanted

    def forget(self) -> None:
        """Let go of all that has come for a move."""
        for name in _left(self._files, self._folder):
            self._files.remove(self._folder + "/" + name)
        self.move = None

    # ---- what comes in

    def _put_move_steps(self, found, data):
        said = trust.read(found.fields, trust.MOVE, _digest(found.body))
        if isinstance(said, Damage):
            return "the document makes no sense: %s" % said.reason
        if self.move is not None and said.digest == self.move.digest:
            return None
        if self._fleet == rules.NOBODY:
            refusal = rules.move_fault(said, None, None, self._fleet, self._public, ())
        else:
            refusal = yield from self._home_fault_steps(found, said)
        if refusal is not None:
            return refusal
        self.forget()  # whoever may move the node may think again
        write_atomic(self._files, self._folder + "/" + _MOVE, data)
        self.move = said
        return None

    def _home_fault_steps(self, found, said):
        home = TrustStore(self._files, self._present, self._fleet, self._public, self._verify_steps)
        if not home.charters:
            return "this node knows no charter of its fleet yet; that comes first"

        def fault(signers):
            return rules.move_fault(
                said, home.enrolment, home.charters[-1], self._fleet, self._public, signers, home.revoked
            )

        household = None if home.enrolment is None else home.enrolment.custodian
        who = trust_rules.counting(home.charters[-1]) if household is None else {household}
        refusal = yield from signed_steps(found, who, fault, self._verify_steps)
        return refusal

    def _put_key_steps(self, found, data):
        to = self._bound_for()
        given = rekey.parse(found.fields)
        if isinstance(given, Damage):
            return "the document makes no sense: %s" % given.reason
        if given.group != given.fleet:
            return "a node comes with the key of the fleet, and gets those of groups there"
        there = self._destination()
        if not there.charters:
            return "the charter that the move names has to come first"
        known = _key_in(self._files, self._folder + "/" + _KEY)
        if known is not None and known[1] == _digest(found.body):
            return None
        charter = there.charters[-1]
        laptops = {one.laptop for one in there.certificates.values()}

        def fault(signers):
            return rules.key_fault(given, charter, laptops, to, signers, there.revoked, True)

        who = laptops | trust_rules.counting(charter)
        refusal = yield from signed_steps(found, who, fault, self._verify_steps)
        if refusal is not None:
            return refusal
        seed = yield from self._opens_steps(given)
        if seed is None:
            return "this key is for others and not for this node"
        write_atomic(self._files, self._folder + "/" + _KEY, data)
        return None

    # ---- where it leads

    def _bound_for(self):
        assert self.move is not None  # whoever asks has looked
        return self.move.to

    def _destination(self):
        move = self.move

        def begins(charter, signers):
            return rules.destination_fault(move, charter, charter.digest, signers)

        return TrustStore(
            self._files,
            self._folder,
            self._bound_for(),
            self._public,
            self._verify_steps,
            begins=begins,
            former=self.former,
        )

    def _is_for_us(self, move):
        return move.fleet == self._fleet and move.enrolment == (None if self.former is None else self.former.digest)


def signed_steps(found, who, fault, verify_steps=None):
    """None once enough of `who`, the keys that the rule may count, have signed; else why not. A generator.

    `fault(signers)` is the rule. No more signatures are checked than it asks for.
    """
    claimed = {signer for signer, _ in found.signatures if signer in who}
    refusal = fault(claimed)
    if refusal is not None:
        return refusal
    if verify_steps is None:
        from hedgenode.crypto.ed25519 import verify_steps  # large, and seldom needed
    verified = set()
    for signer, signature in found.signatures:
        if signer not in claimed:
            continue
        good = yield from verify_steps(signer, found.body, signature)
        if good:
            verified.add(signer)
            if fault(verified) is None:
                return None
    return "a signature is wrong, and without it %s" % fault(verified)


def finish_steps(files, folder: str, present: str, fleet: bytes, take_key_steps, also_goes=()):
    """Do what is left of a move that the configuration says was made; return the fleet that was left, or None.

    A generator. `fleet` is that of the configuration. `take_key_steps(Rekey, digest)` takes the new key in and lets all
    old ones go; it may be asked twice, and not at all where no key came. `also_goes` are paths of files that only the
    old fleet had a use for. Power may go at any time: call this at every start, before anything else looks at these
    folders. A move that was not made is left as it is.
    """
    move = _statement(files, folder + "/" + _MOVE, trust.MOVE)
    if move is None or move.to != fleet:
        return None
    key = _key_in(files, folder + "/" + _KEY)
    if key is not None:
        yield from take_key_steps(*key)
    for path in (present + "/" + TABLE,) + tuple(also_goes):  # the table first, as whenever a document changes
        if read_whole(files, path) is not None:
            files.remove(path)
    for name in _left(files, folder):
        if name.endswith(ENDING):
            files.rename(folder + "/" + name, present + "/" + name)
        else:
            files.remove(folder + "/" + name)
    return move.fleet


def _left(files, folder):
    """Names of what lies there, the move last: it says what the rest is for."""
    return sorted(_names(files, folder), key=lambda name: (name == _MOVE, name))


def _names(files, folder):
    try:
        return list(files.listdir(folder))
    except OSError:
        return []


def _statement(files, path, kind):
    found = document.decode(read_whole(files, path) or b"")
    if isinstance(found, Damage):
        return None
    said = trust.read(found.fields, kind, _digest(found.body))
    return None if isinstance(said, Damage) else said


def _key_in(files, path):
    found = document.decode(read_whole(files, path) or b"")
    if isinstance(found, Damage):
        return None
    given = rekey.parse(found.fields)
    return None if isinstance(given, Damage) else (given, _digest(found.body))


def _digest(body):
    return hashlib.sha256(body).digest()
