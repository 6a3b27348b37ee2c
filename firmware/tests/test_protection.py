"""A session's frames: each is taken once, by its own side only, and whole or not at all."""

try:
    import cryptolib  # noqa: F401
except ImportError:
    import fake_cryptolib

    fake_cryptolib.install()

from harness import raises, vectors
from mutations import Random, change

from hedgenode.crypto import suite0
from hedgenode.rules.replay import WINDOW, ReplayWindow
from hedgewire import protection
from hedgewire.cbor import Damage
from hedgewire.protection import Protection, Resumption

KEYS = bytes(range(32))
SESSION = b"\xa1\xb2\xc3\xd4"


def pair(keys=KEYS, session=SESSION):
    """(host, node)."""
    return (
        Protection(suite0, session, keys, ReplayWindow(), False),
        Protection(suite0, session, keys, ReplayWindow(), True),
    )


def test_vectors():
    for case in vectors("protection")["sealed"]:
        raw = {}
        for name in ("keys", "session", "message", "payload"):
            raw[name] = bytes.fromhex(case[name])
        host, node = pair(raw["keys"], raw["session"])
        one, other = (host, node) if case["from"] == "host" else (node, host)
        one._next = case["counter"]
        assert one.seal(case["kind"], raw["message"]).hex() == case["payload"], case["name"]
        assert other.open(raw["payload"]) == (case["kind"], raw["message"]), case["name"]
    for case in vectors("protection")["resumed"]:
        kept = Resumption(b"", bytes.fromhex(case["secret"]))
        host_nonce, node_nonce = bytes.fromhex(case["host_nonce"]), bytes.fromhex(case["node_nonce"])
        assert kept.proof(suite0, host_nonce).hex() == case["host_proof"]
        keys, proof = kept.keys(suite0, host_nonce, node_nonce, bytes.fromhex(case["session"]))
        assert (keys.hex(), proof.hex()) == (case["keys"], case["node_proof"])


def test_both_ways_and_every_size():
    host, node = pair()
    for size in (0, 1, 15, 16, 17, 200, 3000):
        message = bytes([size & 0xFF]) * size
        payload = host.seal(1, message)
        assert len(payload) == size + protection.ADDED_BYTES
        assert node.open(payload) == (1, message)
        assert host.open(node.seal(2, message)) == (2, message)


def test_the_same_words_never_look_the_same():
    host, node = pair()
    assert host.seal(1, b"same")[8:] != host.seal(1, b"same")[8:]
    assert node.seal(1, b"same")[8:] != pair()[0].seal(1, b"same")[8:]


def test_a_repeated_frame_is_taken_once():
    host, node = pair()
    payload = host.seal(1, b"restart")
    assert node.open(payload) == (1, b"restart")
    for _ in range(3):
        assert node.open(payload) == Damage("seen before", 4)


def test_reordered_frames_are_taken_once_each_within_the_window():
    host, node = pair()
    frames = [host.seal(1, bytes([i])) for i in range(WINDOW + 2)]
    assert node.open(frames[-1]) == (1, bytes([WINDOW + 1]))
    assert node.open(frames[0]) == Damage("seen before", 4)  # too late to know
    for i in range(WINDOW, 1, -1):
        assert node.open(frames[i]) == (1, bytes([i]))
        assert node.open(frames[i]) == Damage("seen before", 4)


def test_a_frame_comes_back_to_its_sender_and_is_not_believed():
    host, node = pair()
    assert host.open(host.seal(1, b"reflected")) == Damage("tag", 8)
    assert node.open(node.seal(2, b"reflected")) == Damage("tag", 8)


def test_one_turned_bit_anywhere_is_refused_and_moves_no_window():
    host, node = pair()
    payload = host.seal(1, b"configure")
    for bit in range(8 * len(payload)):
        changed = bytearray(payload)
        changed[bit >> 3] ^= 1 << (bit & 7)
        assert isinstance(node.open(bytes(changed)), Damage), bit
    assert node.open(payload) == (1, b"configure")


def test_every_cut_and_every_mutation_is_refused():
    host, node = pair()
    payload = host.seal(1, b"configure")
    for size in range(len(payload)):
        assert isinstance(node.open(payload[:size]), Damage), size
    random = Random(7)
    for _ in range(300):
        data = change(random, payload, payload)
        if data != payload:
            assert isinstance(node.open(data), Damage), data.hex()


def test_another_key_and_another_session_are_refused():
    host, node = pair()
    assert pair(keys=bytes(32))[1].open(host.seal(1, b"x")) == Damage("tag", 8)
    assert pair(session=b"\x00\x00\x00\x01")[1].open(host.seal(1, b"x")) == Damage("session", 0)


def test_counters_end_before_they_repeat():
    host, node = pair()
    host._next = protection.MAX_COUNTER
    assert node.open(host.seal(1, b"last")) == (1, b"last")
    raises(ValueError, host.seal, 1, b"one too many")


def test_resumed_keys_are_new_each_time_and_follow_from_all_that_was_said():
    kept = Resumption(b"12345678", bytes(32))
    seen = []
    for host_nonce, node_nonce, session in (
        (b"h" * 16, b"n" * 16, SESSION),
        (b"i" * 16, b"n" * 16, SESSION),
        (b"h" * 16, b"o" * 16, SESSION),
        (b"h" * 16, b"n" * 16, b"\x00\x00\x00\x01"),
    ):
        keys, proof = kept.keys(suite0, host_nonce, node_nonce, session)
        assert len(keys) == 32
        assert len(proof) == protection.PROOF_BYTES
        seen += [keys, proof, kept.proof(suite0, host_nonce)]
    assert len(set(seen)) == 10  # the proof of one host nonce is the same: it says nothing of the node's


def test_proofs_are_compared_whole():
    assert protection.same(b"12345678", b"12345678")
    for other in (b"12345679", b"", b"1234567", b"123456789", b"\x00" * 8):
        assert not protection.same(b"12345678", other), other
