"""EDHOC with lakers, an implementation by others: each side once as the one that begins, with the keys of RFC 9529."""

import secrets

import lakers
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from edhoc_sides import sides
from harness import vectors
from suite2 import Suite2

from hedgenode.crypto.steps import finish

TRACE = next(case for case in vectors("edhoc")["exchanges"] if case["suite"] == 2)
CRED_I, CRED_R = (lakers.Credential(bytes.fromhex(TRACE[name])) for name in ("cred_i", "cred_r"))
SECRET_I, SECRET_R = (bytes.fromhex(TRACE[name]) for name in ("i", "r"))


def with_fresh_ephemerals() -> dict:
    case = dict(TRACE)
    for secret, public in (("x", "g_x"), ("y", "g_y")):
        number = int.from_bytes(secrets.token_bytes(31), "big") + 1
        point = derive_private_key(number, SECP256R1()).public_key().public_numbers()
        case |= {secret: number.to_bytes(32, "big").hex(), public: point.x.to_bytes(32, "big").hex()}
    return case


def test_lakers_answers_what_we_begin():
    ours, _ = sides(with_fresh_ephemerals(), Suite2)
    theirs = lakers.EdhocResponder(SECRET_R, CRED_R)
    theirs.process_message_1(ours.message_1(b"\x37"))
    message_2 = theirs.prepare_message_2(lakers.CredentialTransfer.ByReference)
    message_3 = finish(ours.message_3_steps(message_2))
    theirs.parse_message_3(message_3)
    theirs.verify_message_3(CRED_I)
    assert ours.take_message_4(theirs.prepare_message_4()) is None
    assert ours.peer.hex() == TRACE["kid_r"]
    assert ours.export(0, b"", 16) == bytes(theirs.edhoc_exporter(0, b"", 16))


def test_we_answer_what_lakers_begins():
    _, ours = sides(with_fresh_ephemerals(), Suite2)
    theirs = lakers.EdhocInitiator()
    message_2 = finish(ours.message_2_steps(bytes(theirs.prepare_message_1()), b"\x27"))
    _, id_cred_r, _ = theirs.parse_message_2(message_2)
    theirs.verify_message_2(SECRET_I, CRED_I, lakers.credential_check_or_fetch(id_cred_r, CRED_R))
    message_3, _ = theirs.prepare_message_3(lakers.CredentialTransfer.ByReference)
    theirs.process_message_4(finish(ours.message_4_steps(bytes(message_3))))
    assert ours.peer.hex() == TRACE["kid_i"]
    assert ours.export(1, b"", 32) == bytes(theirs.edhoc_exporter(1, b"", 32))
