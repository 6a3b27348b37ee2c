"""The payload of a text bundle: version, layer, body. Knows no key: a sealed or group body is bytes to it."""

from hedgewire import cbor
from hedgewire.cbor import Damage

VERSION = 1

# Services: the second number of an ipn endpoint.
ADMIN = 0
TEXT = 1
DOCUMENT = 2

EVERYONE = 0xFFFF  # short id; its ipn node number is ipn_base + 0xFFFF: the destination of the public layer

PUBLIC = 0
GROUP = 1
SEALED = 2


class Message:
    """version: int, layer: PUBLIC, GROUP or SEALED, body: str (bytes where the layer is encrypted)."""

    def __init__(self, version, layer, body):
        self.version = version
        self.layer = layer
        self.body = body


def encode(layer: int, text: "str | bytes") -> bytes:
    """[1, layer, text]. A public text is a str."""
    if layer not in (PUBLIC, GROUP, SEALED):
        raise ValueError("no such layer")
    if not isinstance(text, str) and (layer == PUBLIC or not isinstance(text, (bytes, bytearray))):
        raise TypeError("a public text is a str, an encrypted one bytes")
    return cbor.encode((VERSION, layer, text))


def decode(payload) -> "Message | Damage":
    fields = cbor.decode(payload)
    if isinstance(fields, Damage):
        return fields
    if not isinstance(fields, list) or not fields or not _is_uint(fields[0]):
        return Damage("shape", 0)
    if fields[0] != VERSION:
        return Damage("version", 1)
    if len(fields) != 3 or not _is_uint(fields[1]):
        return Damage("shape", 0)
    version, layer, body = fields
    if layer > SEALED:
        return Damage("layer", 2)
    if not isinstance(body, str) and (layer == PUBLIC or not isinstance(body, bytes)):
        return Damage("shape", 3)
    return Message(version, layer, body)


def _is_uint(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
