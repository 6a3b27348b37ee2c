"""AES Key Wrap against RFC 3394, and every way in which a wrapped key may be wrong."""

try:
    import cryptolib  # noqa: F401
except ImportError:
    import fake_cryptolib

    fake_cryptolib.install()

from harness import raises, vectors

from hedgenode.crypto import keywrap

KEY = bytes(range(16))
SECRET = bytes(range(16, 32))


def test_vectors_both_ways():
    for case in vectors("keywrap")["wrapped"]:
        key, secret, wrapped = [bytes.fromhex(case[name]) for name in ("key", "secret", "wrapped")]
        assert keywrap.wrap(key, secret) == wrapped, case["name"]
        assert keywrap.unwrap(key, wrapped) == secret, case["name"]


def test_the_number_of_a_step_takes_two_bytes_in_a_long_secret():
    secret = bytes(range(256)) * 2  # 6 * 64 steps
    wrapped = keywrap.wrap(KEY, secret)
    assert len(wrapped) == len(secret) + keywrap.ADDED_BYTES
    assert wrapped[-8:].hex() == "bfdc9f2034c6a66b"
    assert keywrap.unwrap(KEY, wrapped) == secret


def test_every_single_wrong_bit_is_refused():
    wrapped = keywrap.wrap(KEY, SECRET)
    assert keywrap.unwrap(KEY, memoryview(wrapped)) == SECRET
    for bit in range(8 * len(wrapped)):
        wrong = bytearray(wrapped)
        wrong[bit >> 3] ^= 1 << (bit & 7)
        assert keywrap.unwrap(KEY, wrong) is None, bit


def test_another_key_and_every_other_length_are_refused():
    wrapped = keywrap.wrap(KEY, SECRET)
    assert keywrap.unwrap(SECRET, wrapped) is None
    for count in range(len(wrapped)):
        assert keywrap.unwrap(KEY, wrapped[:count]) is None, count
    for more in range(1, 9):
        assert keywrap.unwrap(KEY, wrapped + bytes(more)) is None, more


def test_misuse_is_our_own_mistake():
    for count in (0, 15, 17, 24):
        raises(ValueError, keywrap.wrap, bytes(count), SECRET)
        raises(ValueError, keywrap.unwrap, bytes(count), bytes(24))
    for count in (0, 8, 15, 17):
        raises(ValueError, keywrap.wrap, KEY, bytes(count))
