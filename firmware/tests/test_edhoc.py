"""EDHOC against the traces of RFC 9529, and against everything that somebody on the way could do to a message."""

try:
    import cryptolib  # noqa: F401
except ImportError:
    import fake_cryptolib

    fake_cryptolib.install()

from edhoc_sides import run, sides
from harness import raises, vectors
from mutations import Random, change

from hedgenode.crypto import suite0, x25519
from hedgenode.crypto.steps import finish
from hedgewire import cbor, edhoc
from hedgewire.cbor import Damage

VECTORS = vectors("edhoc")


def traces():
    return VECTORS["exchanges"]


def test_the_exchanges_of_the_traces_byte_for_byte():
    for case in traces():
        initiator, responder = sides(case)
        told = run(case, initiator, responder)
        assert [message.hex() for message in told] == [case["message_%d" % i] for i in (1, 2, 3, 4)], case["name"]
        assert (initiator.peer.hex(), responder.peer.hex()) == (case["kid_r"], case["kid_i"]), case["name"]
        assert initiator.connection.hex() == case["c_r"]
        for wanted in case["exports"]:
            for side in (initiator, responder):
                out = side.export(wanted["label"], bytes.fromhex(wanted["context"]), len(wanted["out"]) // 2)
                assert out.hex() == wanted["out"], (case["name"], wanted["label"])


def test_the_exchange_with_the_board_s_own_agreements():
    [case] = [case for case in traces() if case["suite"] == 0]
    told = run(case, *sides(case, suite0))
    assert [message.hex() for message in told] == [case["message_%d" % i] for i in (1, 2, 3, 4)]


def test_the_key_schedule_that_all_methods_have_in_common():
    for case in VECTORS["schedule"]:
        raw = {}
        for name in case:
            if isinstance(case[name], str) and name != "name":
                raw[name] = bytes.fromhex(case[name])
        assert x25519.shared(raw["x"], raw["g_y"]) == raw["g_xy"]
        heard = cbor.encode(suite0.hash(raw["message_1"]))
        assert edhoc.transcript(suite0, raw["g_y"], heard) == raw["th_2"]
        assert suite0.extract(raw["th_2"], raw["g_xy"]) == raw["prk_2e"]
        count = len(raw["plaintext_2"])
        assert edhoc.derive(suite0, raw["prk_2e"], edhoc.KEYSTREAM_2, raw["th_2"], count) == raw["keystream_2"]
        assert edhoc.transcript(suite0, raw["th_2"], raw["plaintext_2"], raw["cred_r"]) == raw["th_3"]
        prk = raw["prk_2e"]  # signatures change nothing in it
        assert edhoc.derive(suite0, prk, edhoc.K_3, raw["th_3"], 16) == raw["k_3"]
        assert edhoc.derive(suite0, prk, edhoc.IV_3, raw["th_3"], 13) == raw["iv_3"]
        labels = (edhoc.K_3, edhoc.IV_3)
        assert edhoc.seal(suite0, prk, labels, raw["th_3"], raw["plaintext_3"]) == raw["ciphertext_3"]
        assert edhoc.unseal(suite0, prk, labels, raw["th_3"], raw["ciphertext_3"]) == raw["plaintext_3"]
        assert edhoc.transcript(suite0, raw["th_3"], raw["plaintext_3"], raw["cred_i"]) == raw["th_4"]
        labels = (edhoc.K_4, edhoc.IV_4)
        assert edhoc.seal(suite0, prk, labels, raw["th_4"], b"") == raw["ciphertext_4"]
        assert edhoc.derive(suite0, prk, edhoc.PRK_OUT, raw["th_4"], 32) == raw["prk_out"]
        assert edhoc.derive(suite0, raw["prk_out"], edhoc.PRK_EXPORTER, b"", 32) == raw["prk_exporter"]
        for wanted in case["exports"]:
            count = len(wanted["out"]) // 2
            assert edhoc.derive(suite0, raw["prk_exporter"], wanted["label"], b"", count).hex() == wanted["out"]


def test_invalid_messages_of_the_rfc_are_refused():
    [trace] = [case for case in traces() if case["suite"] == 2]
    for case in VECTORS["refused"]:
        data = bytes.fromhex(case["hex"])
        if case["name"].startswith("Error in elliptic curve") and len(data) == 37:
            continue  # points that are none: the curve finds out, see host/tests/crypto/test_edhoc.py
        initiator, responder = sides(trace)
        if case["suite"] == 0:
            [ours] = [case for case in traces() if case["suite"] == 0]
            responder = sides(ours, suite0)[1]
        if case["what"] == "message_1":
            found = finish(responder.message_2_steps(data, b"\x01"))
        else:
            initiator.message_1(bytes.fromhex(trace["c_i"]), trace["more_preferred"])
            found = finish(initiator.message_3_steps(data if case["what"] == "message_2" else sealed(trace, data)))
        assert isinstance(found, Damage), case["name"]


def sealed(trace, plaintext):
    """Message 2 of a responder that says this plaintext."""
    g_y = bytes.fromhex(trace["g_y"])
    heard = cbor.encode(suite0.hash(bytes.fromhex(trace["message_1"])))
    th_2 = edhoc.transcript(suite0, g_y, heard)
    prk_2e = suite0.extract(th_2, bytes.fromhex(trace["g_xy"]))
    stream = edhoc.derive(suite0, prk_2e, edhoc.KEYSTREAM_2, th_2, len(plaintext))
    return cbor.encode(g_y + bytes([a ^ b for a, b in zip(plaintext, stream)]))


def test_one_turned_bit_anywhere_ends_the_exchange():
    case = traces()[-1]
    for number in (1, 2, 3, 4):
        message = bytes.fromhex(case["message_%d" % number])
        for bit in range(8 * len(message)):
            changed = bytearray(message)
            changed[bit >> 3] ^= 1 << (bit & 7)
            initiator, responder = sides(case)
            found = run(case, initiator, responder, (number, bytes(changed)))
            assert isinstance(found, Damage), (number, bit)
            if number < 4:
                assert responder.peer is None, (number, bit)
            if number != 3:
                assert initiator.peer is None, (number, bit)


def test_mutated_messages_are_never_raised_and_never_believed():
    random = Random(9529)
    case = traces()[-1]
    others = [bytes.fromhex(case["message_%d" % number]) for number in (1, 2, 3, 4)]
    for count in range(400):
        number = 1 + count % 4
        data = others[number - 1]
        for _ in range(1 + random.below(3)):
            data = change(random, data, others[random.below(4)])
        if data == others[number - 1]:
            continue
        initiator, responder = sides(case)
        found = run(case, initiator, responder, (number, data))
        assert isinstance(found, Damage), (number, data.hex())


def test_a_stranger_is_told_by_its_name_and_believed_nothing():
    case = traces()[-1]
    initiator, responder = sides(case)
    responder._find = lambda kid: None
    assert run(case, initiator, responder) == Damage("unknown key", 0)
    assert responder.peer is None
    initiator, responder = sides(case)
    initiator._find = lambda kid: None
    assert run(case, initiator, responder) == Damage("unknown key", 0)
    assert initiator.peer is None


def test_who_claims_a_name_without_its_key_is_found_out():
    case = traces()[-1]
    for role in (0, 1):
        pair = sides(case, suite0)
        _, kid, credential = pair[role]._side
        pair[role]._side = (b"\x07" * 32, kid, credential)
        assert run(case, *pair) == Damage("MAC", 0), role
        assert pair[1 - role].peer is None


def test_a_key_with_which_everybody_agrees_on_the_same_is_refused_at_every_place():
    case = traces()[-1]
    zero = bytes(32)
    initiator, responder = sides(case, suite0)
    message = cbor.encode(3) + cbor.encode(0) + cbor.encode(zero) + b"\x00"
    assert finish(responder.message_2_steps(message, b"\x01")) == Damage("ephemeral key", 0)
    initiator.message_1()
    assert finish(initiator.message_3_steps(cbor.encode(zero + b"123456789"))) == Damage("ephemeral key", 0)
    for role in (0, 1):
        pair = sides(case, suite0)
        real = pair[role]._find
        pair[role]._find = lambda kid, real=real: (zero, real(kid)[1])
        assert run(case, *pair) == Damage("static key", 0), role


def test_unknown_data_is_ignored_unless_it_is_critical():
    case = traces()[-1]
    first = bytes.fromhex(case["message_1"])
    for extra, good in (
        (b"\x00", 1),
        (b"\x00\x41\xe9\x00", 1),
        (b"\x05\x40", 1),
        (b"\x25", 0),
        (b"\x40", 0),
        (b"\x60", 0),
    ):
        responder = sides(case)[1]
        found = finish(responder.message_2_steps(first + extra, bytes.fromhex(case["c_r"])))
        assert isinstance(found, Damage) != bool(good), extra


def test_messages_out_of_turn_are_our_own_mistake():
    case = traces()[-1]
    initiator, responder = sides(case)
    raises(ValueError, finish, responder.message_4_steps(b""))
    raises(ValueError, initiator.export, 32768, b"", 16)
    initiator.message_1()
    raises(ValueError, initiator.message_1)
    assert isinstance(finish(initiator.message_3_steps(b"")), Damage)
    raises(ValueError, finish, initiator.message_3_steps(bytes.fromhex(case["message_2"])))
