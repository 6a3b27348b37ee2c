"""X25519 against RFC 7748."""

from harness import raises, vectors

from hedgenode.crypto import x25519
from hedgenode.crypto.steps import finish


def test_shared_secrets_of_the_rfc():
    for case in vectors("x25519")["shared"]:
        made = x25519.shared(bytes.fromhex(case["secret"]), bytes.fromhex(case["public"]))
        assert made.hex() == case["shared"], case["name"]


def test_public_keys_come_from_the_other_curve_and_from_the_ladder_alike():
    base = b"\x09" + bytes(31)
    for case in vectors("x25519")["public_keys"]:
        secret = bytes.fromhex(case["secret"])
        assert x25519.public_key(secret).hex() == case["public"], case["name"]
        assert x25519.shared(secret, base).hex() == case["public"], case["name"]


def test_a_point_of_small_order_makes_no_secret():
    for case in vectors("x25519")["refused"]:
        assert x25519.shared(b"\x07" * 32, bytes.fromhex(case["public"])) is None, case["name"]


def test_a_key_of_another_length_is_our_own_mistake():
    raises(ValueError, x25519.shared, bytes(31), bytes(32))
    raises(ValueError, x25519.shared, bytes(32), bytes(33))
    raises(ValueError, x25519.public_key, bytes(31))


def test_an_agreement_yields_often():
    assert len([None for _ in x25519.shared_steps(bytes(32), b"\x09" + bytes(31))]) == 32


def test_steps_and_short_form_agree():
    assert finish(x25519.shared_steps(bytes(32), b"\x09" + bytes(31))) == x25519.public_key(bytes(32))


def test_a_key_to_sign_becomes_a_key_to_agree():
    for case in vectors("x25519")["from_ed25519"]:
        public = bytes.fromhex(case["ed25519"])
        assert x25519.from_ed25519(public).hex() == case["public"], case["name"]
        assert finish(x25519.from_ed25519_steps(public)).hex() == case["public"], case["name"]
        assert x25519.public_key(bytes.fromhex(case["secret"])).hex() == case["public"], case["name"]


def test_a_key_that_is_none_or_has_no_form_to_agree_is_refused():
    prime = (1 << 255) - 19
    for number in (1, 1 | 1 << 255, prime, prime + 1, (1 << 255) - 1):
        assert x25519.from_ed25519(number.to_bytes(32, "little")) is None, number
    assert x25519.from_ed25519(bytes(31)) is None
    # y = -1 is the point of order two: it has a form, and no agreement with it has a result.
    assert x25519.shared(b"\x07" * 32, x25519.from_ed25519((prime - 1).to_bytes(32, "little"))) is None
