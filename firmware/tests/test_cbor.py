"""CBOR: one encoding for each value, nothing else accepted, nothing raised for what a peer sends."""

from harness import assert_damage, from_typed, raises, vectors

from hedgewire import cbor


def same(one, other):
    """Equal, and of the same types: True is no 1 here."""
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(same(a, b) for a, b in zip(one, other))
    if isinstance(one, dict):
        return isinstance(other, dict) and len(one) == len(other) and all(same(one[k], other.get(k)) for k in one)
    return type(one) is type(other) and one == other


def test_vectors_decode_to_their_value():
    for case in vectors("cbor")["values"]:
        found = cbor.decode(bytes.fromhex(case["hex"]))
        assert same(found, from_typed(case["value"])), (case["hex"], found)


def test_vectors_encode_to_their_bytes():
    for case in vectors("cbor")["values"]:
        assert cbor.encode(from_typed(case["value"])).hex() == case["hex"], case["hex"]


def test_damaged_vectors_are_named():
    for case in vectors("cbor")["damaged"]:
        assert_damage(cbor.decode(bytes.fromhex(case["hex"])), case)


def test_every_prefix_of_a_value_is_damage():
    whole = cbor.encode({1: [b"abc", "text", None, True, -1000], "key": {"x": 1 << 40}})
    for size in range(len(whole)):
        assert isinstance(cbor.decode(whole[:size]), cbor.Damage), size


def test_keys_are_sorted_whatever_their_order_was():
    pairs = [("b", 1), ("a", 2), (24, 3), (1, 4), (-1, 5), ("aa", 6)]
    forward, backward = {}, {}
    for key, value in pairs:
        forward[key] = value
    for key, value in reversed(pairs):
        backward[key] = value
    assert cbor.encode(forward) == cbor.encode(backward)
    assert cbor.encode(forward).hex() == "a60104181803200561610261620162616106"


def test_buffers_of_any_kind():
    assert cbor.encode(bytearray(b"ab")) == cbor.encode(memoryview(b"ab")) == cbor.encode(b"ab")
    assert cbor.encode((1, 2)) == cbor.encode([1, 2])
    for kind in (bytes, bytearray, memoryview):
        assert cbor.decode(kind(b"\x82\x41\x07\x61\x61")) == [b"\x07", "a"]


def test_misuse_raises():
    raises(TypeError, cbor.encode, 1.5)
    raises(TypeError, cbor.encode, {b"bytes": 1})
    raises(TypeError, cbor.encode, {True: 1})
    raises(TypeError, cbor.encode, [object()])
    raises(ValueError, cbor.encode, 1 << 64)
    raises(ValueError, cbor.encode, -1 - (1 << 64))
    raises(ValueError, cbor.encode, chr(0xD800))


def test_eight_levels_and_no_more():
    deep = 1
    for _ in range(cbor.MAX_DEPTH):
        deep = [deep]
    assert cbor.decode(cbor.encode(deep)) == deep
    raises(ValueError, cbor.encode, [deep])
    raises(ValueError, cbor.encode, {1: deep})
    assert cbor.decode(b"\x81" + cbor.encode(deep)) == cbor.Damage("nested too deep", cbor.MAX_DEPTH)
