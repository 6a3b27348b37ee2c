"""What a node says over Bluetooth Low Energy to everybody, and what it wants to hear before it says more. Bytes only.

Its advertisement is chance and a hint that follows from it and from the node's public key. Who has the fleet's roster
finds out which node that is; to others it is a new stranger every time. Who connects shows with a knock that it has
the roster, before anything else is heard; that lets nobody do anything yet, which is the business of a session.

Advertising data: Core Specification 5.4, Vol 3, Part C, 11. Company 0xFFFF is nobody's and for uses like this one.
"""

import hashlib

NONCE_BYTES = 8
HINT_BYTES = 8
KNOCK_BYTES = 8
COMPANY = 0xFFFF
# One service: bytes to the node, bytes from the node, and how many of the former it has taken (4 bytes, big-endian).
SERVICE = "8f0d2c5e-6d1b-4c56-9a3e-3b1f6d0a7e10"
TO_NODE = "8f0d2c5e-6d1b-4c56-9a3e-3b1f6d0a7e11"
FROM_NODE = "8f0d2c5e-6d1b-4c56-9a3e-3b1f6d0a7e12"
TAKEN = "8f0d2c5e-6d1b-4c56-9a3e-3b1f6d0a7e13"
WINDOW_BYTES = 2048  # so many bytes may be on their way to the node that it has not taken
_FLAGS = b"\x02\x01\x06"  # general discoverable, no classic Bluetooth
_MANUFACTURER = 0xFF


def hint(fleet: bytes, public: bytes, nonce: bytes) -> bytes:
    """What follows from the ids: `fleet` 8 bytes, `public` the node's Ed25519 key, `nonce` of the advertisement."""
    return hashlib.sha256(b"hedgerow hint\x00" + fleet + public + nonce).digest()[:HINT_BYTES]


def knock(fleet: bytes, public: bytes, nonce: bytes) -> bytes:
    """What a central writes first; it fits one advertisement, and the node makes a new one after every connection."""
    return hashlib.sha256(b"hedgerow knock\x00" + fleet + public + nonce).digest()[:KNOCK_BYTES]


def advertisement(fleet: bytes, public: bytes, nonce: bytes) -> bytes:
    """The advertising data, 23 bytes of the 31 there are."""
    body = nonce + hint(fleet, public, nonce)
    head = bytes((len(body) + 3, _MANUFACTURER, COMPANY & 0xFF, COMPANY >> 8))
    return _FLAGS + head + body


def parse(manufacturer_data: bytes) -> "tuple[bytes, bytes] | None":
    """(nonce, hint) in what stands behind the company number; None where that is not ours."""
    if len(manufacturer_data) != NONCE_BYTES + HINT_BYTES:
        return None
    return bytes(manufacturer_data[:NONCE_BYTES]), bytes(manufacturer_data[NONCE_BYTES:])
