"""Group messages: vectors, who can read what, and what an epoch that is over takes with it."""

from harness import raises, vectors

try:
    import cryptolib  # noqa: F401
except ImportError:
    import fake_cryptolib

    fake_cryptolib.install()

from hedgenode.crypto import suite
from hedgewire import bundle, group, message

VECTORS = vectors("group")
FLEET = bytes.fromhex(VECTORS["fleet"])
GROUP = bytes.fromhex(VECTORS["group"])
FIRST = VECTORS["secrets"][0]["epoch"]


def chain(epoch=FIRST, oldest=FIRST):
    secret = group.first_secret(suite, FLEET, GROUP, FIRST, bytes.fromhex(VECTORS["seed"]))
    return group.Chain(GROUP, epoch, oldest, group.Chain(GROUP, FIRST, FIRST, secret).secret_at(suite, oldest))


def made(sequence=1, short=7, to=0xFFFF, lifetime_ms=1000, base=974848):
    return bundle.make(bundle.Eid(base + short, 1), bundle.Eid(base + to, 1), b"", sequence, lifetime_ms)


def bundle_with(primary):
    """A bundle that arrived with that primary block."""
    reader = bundle.cbor.Reader(primary)
    return bundle.read_primary(reader)[0]


def test_vectors_of_secrets_and_messages_both_ways():
    known = chain()
    for case in VECTORS["secrets"]:
        assert known.secret_at(suite, case["epoch"]).hex() == case["secret"], case["epoch"]
    for case in VECTORS["messages"]:
        held, content, body = (bytes.fromhex(case[key]) for key in ("primary", "content", "body"))
        held = bundle_with(held)
        at = group.Chain(GROUP, case["epoch"], FIRST, known.secret)
        assert group.seal(suite, at, held, content) == body, case["name"]
        assert group.open_body(suite, known, held, body) == (case["epoch"], content), case["name"]


def test_a_text_of_100_bytes_grows_by_eleven_in_the_body_and_by_five_more_as_a_payload():
    body = group.seal(suite, chain(), made(), b"x" * 100)
    assert len(body) == 100 + group.ADDED_BYTES == 111
    assert len(message.encode_closed(message.GROUP, body)) == 116
    assert len(message.encode(message.PUBLIC, "x" * 100)) == 105


def test_no_bit_of_a_body_may_change():
    body = group.seal(suite, chain(), made(), b"text")
    for at in range(len(body) * 8):
        wrong = bytearray(body)
        wrong[at // 8] ^= 1 << at % 8
        assert group.open_body(suite, chain(), made(), bytes(wrong)) is None, at
    for end in range(len(body)):
        assert group.open_body(suite, chain(), made(), body[:end]) is None, end
    assert group.open_body(suite, chain(), made(), body + b"x") is None


def test_a_body_belongs_to_one_bundle():
    body = group.seal(suite, chain(), made(), b"text")
    without_crc = made()
    without_crc.crc_type = bundle.NO_CRC
    for other in (
        made(2),
        made(1, 8),
        made(1, 7, 9),
        made(1, 7, 0xFFFF, 2000),
        made(1, 7, 0xFFFF, 1000, 1),
        without_crc,
    ):
        assert group.open_body(suite, chain(), other, body) is None


def test_only_members_read():
    body = group.seal(suite, chain(), made(), b"text")
    secret = chain().secret
    for group_id, epoch, key in (
        (bytes(8), FIRST, secret),
        (GROUP, FIRST, bytes(32)),
        (GROUP, FIRST + 1, secret),
        (GROUP, FIRST + group.STEPS, secret),
    ):
        assert group.open_body(suite, group.Chain(group_id, epoch, epoch, key), made(), body) is None
    other_fleet = group.first_secret(suite, bytes(8), GROUP, FIRST, bytes.fromhex(VECTORS["seed"]))
    assert group.open_body(suite, group.Chain(GROUP, FIRST, FIRST, other_fleet), made(), body) is None


def test_an_epoch_is_read_until_two_more_have_come_and_never_again():
    body = group.seal(suite, chain(), made(), b"text")
    known = chain()
    for epoch in range(FIRST, FIRST + group.EPOCHS_KEPT):
        known = known.advanced(suite, epoch)
        assert group.open_body(suite, known, made(), body) == (FIRST, b"text"), epoch
    known = known.advanced(suite, FIRST + group.EPOCHS_KEPT)
    assert known.oldest == FIRST + 1
    assert known.secret.hex() == VECTORS["secrets"][1]["secret"]
    assert group.open_body(suite, known, made(), body) is None


def test_a_member_that_lags_behind_reads_eight_epochs_ahead():
    ahead = chain().advanced(suite, FIRST + group.MAX_AHEAD)
    assert group.open_body(suite, chain(), made(), group.seal(suite, ahead, made(), b"text")) is not None
    too_far = ahead.advanced(suite, FIRST + group.MAX_AHEAD + 1)
    assert group.open_body(suite, chain(), made(), group.seal(suite, too_far, made(), b"text")) is None


def test_a_chain_goes_forward_and_stays_in_its_generation():
    known = chain().advanced(suite, FIRST + 3)
    raises(ValueError, known.advanced, suite, FIRST + 2)
    raises(ValueError, known.advanced, suite, FIRST + group.STEPS)
    assert known.advanced(suite, group.last_epoch(FIRST)).epoch == FIRST + 255
    assert group.next_generation(FIRST) == group.next_generation(FIRST + 255) == FIRST + 256


def test_hints_differ_by_epoch_and_group_and_collide_no_more_than_chance():
    hints = {}
    known = chain()
    for step in range(64):
        at = group.Chain(GROUP, FIRST + step, FIRST, known.secret)
        hint = group.seal(suite, at, made(), b"")[:2]
        hints[hint] = hints.get(hint, 0) + 1
    assert len(hints) >= 62, hints


def test_a_bundle_whose_numbers_do_not_fit_is_not_sealed_and_not_opened():
    for wrong in (made(1 << 32), made(1, 7, 9, 1000, 1 << 48)):
        assert not group.can_seal(wrong)
        raises(ValueError, group.seal, suite, chain(), wrong, b"text")
        assert group.open_body(suite, chain(), wrong, bytes(30)) is None
    assert not group.can_seal(bundle_from_elsewhere())


def bundle_from_elsewhere():
    found = made()
    found.source = bundle.Eid("//oak/in", 0, bundle.DTN)
    return found
