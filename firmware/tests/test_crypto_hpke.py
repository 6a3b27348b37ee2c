"""HPKE in export mode against RFC 9180, and who finds out which secret."""

from harness import raises, vectors

from hedgenode.crypto import hpke, x25519
from hedgenode.crypto.steps import finish

INFO = b"test"
EPHEMERAL = b"\x05" * 32
SMALL_ORDER = bytes(32)


def pair(byte):
    secret = bytes([byte]) * 32
    return secret, x25519.public_key(secret)


RECIPIENT = pair(1)
SENDER = pair(2)
OTHER = pair(3)


def from_vector(case, name):
    return bytes.fromhex(case[name]), bytes.fromhex(case[name + "_public"])


def test_exporters_and_exports_of_the_rfc_on_both_sides():
    for case in vectors("hpke")["sealed"]:
        recipient = from_vector(case, "recipient")
        sender = from_vector(case, "sender") if "sender" in case else None
        info = bytes.fromhex(case["info"])
        sent = finish(hpke.send_steps(recipient[1], info, bytes.fromhex(case["ephemeral"]), sender))
        assert [part.hex() for part in sent] == [case["encapsulated"], case["exporter"]], case["name"]
        exporter = finish(hpke.receive_steps(sent[0], info, recipient, sender and sender[1]))
        assert exporter.hex() == case["exporter"], case["name"]
        for one in case["exports"]:
            assert hpke.export(exporter, bytes.fromhex(one["context"]), 32).hex() == one["value"], case["name"]


def test_only_who_was_meant_finds_out_the_secret():
    encapsulated, exporter = finish(hpke.send_steps(RECIPIENT[1], INFO, EPHEMERAL, SENDER))
    assert finish(hpke.receive_steps(encapsulated, INFO, RECIPIENT, SENDER[1])) == exporter
    found = [exporter]
    for info, recipient, sender in (
        (INFO, OTHER, SENDER[1]),
        (INFO, RECIPIENT, OTHER[1]),
        (INFO, RECIPIENT, None),
        (b"tesu", RECIPIENT, SENDER[1]),
        (INFO, (RECIPIENT[0], OTHER[1]), SENDER[1]),
    ):
        found.append(finish(hpke.receive_steps(encapsulated, info, recipient, sender)))
    wrong = bytes([encapsulated[0] ^ 1]) + encapsulated[1:]
    found.append(finish(hpke.receive_steps(wrong, INFO, RECIPIENT, SENDER[1])))
    assert None not in found
    assert len(set(found)) == 7


def test_what_cannot_be_a_key_is_refused_and_not_raised():
    for count in (0, 31, 33):
        assert finish(hpke.receive_steps(bytes(count), INFO, RECIPIENT)) is None, count
    assert finish(hpke.receive_steps(SMALL_ORDER, INFO, RECIPIENT)) is None
    assert finish(hpke.receive_steps(OTHER[1], INFO, RECIPIENT, SMALL_ORDER)) is None
    assert finish(hpke.send_steps(SMALL_ORDER, INFO, EPHEMERAL)) is None


def test_exports_differ_by_purpose_and_by_length():
    exporter = bytes(range(32))
    made = [hpke.export(exporter, context, count) for context in (b"", b"a", b"b") for count in (16, 32)]
    assert [len(one) for one in made] == [16, 32] * 3
    assert len({one[:16] for one in made}) == 6
    raises(ValueError, hpke.export, exporter, b"", 8161)


def test_misuse_is_our_own_mistake():
    raises(ValueError, lambda: finish(hpke.send_steps(RECIPIENT[1], INFO, bytes(31))))
    raises(ValueError, lambda: finish(hpke.send_steps(bytes(33), INFO, EPHEMERAL)))


def test_other_tasks_run_in_between():
    assert len([None for _ in hpke.send_steps(RECIPIENT[1], INFO, EPHEMERAL)]) >= 32
