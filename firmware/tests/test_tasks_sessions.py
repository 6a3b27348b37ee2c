"""The node's side of sessions: who gets in, what is believed then, and each way of being refused."""

try:
    import cryptolib  # noqa: F401
except ImportError:
    import fake_cryptolib

    fake_cryptolib.install()

import asyncio

from harness import raises
from like_micropython import run

from hedgenode.crypto import suite0, x25519
from hedgenode.crypto.steps import finish
from hedgenode.identity import key_id
from hedgenode.rules.replay import ReplayWindow
from hedgenode.rules.roles import LAPTOP, STRANGER
from hedgenode.tasks import sessions, spare_key
from hedgenode.tasks.admin import Admin, Asker, Params, Refusal
from hedgenode.tasks.door import NO_SESSION, Door
from hedgenode.tasks.journal import Journal
from hedgenode.tasks.sessions import Sessions
from hedgenode.tasks.spare_key import SpareKey
from hedgewire import admin, edhoc, frame, protection
from hedgewire.cbor import Damage
from hedgewire.protection import Protection, Resumption


class Key:
    """An Ed25519 key of a test, with its form for agreements. The seeds are any 32 bytes."""

    def __init__(self, byte):
        from hedgenode.crypto import ed25519
        from hedgenode.crypto.sha512 import digest

        seed = bytes([byte]) * 32
        self.public = ed25519.public_key(seed)
        self.id = key_id(self.public)
        self.secret = digest(seed)[:32]
        self.agreement_public = x25519.from_ed25519(self.public)

    def agreement_secret_steps(self):
        yield
        return self.secret

    @property
    def side(self):
        return self.secret, self.id, edhoc.raw_key(self.id, self.agreement_public)


NODE, HOST, OTHER = Key(1), Key(2), Key(3)


class Trust:
    def __init__(self):
        self.roles = {HOST.public: LAPTOP}

    def keys(self):
        return list(self.roles)

    def role(self, public):
        return self.roles.get(public, STRANGER)

    def key_with_id(self, kid):
        for key in self.roles:
            if key_id(key) == kid:
                return key
        return None


class Clock:
    now_s = 100

    def uptime_s(self):
        return self.now_s

    def uptime_ms(self):
        return self.now_s * 1000

    def wall_s(self):
        return 800000000


class Methods:
    def __init__(self):
        self.calls = []
        self.methods = {"status": self.status, "hello": self.status, "follow": self.follow}

    async def status(self, params, rows):
        self.calls.append(rows.asker.role)
        return {"samples": 5}

    async def follow(self, params, rows):
        self.later = rows.asker
        return {}


class Node:
    """Door, sessions and a few methods, as app.py puts them together."""

    def __init__(self, key=NODE):
        self.trust, self.clock, self.methods = Trust(), Clock(), Methods()
        self.parts = []
        journal = Journal(self.clock)
        self.spare = SpareKey(self, lambda: key)
        self.sessions = Sessions(self.trust, self.clock, journal, lambda: key, self.spare)
        self.door = Door(lambda: self.sessions)
        self.door.admin = Admin((self.methods, self.door), journal)

    def frame(self, kind, payload):
        """What comes back, as (kind, payload)."""
        answers = []
        run(self.door.handle(kind, payload, lambda kind, payload: answers.append((kind, payload))), 60)
        return answers

    def ask(self, method, params=None):
        """A guest's question; (code, result)."""
        answers = self.frame(frame.REQUEST, admin.request(1, method, params or {}))
        for kind, payload in answers:
            assert kind == frame.ANSWER
            answer = admin.parse_answer(payload)
            self.parts.append(answer.result if answer.code == admin.PART else None)
        return answer.code, answer.result


class Host:
    """A host's side, with the board's own primitives."""

    def __init__(self, node, key=HOST, knows=NODE):
        self.node = node
        self._key = key
        self._knows = knows
        self.protection = None
        self.kept = None

    def begin(self):
        ephemeral = b"\x09" * 32
        known = (self._knows.agreement_public, edhoc.raw_key(self._knows.id, self._knows.agreement_public))
        self.exchange = edhoc.Initiator(
            suite0, self._key.side, (ephemeral, x25519.public_key(ephemeral)), {self._knows.id: known}.get
        )
        return self.exchange.message_1()

    def agree(self):
        code, said = self.node.ask("session_open", {"message": self.begin()})
        assert code == admin.DONE, said
        message_3 = finish(self.exchange.message_3_steps(said["message"]))
        if isinstance(message_3, Damage):
            return message_3
        code, said = self.node.ask("session_prove", {"message": message_3})
        if code != admin.DONE:
            return code, said
        assert self.exchange.take_message_4(said["message"]) is None
        keys, self.kept = protection.agreed(self.exchange)
        self.protection = Protection(suite0, self.exchange.connection, keys, ReplayWindow(), False)
        return said["role"]

    def resume(self, kept=None, nonce=b"n" * 16, proof=None):
        kept = kept or self.kept
        proof = kept.proof(suite0, nonce) if proof is None else proof
        code, said = self.node.ask("session_resume", {"name": kept.name, "nonce": nonce, "proof": proof})
        if code != admin.DONE:
            return code
        keys, node_proof = kept.keys(suite0, nonce, said["nonce"], said["session"])
        assert said["proof"] == node_proof
        self.protection = Protection(suite0, said["session"], keys, ReplayWindow(), False)
        return said["role"]

    def sealed(self, method="status"):
        return self.protection.seal(frame.REQUEST, admin.request(7, method, {}))

    def open(self, answers):
        """(code, result) of the one sealed answer."""
        [(kind, payload)] = answers
        assert kind == frame.SEALED
        kind, message = self.protection.open(payload)
        assert kind == frame.ANSWER
        answer = admin.parse_answer(message)
        return answer.code, answer.result

    def ask(self, method="status"):
        return self.open(self.node.frame(frame.SEALED, self.sealed(method)))


def agreed():
    node = Node()
    host = Host(node)
    assert host.agree() == LAPTOP
    return node, host


def test_a_guest_gets_what_is_for_everybody_and_nothing_else():
    node = Node()
    assert node.ask("hello") == (admin.DONE, {"samples": 5})
    code, sentence = node.ask("status")
    assert code == admin.NOT_ALLOWED
    assert "status" in sentence
    assert node.methods.calls == [STRANGER]


def test_a_node_that_was_told_of_nobody_is_open_to_whoever_has_its_cable():
    node = Node()
    node.door = Door(None)
    node.door.admin = Admin((node.methods, node.door), Journal(node.clock))
    assert node.ask("status") == (admin.DONE, {"samples": 5})
    assert node.ask("session_open", {"message": b""})[0] == admin.UNKNOWN_METHOD
    assert node.frame(frame.SEALED, bytes(40)) == []


def test_a_host_hears_that_the_node_is_still_at_it():
    node, host = agreed()
    empty = [part for part in node.parts if part is not None]
    assert len(empty) > 8
    assert set(map(len, empty)) == {0}


def test_a_session_carries_a_question_and_its_answer():
    node, host = agreed()
    for _ in range(3):
        assert host.ask() == (admin.DONE, {"samples": 5})
    assert node.methods.calls == [LAPTOP] * 3


def test_a_key_made_ahead_serves_one_session_and_is_what_the_host_agrees_on():
    node = Node()
    idle(node)
    made, likely = node.spare.ephemeral, list(node.spare.known)
    assert made is not None
    assert likely == [HOST.public]
    host = Host(node)
    assert host.agree() == LAPTOP
    assert host.exchange.peer == NODE.id
    assert node.spare.ephemeral is None
    idle(node)
    assert node.spare.ephemeral not in (None, made)
    assert host.ask() == (admin.DONE, {"samples": 5})


def test_a_key_worked_out_ahead_opens_nothing_once_it_is_revoked():
    node = Node()
    idle(node)
    node.trust.roles.pop(HOST.public)
    code, said = Host(node).agree()
    assert code == admin.NOT_ALLOWED
    assert "no such key" in said


def idle(node):
    """Let the node work ahead until it has nothing left to do."""

    async def for_a_while():
        task = asyncio.create_task(node.spare.run(lambda within_ms: None))
        while len(node.spare.known) < len(node.trust.roles):
            await asyncio.sleep(0)
        task.cancel()

    usual_s, spare_key.AFTER_S = spare_key.AFTER_S, 0
    try:
        run(for_a_while(), 60)
    finally:
        spare_key.AFTER_S = usual_s


def test_a_replayed_request_is_done_once():
    node, host = agreed()
    frames = [host.sealed() for _ in range(3)]
    for payload in frames + frames + [frames[0]]:
        node.frame(frame.SEALED, payload)
    assert len(node.methods.calls) == 3
    assert node.sessions.refused == 4


def test_reordered_requests_are_each_done_once():
    node, host = agreed()
    frames = [host.sealed() for _ in range(5)]
    for payload in reversed(frames):
        assert len(node.frame(frame.SEALED, payload)) == 1
    for payload in frames:
        assert node.frame(frame.SEALED, payload) == []


def test_what_is_cut_short_or_changed_by_one_bit_is_not_even_answered():
    node, host = agreed()
    payload = host.sealed()
    for size in range(len(payload)):
        for kind, _ in node.frame(frame.SEALED, payload[:size]):
            assert kind == frame.EVENT
    for bit in range(32, 8 * len(payload)):  # the first four bytes name the session
        changed = bytearray(payload)
        changed[bit >> 3] ^= 1 << (bit & 7)
        assert node.frame(frame.SEALED, bytes(changed)) == [], bit
    assert node.methods.calls == []
    assert len(node.frame(frame.SEALED, payload)) == 1


def test_a_session_that_the_node_does_not_have_is_told_so():
    node, host = agreed()
    payload = host.sealed()
    other = Node()  # the same node after a power cut: its sessions are gone with its RAM
    [(kind, said)] = other.frame(frame.SEALED, payload)
    assert kind == frame.EVENT
    event = admin.parse_event(said)
    assert (event.topic, event.fields) == (NO_SESSION, payload[:4])
    assert other.methods.calls == []


def test_after_a_power_cut_old_counters_are_worth_nothing():
    node, host = agreed()
    recorded = [host.sealed("status") for _ in range(4)]
    node.sessions = None
    after = Node()
    again = Host(after)
    assert again.agree() == LAPTOP
    for payload in recorded:
        renamed = again.protection.session + payload[4:]  # an attacker gives them the new session's name
        assert after.frame(frame.SEALED, renamed) == []
    assert after.methods.calls == []
    assert again.ask() == (admin.DONE, {"samples": 5})


def test_a_key_that_the_node_was_never_told_of_is_refused():
    node = Node()
    code, sentence = Host(node, key=OTHER).agree()
    assert code == admin.NOT_ALLOWED
    assert "knows no such key" in sentence
    assert node.sessions._sessions == []


def test_a_key_of_another_fleet_is_a_key_that_the_node_was_never_told_of():
    node = Node()
    node.trust.roles = {OTHER.public: LAPTOP}
    assert Host(node).agree()[0] == admin.NOT_ALLOWED
    assert Host(node, key=OTHER).agree() == LAPTOP


def test_who_names_a_trusted_key_without_holding_it_is_refused():
    node = Node()
    thief = Host(node, key=OTHER)
    thief._key = Key(3)
    thief._key.id = HOST.id
    thief._key.agreement_public = HOST.agreement_public
    code, sentence = thief.agree()
    assert code == admin.NOT_ALLOWED
    assert "does not hold the key" in sentence


def test_a_board_that_does_not_hold_the_node_s_key_is_found_out_by_the_host():
    copy = Node(key=OTHER)
    copy.sessions._load_identity().id = NODE.id
    try:
        assert Host(copy).agree() == Damage("MAC", 0)
    finally:
        OTHER.id = key_id(OTHER.public)


def test_the_first_message_of_nobody_is_refused():
    node = Node()
    for message in (b"", b"\xff", b"\x03\x00\x58\x20" + bytes(32) + b"\x00", bytes(40)):
        assert node.ask("session_open", {"message": message})[0] == admin.REFUSED, message
    assert node.ask("session_open", {"message": 5})[0] == admin.BAD_PARAMS


def test_a_proof_without_a_beginning_or_too_late_is_refused():
    node = Node()
    host = Host(node)
    assert node.ask("session_prove", {"message": bytes(20)})[0] == admin.REFUSED
    said = node.ask("session_open", {"message": host.begin()})[1]
    message_3 = finish(host.exchange.message_3_steps(said["message"]))
    node.clock.now_s += sessions.EXCHANGE_S + 1
    assert node.ask("session_prove", {"message": message_3})[0] == admin.REFUSED


def test_a_proof_serves_once():
    node = Node()
    host = Host(node)
    said = node.ask("session_open", {"message": host.begin()})[1]
    message_3 = finish(host.exchange.message_3_steps(said["message"]))
    assert node.ask("session_prove", {"message": message_3})[0] == admin.DONE
    assert node.ask("session_prove", {"message": message_3})[0] == admin.REFUSED
    said = node.ask("session_open", {"message": host.begin()})[1]  # a new exchange has another ephemeral key
    assert node.ask("session_prove", {"message": message_3})[0] == admin.NOT_ALLOWED


def test_two_hosts_may_agree_at_the_same_time():
    node = Node()
    by_cable, by_air = Host(node), Host(node)
    said = [node.ask("session_open", {"message": host.begin()})[1]["message"] for host in (by_cable, by_air)]
    for host, message_2 in zip((by_cable, by_air), said):
        message_3 = finish(host.exchange.message_3_steps(message_2))
        code, found = node.ask("session_prove", {"message": message_3, "session": host.exchange.connection})
        assert code == admin.DONE, found
        assert host.exchange.take_message_4(found["message"]) is None


def test_a_proof_for_a_session_that_was_not_begun_is_refused():
    node = Node()
    host = Host(node)
    said = node.ask("session_open", {"message": host.begin()})[1]
    message_3 = finish(host.exchange.message_3_steps(said["message"]))
    assert node.ask("session_prove", {"message": message_3, "session": bytes(4)})[0] == admin.REFUSED
    named = {"message": message_3, "session": host.exchange.connection}
    assert node.ask("session_prove", named)[0] == admin.DONE


def test_a_node_without_a_key_has_no_sessions():
    node = Node(key=None)
    assert node.ask("session_open", {"message": b""})[0] == admin.REFUSED


def test_a_resumed_session_works_and_has_other_keys():
    node, host = agreed()
    first = host.sealed()
    assert host.resume() == LAPTOP
    assert host.ask() == (admin.DONE, {"samples": 5})
    renamed = host.protection.session + first[4:]
    assert node.frame(frame.SEALED, renamed) == []


def test_a_resumption_needs_the_secret_and_not_only_its_name():
    node, host = agreed()
    assert host.resume(proof=bytes(8)) == admin.NOT_FOUND
    assert host.resume(kept=Resumption(host.kept.name, bytes(32))) == admin.NOT_FOUND
    assert host.resume(kept=Resumption(bytes(8), host.kept.secret)) == admin.NOT_FOUND
    proof = bytearray(host.kept.proof(suite0, b"n" * 16))
    proof[7] ^= 1
    assert host.resume(proof=bytes(proof)) == admin.NOT_FOUND


def test_a_replayed_resumption_ends_nobody_s_session():
    node, host = agreed()
    nonce = b"n" * 16
    recorded = {"name": host.kept.name, "nonce": nonce, "proof": host.kept.proof(suite0, nonce)}
    assert host.resume(nonce=nonce) == LAPTOP
    assert host.ask()[0] == admin.DONE
    for _ in range(3 * sessions.MAX_SESSIONS):
        assert node.ask("session_resume", recorded)[0] == admin.DONE  # and nobody can speak in it
    assert host.ask()[0] == admin.DONE


def test_a_day_later_nothing_is_kept():
    node, host = agreed()
    node.clock.now_s += sessions.DAY_S - 1
    assert host.ask()[0] == admin.DONE
    node.clock.now_s += 1
    [(kind, _)] = node.frame(frame.SEALED, host.sealed())
    assert kind == frame.EVENT
    assert host.resume() == admin.NOT_FOUND


def test_a_resumed_session_lives_no_longer_than_its_agreement():
    node, host = agreed()
    node.clock.now_s += sessions.DAY_S - 10
    assert host.resume() == LAPTOP
    node.clock.now_s += 10
    assert [kind for kind, _ in node.frame(frame.SEALED, host.sealed())] == [frame.EVENT]


def test_a_revoked_key_is_a_stranger_s_from_the_next_request_on():
    node, host = agreed()
    node.trust.roles = {}
    code, _ = host.ask()
    assert code == admin.NOT_ALLOWED
    assert host.resume() == admin.NOT_ALLOWED
    assert node.methods.calls == []


def test_sessions_are_few_and_strangers_displace_none():
    node, host = agreed()
    for _ in range(sessions.STRANGERS):
        assert node.ask("session_open", {"message": host.begin()})[0] == admin.DONE
    assert node.ask("session_open", {"message": host.begin()})[0] == admin.BUSY
    assert host.ask()[0] == admin.DONE
    node.clock.now_s += sessions.PAUSE_S
    hosts = [Host(node) for _ in range(sessions.MAX_SESSIONS)]
    for one in hosts:
        assert one.agree() == LAPTOP
    assert [kind for kind, _ in node.frame(frame.SEALED, host.sealed())] == [frame.EVENT]  # the one heard longest ago
    for one in hosts:
        assert one.ask()[0] == admin.DONE
    assert len(node.sessions._kept) == sessions.MAX_KEPT


def test_events_go_to_the_one_that_asked_for_them_and_are_sealed():
    node, host = agreed()
    told = []
    door = node.door
    run(door.handle(frame.SEALED, host.sealed("follow"), lambda kind, payload: told.append((kind, payload))))
    host.open(told[:1])
    node.methods.later.tell(admin.event("log", [1]))
    kind, message = host.protection.open(told[1][1])
    assert (told[1][0], kind) == (frame.SEALED, frame.EVENT)
    assert admin.parse_event(message).fields == [1]


def test_a_sealed_answer_sent_to_the_node_is_no_request():
    node, host = agreed()
    assert node.frame(frame.SEALED, host.protection.seal(frame.ANSWER, admin.request(1, "status", {}))) == []
    assert node.methods.calls == []


def test_parameters_are_checked():
    node = Node()
    for params in ({}, {"name": bytes(8)}, {"name": bytes(8), "nonce": bytes(15), "proof": bytes(8)}):
        assert node.ask("session_resume", params)[0] == admin.BAD_PARAMS, params
    raises(Refusal, lambda: Params({}).data("message"))


def test_the_long_mathematics_gives_its_memory_back():
    import sys

    agreed()
    if sys.implementation.name != "micropython":
        return  # elsewhere there is room
    for name in ("ed25519", "x25519", "field25519", "sha512"):
        assert "hedgenode.crypto." + name not in sys.modules, name
    assert "hedgewire.edhoc" not in sys.modules
    assert Asker(STRANGER, None).role == STRANGER
