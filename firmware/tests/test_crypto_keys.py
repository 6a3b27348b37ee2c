"""HMAC and HKDF with SHA-256 against RFC 4231 and RFC 5869."""

from harness import raises, vectors

from hedgenode.crypto import hkdf
from hedgenode.crypto.hmac import hmac_sha256


def test_hmac_vectors():
    for case in vectors("hmac_sha256")["macs"]:
        assert hmac_sha256(bytes.fromhex(case["key"]), bytes.fromhex(case["data"])).hex() == case["mac"], case["name"]


def test_hmac_of_parts_is_that_of_the_whole():
    assert hmac_sha256(b"key", b"hedge", b"", memoryview(b"row")) == hmac_sha256(b"key", b"hedgerow")


def test_hkdf_vectors():
    for case in vectors("hkdf_sha256")["keys"]:
        extracted = hkdf.extract(bytes.fromhex(case["salt"]), bytes.fromhex(case["secret"]))
        assert extracted.hex() == case["extracted"], case["name"]
        wanted = case["expanded"]
        assert hkdf.expand(extracted, bytes.fromhex(case["info"]), len(wanted) // 2).hex() == wanted, case["name"]


def test_hkdf_gives_a_beginning_of_the_same_bytes_up_to_its_limit():
    key = bytes(32)
    longest = hkdf.expand(key, b"", 8160)
    for count in (0, 1, 31, 32, 33, 8159):
        assert hkdf.expand(key, b"", count) == longest[:count], count
    raises(ValueError, hkdf.expand, key, b"", 8161)
    raises(ValueError, hkdf.expand, key, b"", -1)
