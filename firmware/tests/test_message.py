"""Text messages: version, layer, body."""

from harness import assert_damage, from_typed, raises, vectors

from hedgewire import message


def test_vectors():
    for case in vectors("message")["messages"]:
        body = from_typed(case["body"])
        raw = bytes.fromhex(case["hex"])
        assert message.encode(case["layer"], body) == raw
        found = message.decode(raw)
        assert (found.version, found.layer, found.body) == (case["version"], case["layer"], body)


def test_damaged_vectors_are_named():
    for case in vectors("message")["damaged"]:
        assert_damage(message.decode(bytes.fromhex(case["hex"])), case)


def test_misuse_raises():
    raises(ValueError, message.encode, 3, "text")
    raises(TypeError, message.encode, message.PUBLIC, b"bytes")
    raises(TypeError, message.encode, message.SEALED, 5)
