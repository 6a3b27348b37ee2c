"""Cipher suite 2 of EDHOC, with the P-256 of `cryptography`: neither host nor board needs it but for the traces."""

from cryptography.hazmat.primitives.asymmetric.ec import ECDH, SECP256R1, EllipticCurvePublicKey, derive_private_key

from hedgerow.session import suite0


class Suite2:
    """P-256 and the rest of suite 0: what section 3 of the RFC runs with."""

    number = 2
    hash, extract, expand = staticmethod(suite0.hash), staticmethod(suite0.extract), staticmethod(suite0.expand)
    encrypt, decrypt = staticmethod(suite0.encrypt), staticmethod(suite0.decrypt)

    @staticmethod
    def agree_steps(secret, public):
        yield
        try:
            point = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), b"\x02" + public)
        except ValueError:
            return None
        return derive_private_key(int.from_bytes(secret, "big"), SECP256R1()).exchange(ECDH(), point)
