"""Text messages: version, layer, body; what an author signs; what stands inside a closed body."""

from harness import assert_damage, from_typed, raises, vectors

try:
    import cryptolib  # noqa: F401
except ImportError:
    import fake_cryptolib

    fake_cryptolib.install()

from hedgenode.crypto import ed25519
from hedgewire import message

AUTHOR = b"author.."
SIGNATURE = b"s" * 64


def encoded(case, body):
    if case["version"] == message.VERSION:
        return message.encode(case["layer"], body)
    if case["layer"] != message.PUBLIC:
        return message.encode_closed(case["layer"], body)
    return message.encode_signed(body, bytes.fromhex(case["author"]), bytes.fromhex(case["signature"]))


def test_vectors():
    for case in vectors("message")["messages"]:
        body = from_typed(case["body"])
        raw = bytes.fromhex(case["hex"])
        assert encoded(case, body) == raw
        found = message.decode(raw)
        assert (found.version, found.layer, found.body) == (case["version"], case["layer"], body)
        assert (found.author is None) == (found.signature is None) == ("author" not in case)


def test_the_signature_of_the_vector_is_that_of_its_statement():
    [case] = [case for case in vectors("message")["messages"] if "signature" in case]
    public, signature, primary = (bytes.fromhex(case[key]) for key in ("public", "signature", "primary"))
    assert ed25519.verify(public, message.statement(message.PUBLIC, primary, case["body"]), signature)
    for layer, text in ((message.GROUP, case["body"]), (message.PUBLIC, case["body"] + ".")):
        assert not ed25519.verify(public, message.statement(layer, primary, text), signature)


def test_damaged_vectors_are_named():
    for case in vectors("message")["damaged"]:
        assert_damage(message.decode(bytes.fromhex(case["hex"])), case)


def test_content_comes_back_with_and_without_an_author():
    for text in ("", "text", "Grüße 🌿"):
        found = message.decode_content(message.encode_content(text))
        assert (found.text, found.author, found.signature) == (text, None, None)
        found = message.decode_content(message.encode_content(text, AUTHOR, SIGNATURE))
        assert (found.text, found.author, found.signature) == (text, AUTHOR, SIGNATURE)


def test_content_that_is_none_is_damage():
    signed = message.encode_content("", AUTHOR, SIGNATURE)
    for content in (b"\xfe", b"\xff", signed[:-1], signed + b"\xff", b"text\x80"):
        assert isinstance(message.decode_content(content), message.Damage), content


def test_misuse_raises():
    raises(ValueError, message.encode, 3, "text")
    raises(TypeError, message.encode, message.PUBLIC, b"bytes")
    raises(TypeError, message.encode, message.SEALED, 5)
    raises(ValueError, message.encode_closed, message.PUBLIC, b"body")
    raises(ValueError, message.encode_signed, "text", AUTHOR, SIGNATURE[1:])
    raises(ValueError, message.encode_content, "text", AUTHOR[1:], SIGNATURE)
