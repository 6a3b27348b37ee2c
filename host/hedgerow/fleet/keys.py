"""Knows Ed25519 keys as bytes: seed, public key, key id. Refuses to know who holds them or where they lie."""

import hashlib
import secrets

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SEED_BYTES = 32
PUBLIC_BYTES = 32
KEY_ID_BYTES = 8


def new_seed() -> bytes:
    """32 bytes from the operating system; whoever holds them holds the key."""
    return secrets.token_bytes(SEED_BYTES)


def public_of(seed: bytes) -> bytes:
    """The Ed25519 public key (RFC 8032, 5.1.5) of a 32-byte seed."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def key_id(public: bytes) -> bytes:
    """The first 8 bytes of the SHA-256 of a public key: node id, laptop id, custodian id alike."""
    return hashlib.sha256(public).digest()[:KEY_ID_BYTES]
