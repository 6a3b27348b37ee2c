"""A node of nobody: it tells a stranger who it is, takes papers from who holds its label, and answers nothing else."""

try:
    import cryptolib  # noqa: F401
except ImportError:
    import fake_cryptolib

    fake_cryptolib.install()

import council
from council import FIRST, FLEET, public_of, signed
from like_micropython import run

from hedgenode.crypto import suite0
from hedgenode.rules.moving import NOBODY
from hedgenode.rules.replay import ReplayWindow
from hedgenode.rules.roles import CUSTODIAN
from hedgenode.store.ram import RamFiles
from hedgenode.tasks import waiting
from hedgenode.tasks.admin import Admin
from hedgenode.tasks.door import Door
from hedgenode.tasks.journal import Journal
from hedgenode.tasks.moves import LABEL_PATH
from hedgewire import admin, frame, protection
from hedgewire.protection import Protection

SECRET = b"0123456789abcdef"
NODE = public_of("node")
CLAIM = council.move(of=None, to=FIRST, fleet=NOBODY)


class Clock:
    now_s = 0

    def uptime_s(self):
        return self.now_s

    def uptime_ms(self):
        return self.now_s * 1000

    def wall_s(self):
        return 800000000


class Board:
    ID = "RPI_PICO_W"


class Hardware:
    board = Board()

    def versions(self):
        return "1.22.0", 6


class Groups:
    usable = True


class Identity:
    public = NODE


class Layers:
    identity = Identity()
    groups = Groups()


class Trust:
    busy = False
    version = 0


class Waiting:
    """A node of nobody as assembly.py puts it together, over files in RAM."""

    leaves = False
    version = "0.1.0"
    boot = 1

    def __init__(self, secret=SECRET):
        self.files, self.clock, self.hardware = RamFiles(), Clock(), Hardware()
        self.layers, self.trust = Layers(), Trust()
        self.journal = Journal(self.clock)
        self.config = {"id": bytes(8), "short": 0xFFFE, "name": "waiting", "fleet": NOBODY, "charter": 0}
        self.config["protected"] = True
        if secret is not None:
            self.files.contents[LABEL_PATH] = bytearray(secret)
        self.door = Door(lambda: waiting.sessions(self))
        self.admin = self.door.admin = Admin((waiting.WaitingMethods(self, self.door),), self.journal)

    def frame(self, kind, payload):
        answers = []
        run(self.door.handle(kind, payload, lambda kind, payload: answers.append((kind, payload))), 60)
        return answers

    def ask(self, method, params=None):
        """A stranger's question: (code, result)."""
        [(kind, payload)] = self.frame(frame.REQUEST, admin.request(1, method, params or {}))
        assert kind == frame.ANSWER
        answer = admin.parse_answer(payload)
        return answer.code, answer.result


class Holder:
    """Whoever has read a label, or says so."""

    def __init__(self, node, secret=SECRET, public=NODE):
        self.node = node
        self.kept = protection.labelled(suite0, secret, public)

    def enter(self, nonce=b"n" * 16):
        """The role that the node gives, or the code by which it refuses."""
        proof = self.kept.proof(suite0, nonce)
        code, said = self.node.ask("session_resume", {"name": self.kept.name, "nonce": nonce, "proof": proof})
        if code != admin.DONE:
            return -code
        keys, node_proof = self.kept.keys(suite0, nonce, said["nonce"], said["session"])
        assert said["proof"] == node_proof
        self.protection = Protection(suite0, said["session"], keys, ReplayWindow(), False)
        return said["role"]

    def ask(self, method, params=None):
        sealed = self.protection.seal(frame.REQUEST, admin.request(1, method, params or {}))
        [(kind, payload)] = self.node.frame(frame.SEALED, sealed)
        assert kind == frame.SEALED
        answer = admin.parse_answer(self.protection.open(payload)[1])
        return answer.code, answer.result


def test_a_stranger_hears_who_it_is_and_gets_nothing_else():
    node = Waiting()
    code, hello = node.ask("hello")
    assert (code, hello["fleet"], hello["protected"]) == (admin.DONE, NOBODY, True)
    code, sentence = node.ask("document_put", {"data": signed(CLAIM)})
    assert code == admin.NOT_ALLOWED
    assert "label" in sentence
    for method in ("post", "inbox", "configure", "status", "session_open", "session_prove", "put_begin", "dev"):
        assert node.ask(method)[0] == admin.UNKNOWN_METHOD, method
    assert node.ask("move")[0] == admin.NOT_ALLOWED
    assert list(node.files.contents) == [LABEL_PATH]


def test_who_holds_the_label_may_bring_the_papers_and_ask_what_is_lacking():
    node = Waiting()
    holder = Holder(node)
    assert holder.enter() == CUSTODIAN
    assert holder.ask("move") == (admin.DONE, {"to": None, "lacks": None})
    assert holder.ask("document_put", {"data": signed(CLAIM)}) == (admin.DONE, {})
    assert holder.ask("move") == (admin.DONE, {"to": FLEET, "lacks": "the charter that the move names"})
    code, sentence = holder.ask("document_put", {"data": signed(FIRST, "ana")})
    assert code == admin.REFUSED
    assert "lacks 1 of 2" in sentence


def test_the_label_allows_nothing_beside_that():
    node = Waiting()
    holder = Holder(node)
    holder.enter()
    for method in ("configure", "status", "group_put", "put_begin", "dev", "restart"):
        assert holder.ask(method)[0] == admin.UNKNOWN_METHOD, method
    code, sentence = holder.ask("document_put", {"data": signed(FIRST, "ana", "ben")})
    assert (code, sentence) == (admin.REFUSED, "a move has to come first")


def test_another_secret_and_another_nodes_label_open_nothing():
    node = Waiting()
    for secret, public in ((b"0123456789abcdeF", NODE), (SECRET, public_of("other")), (bytes(16), NODE)):
        assert Holder(node, secret, public).enter() == -admin.NOT_FOUND


def test_without_its_secret_or_with_a_damaged_one_it_waits_for_a_cable():
    for secret in (None, b"", b"too short"):
        node = Waiting(secret)
        for guess in (secret or b"", ((secret or b"") + bytes(16))[:16]):
            assert Holder(node, guess).enter() == -admin.NOT_FOUND
        assert node.ask("hello")[0] == admin.DONE


def test_a_label_does_not_grow_old_on_the_shelf():
    node = Waiting()
    assert Holder(node).enter() == CUSTODIAN
    node.clock.now_s = 400 * 24 * 3600
    assert Holder(node).enter() == CUSTODIAN


def test_what_was_heard_of_a_holder_opens_nothing_when_it_is_said_again():
    node = Waiting()
    holder = Holder(node)
    holder.enter()
    sealed = holder.protection.seal(frame.REQUEST, admin.request(1, "document_put", {"data": signed(CLAIM)}))
    assert len(node.frame(frame.SEALED, sealed)) == 1
    assert node.frame(frame.SEALED, sealed) == []
    other = Waiting()  # after a restart the same words belong to no session
    [(kind, _)] = other.frame(frame.SEALED, sealed)
    assert kind == frame.EVENT
    assert [name for name in other.files.contents if name.startswith("/store")] == []
