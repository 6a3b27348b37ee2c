"""Messages sealed to one key: vectors, who can open them, and what others pay for that they cannot."""

from harness import vectors

try:
    import cryptolib  # noqa: F401
except ImportError:
    import fake_cryptolib

    fake_cryptolib.install()

from hedgenode.crypto import ed25519, sha512, x25519
from hedgenode.crypto import suite_long as suite
from hedgenode.crypto.steps import finish
from hedgewire import bundle, sealed

BODY_BYTES = sealed.ADDED_BYTES + 4


def person(byte):
    """(Ed25519 public, (X25519 secret, X25519 public)) of a seed."""
    return keys_of(bytes((byte,)) * 32)


def keys_of(seed):
    public = ed25519.public_key(seed)
    return public, (sha512.digest(seed)[:32], x25519.from_ed25519(public))


ANA = person(1)
BEN = person(2)


def made(sequence=1):
    return bundle.make(bundle.Eid(974855, 1), bundle.Eid(1040383, 1), b"", sequence, 1000)


def to_ana(held=None, content=b"text"):
    return finish(sealed.seal_steps(suite, ANA[0], ANA[1][1], b"\x05" * 32, held or made(), content))


def opened_by(reader, body, held=None):
    return finish(sealed.open_steps(suite, reader[0], reader[1], held or made(), body))


class Counting:
    """A suite that counts how often it is asked for an agreement."""

    def __init__(self):
        self.agreements = 0
        self.encrypt = suite.encrypt
        self.decrypt = suite.decrypt
        self.hpke_export = suite.hpke_export

    def hpke_receive_steps(self, encapsulated, info, keys):
        self.agreements += 1
        return (yield from suite.hpke_receive_steps(encapsulated, info, keys))


def test_vectors_both_ways():
    for case in vectors("sealed")["messages"]:
        seed, public, ephemeral, primary, content, body = (
            bytes.fromhex(case[key]) for key in ("seed", "public", "ephemeral", "primary", "content", "body")
        )
        reader = keys_of(seed)
        assert reader[0] == public, case["name"]
        held = bundle.read_primary(bundle.cbor.Reader(primary))[0]
        made_again = finish(sealed.seal_steps(suite, public, reader[1][1], ephemeral, held, content))
        assert made_again == body, case["name"]
        assert opened_by(reader, body, held) == content, case["name"]


def test_only_the_recipient_opens_and_nobody_else_pays_an_agreement():
    body = to_ana()
    counting = Counting()
    assert finish(sealed.open_steps(counting, BEN[0], BEN[1], made(), body)) is None
    assert counting.agreements == 0
    assert finish(sealed.open_steps(counting, ANA[0], ANA[1], made(), body)) == b"text"
    assert counting.agreements == 1


def test_a_hint_that_fits_by_force_opens_nothing():
    body = sealed.hint(BEN[0], bundle.primary_block(made())) + to_ana()[4:]
    assert opened_by(BEN, body) is None


def test_no_byte_of_a_body_may_change():
    body = to_ana()
    assert len(body) == BODY_BYTES
    for at in (0, 3, 4, 35, 36, 39, 40, BODY_BYTES - 1):
        wrong = bytearray(body)
        wrong[at] ^= 1
        assert opened_by(ANA, bytes(wrong)) is None, at
    for end in (0, 3, 4, 36, 43, BODY_BYTES - 1):
        assert opened_by(ANA, body[:end]) is None, end


def test_a_body_belongs_to_one_bundle_and_hints_of_two_are_not_alike():
    assert opened_by(ANA, to_ana(), made(2)) is None
    hints = set()
    for number in range(50):
        hints.add(sealed.hint(ANA[0], bundle.primary_block(made(number))))
    assert len(hints) == 50


def test_a_key_of_nobody_is_refused():
    assert finish(sealed.seal_steps(suite, bytes(32), bytes(32), b"\x05" * 32, made(), b"text")) is None
    assert opened_by(ANA, to_ana()[:4] + bytes(32) + bytes(12)) is None
