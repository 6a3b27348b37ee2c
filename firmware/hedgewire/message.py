"""The payload of a text bundle, and what stands inside a sealed one. Knows no key: a closed body is bytes to it.

Version 1 is [1, layer, text]: in clear, signed by nobody. Version 2 is [2, PUBLIC, text, author, signature], or
[2, GROUP or SEALED, body] with a body of hedgewire.group or hedgewire.sealed. A receiver of the previous release reads
version 1 and carries version 2.

What a group or sealed body opens to is its content: the text in UTF-8, or ff, author, signature and the text. No text
begins with ff. An author is a key id; whose key that is, and whether the signature is right, others know.
"""

from hedgewire import cbor
from hedgewire.cbor import Damage

VERSION = 1
LAYERED = 2

# Services: the second number of an ipn endpoint.
ADMIN = 0
TEXT = 1
DOCUMENT = 2
TO_NODE = 3  # frames of a host, handed on by the mesh: what a cable would carry to the node
TO_HOST = 4  # and what it would carry back

EVERYONE = 0xFFFF  # short id; its ipn node number is ipn_base + 0xFFFF: the destination of the public layer

PUBLIC = 0
GROUP = 1
SEALED = 2

AUTHOR_BYTES = 8
SIGNATURE_BYTES = 64
_SIGNED = 0xFF
_PURPOSES = (b"hedgerow public message 1", b"hedgerow group message 1", b"hedgerow sealed message 1")


class Message:
    """version: int, layer: PUBLIC, GROUP or SEALED, body: str (bytes where the layer is closed).

    author (8 bytes) and signature (64 bytes): of a signed public message, else None.
    """

    def __init__(self, version, layer, body, author=None, signature=None):
        self.version = version
        self.layer = layer
        self.body = body
        self.author = author
        self.signature = signature


class Content:
    """What a closed body opened to: text: str; author and signature as in Message, None where nobody signed."""

    def __init__(self, text, author=None, signature=None):
        self.text = text
        self.author = author
        self.signature = signature


def encode(layer: int, text: "str | bytes") -> bytes:
    """[1, layer, text]. A public text is a str."""
    if layer not in (PUBLIC, GROUP, SEALED):
        raise ValueError("no such layer")
    if not isinstance(text, str) and (layer == PUBLIC or not isinstance(text, (bytes, bytearray))):
        raise TypeError("a public text is a str, an encrypted one bytes")
    return cbor.encode((VERSION, layer, text))


def encode_signed(text: str, author: bytes, signature: bytes) -> bytes:
    """A public message with the signature of `statement(PUBLIC, ...)`."""
    if not _is_signed(author, signature):
        raise ValueError("an author has 8 bytes and a signature 64")
    return cbor.encode((LAYERED, PUBLIC, text, author, signature))


def encode_closed(layer: int, body: bytes) -> bytes:
    """A group or sealed message."""
    if layer not in (GROUP, SEALED):
        raise ValueError("only group and sealed messages are closed")
    return cbor.encode((LAYERED, layer, body))


def decode(payload) -> "Message | Damage":
    fields = cbor.decode(payload)
    if isinstance(fields, Damage):
        return fields
    if not isinstance(fields, list) or not fields or not _is_uint(fields[0]):
        return Damage("shape", 0)
    version = fields[0]
    if version not in (VERSION, LAYERED):
        return Damage("version", 1)
    if len(fields) < 3 or not _is_uint(fields[1]):
        return Damage("shape", 0)
    layer, body = fields[1], fields[2]
    if layer > SEALED:
        return Damage("layer", 2)
    return _decode_plain(fields, layer, body) if version == VERSION else _decode_layered(fields, layer, body)


def _decode_plain(fields, layer, body):
    if len(fields) != 3:
        return Damage("shape", 0)
    if not isinstance(body, str) and (layer == PUBLIC or not isinstance(body, bytes)):
        return Damage("shape", 3)
    return Message(VERSION, layer, body)


def _decode_layered(fields, layer, body):
    if layer != PUBLIC:
        if len(fields) != 3 or not isinstance(body, bytes):
            return Damage("shape", 3)
        return Message(LAYERED, layer, body)
    if len(fields) != 5 or not isinstance(body, str) or not _is_signed(fields[3], fields[4]):
        return Damage("shape", 3)
    return Message(LAYERED, layer, body, fields[3], fields[4])


def statement(layer: int, primary: bytes, text: str, context: bytes = b"") -> bytes:
    """The bytes that an author signs: what for, in which bundle (its primary block), and what.

    context: the id of the group, the public key of the recipient, nothing for a public message; so that a signature is
    worth nothing anywhere else.
    """
    return _PURPOSES[layer] + context + primary + text.encode()


def encode_content(text: str, author: "bytes | None" = None, signature: "bytes | None" = None) -> bytes:
    """What is to be closed into a group or sealed body."""
    if author is None or signature is None:
        return text.encode()
    if not _is_signed(author, signature):
        raise ValueError("an author has 8 bytes and a signature 64")
    return bytes((_SIGNED,)) + author + signature + text.encode()


def decode_content(content: bytes) -> "Content | Damage":
    author = signature = None
    at = 0
    if content[:1] == b"\xff":
        at = 1 + AUTHOR_BYTES + SIGNATURE_BYTES
        if len(content) < at:
            return Damage("truncated", 1)
        author = bytes(content[1 : 1 + AUTHOR_BYTES])
        signature = bytes(content[1 + AUTHOR_BYTES : at])
    raw = bytes(content[at:])
    if not cbor.is_utf8(raw):
        return Damage("not UTF-8", at)
    return Content(str(raw, "utf-8"), author, signature)


def _is_signed(author, signature):
    return (
        isinstance(author, bytes)
        and len(author) == AUTHOR_BYTES
        and isinstance(signature, bytes)
        and len(signature) == SIGNATURE_BYTES
    )


def _is_uint(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
