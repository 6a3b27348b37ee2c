"""AES-CCM against RFC 3610, and every way in which a sealed message may be wrong."""

try:
    import cryptolib  # noqa: F401
except ImportError:
    import fake_cryptolib

    fake_cryptolib.install()

from harness import raises, vectors

from hedgenode.crypto import ccm

KEY = bytes(range(16))
NONCE = bytes(range(13))


def test_vectors_both_ways():
    for case in vectors("ccm")["sealed"]:
        key, nonce, associated, message, sealed = [
            bytes.fromhex(case[name]) for name in ("key", "nonce", "associated", "message", "sealed")
        ]
        assert ccm.encrypt(key, nonce, message, associated) == sealed, case["name"]
        assert ccm.decrypt(key, nonce, sealed, associated) == message, case["name"]


def test_a_long_message_counts_its_blocks_in_two_bytes():
    for case in vectors("ccm")["long"]:
        sealed = ccm.encrypt(bytes.fromhex(case["key"]), bytes.fromhex(case["nonce"]), bytes(case["zeros"]))
        assert sealed[-24:].hex() == case["tail"], case["name"]


def test_every_single_wrong_bit_is_refused():
    sealed = ccm.encrypt(KEY, NONCE, b"hedge", b"row")
    for bit in range(8 * len(sealed)):
        wrong = bytearray(sealed)
        wrong[bit >> 3] ^= 1 << (bit & 7)
        assert ccm.decrypt(KEY, NONCE, wrong, b"row") is None, bit


def test_whatever_else_is_wrong_is_refused():
    sealed = ccm.encrypt(KEY, NONCE, b"hedge", b"row")
    assert ccm.decrypt(KEY, NONCE, memoryview(sealed), b"row") == b"hedge"
    for count in range(len(sealed)):
        assert ccm.decrypt(KEY, NONCE, sealed[:count], b"row") is None, count
    assert ccm.decrypt(KEY, NONCE, sealed + b"\x00", b"row") is None
    assert ccm.decrypt(KEY, NONCE, sealed, b"") is None
    assert ccm.decrypt(KEY, NONCE, sealed, b"roe") is None
    assert ccm.decrypt(bytes(16), NONCE, sealed, b"row") is None
    assert ccm.decrypt(KEY, bytes(13), sealed, b"row") is None


def test_what_stood_in_the_message_may_not_move_into_the_associated_data():
    assert ccm.encrypt(KEY, NONCE, b"", b"row")[-8:] != ccm.encrypt(KEY, NONCE, b"row", b"")[-8:]


def test_misuse_is_our_own_mistake():
    raises(ValueError, ccm.encrypt, bytes(15), NONCE, b"")
    raises(ValueError, ccm.encrypt, KEY, bytes(12), b"")
    raises(ValueError, ccm.encrypt, KEY, NONCE, bytes(0x10000))
    raises(ValueError, ccm.encrypt, KEY, NONCE, b"", bytes(0xFF00))
    raises(ValueError, ccm.decrypt, bytes(32), NONCE, bytes(8))
    raises(ValueError, ccm.decrypt, KEY, bytes(12), bytes(8))
