"""Ed25519 signatures (RFC 8032). Knows keys, messages and signatures; stores nothing and asks for no randomness.

Points are held in extended coordinates (x = X/Z, y = Y/Z, xy = T/Z), whose addition law has no exceptions. A multiple
of the base point comes from a comb of four teeth over the sixteen entries of ed25519_base, a multiple of any other
point from a signed window of four bits; both walk one chain of doublings. Names that end in `_steps` are generators
for `steps.finish` or `steps.finish_politely`. Not constant time: who holds the node holds its key anyway.
"""

import sys

from hedgenode.crypto import ed25519_base
from hedgenode.crypto.field25519 import ARMV6M, MASK, P, invert, root_power_steps
from hedgenode.crypto.sha512 import digest_steps
from hedgenode.crypto.steps import finish

ORDER = (1 << 252) + 27742317777372353535851937790883648493
_D = 37095705934669439343138083508754565189542113879843219016388785533085940283555
_2D = 2 * _D % P
_ROOT_OF_MINUS_1 = 19681161376707505956807079304988542015446066515923890162744021073123829784752

SEED_BYTES = 32
PUBLIC_BYTES = 32
SIGNATURE_BYTES = 64

_OPERATIONS_A_STEP = 14  # about 20 ms
# x, y, z and the two factors of t
_NEUTRAL = (0, 1, 1, 0, 1)


def _walk(point, operations):
    """Double point for every None of operations, add every entry of it, and return the last point.

    A point is (X, Y, Z, E, H): its T is E * H, which only an addition needs and pays for. An entry is (Y-X, Y+X, 2dT,
    2Z), or 2Z is 0 and stands for 2. All in one loop, because a call costs more here than an addition of numbers:
    MicroPython takes a frame of this size from the heap and then searches the heap from there for the next free block.
    """
    x, y, z, e, h = point
    mask = MASK
    prime = P
    for entry in operations:
        if entry is None:  # section 5.1.4, with all four signs turned around
            a = x * x
            a = (a & mask) + (a >> 255) * 19
            b = y * y
            b = (b & mask) + (b >> 255) * 19
            z = (z + z) * z
            z = (z & mask) + (z >> 255) * 19
            e = (x + x) * y
            e = (e & mask) + (e >> 255) * 19
            g = b - a
            f = z - g
        else:
            a = (y - x) * entry[0]
            a = (a & mask) + (a >> 255) * 19
            b = (y + x) * entry[1]
            b = (b & mask) + (b >> 255) * 19
            e = e * h
            e = ((e & mask) + (e >> 255) * 19) * entry[2]
            e = (e & mask) + (e >> 255) * 19
            if entry[3]:
                z = z * entry[3]
                z = (z & mask) + (z >> 255) * 19
            else:
                z = z + z
            f = z - e
            g = z + e
            e = b - a
        h = a + b
        x = e * f
        x = ((x & mask) + (x >> 255) * 19) % prime
        y = g * h
        y = ((y & mask) + (y >> 255) * 19) % prime
        z = f * g
        z = ((z & mask) + (z >> 255) * 19) % prime
    return x, y, z, e, h


if getattr(sys.implementation, "_mpy", 0) >> 10 & 15 == ARMV6M:
    try:
        from hedgenode.crypto.thumb25519 import walk as _walk
    except (ImportError, MemoryError):
        pass


def _entry(point):
    """Prepare a point for `_walk` to add it."""
    x, y, z, e, h = point
    return (y - x) % P, (y + x) % P, e * h % P * _2D % P, 2 * z % P


def _negated(entry):
    difference, total, t_2d, z_2 = entry
    return total, difference, -t_2d, z_2


def _comb_digits(scalar: int) -> bytes:
    """Write scalar modulo ORDER with 256 digits that are all +1 or -1: bit i says whether digit i is +1."""
    if not scalar & 1:
        scalar += ORDER
    return ((scalar + (1 << 256) - 1) >> 1).to_bytes(32, "little")


def _window_digits(scalar: int) -> bytearray:
    """Write scalar with digits 0 or odd from -7 to 7, no two within four places, least first; each is stored + 8."""
    digits = bytearray(b"\x08" * 256)
    at = 0
    while scalar:
        if not scalar & 1:
            scalar >>= 1
            at += 1
            continue
        digit = scalar & 15
        digits[at] = digit + 8 if digit < 8 else digit - 8
        scalar = (scalar >> 4) + (digit >> 3)
        at += 4
    return digits


def _window_table(point):
    """Return the entries of point times 1, 3, 5, 7, -7, -5, -3, -1, so that digit >> 1 is the index of its entry."""
    twice = _entry(_walk(point, (None,)))
    entries = [_entry(point)]
    for _ in range(3):
        point = _walk(point, (twice,))
        entries.append(_entry(point))
    return entries + [_negated(entry) for entry in reversed(entries)]


def _operations(chunk: int, comb: bytes, window, entries):
    """Return what `_walk` has to do for eight columns: one byte of every tooth of the comb, eight digits of the window.

    A table of the comb covers four digits 64 apart; the last of them says whether the entry or its negative is meant.
    """
    number = int.from_bytes
    table = ed25519_base.ENTRIES
    operations = []
    for bit in range(7, -1, -1):
        operations.append(None)
        if window and window[8 * chunk + bit] != 8:
            operations.append(entries[(window[8 * chunk + bit] - 8) >> 1])
        if chunk >= 4:
            continue
        for at in (chunk, chunk + 4):
            index = (comb[at] >> bit & 1) | (comb[at + 8] >> bit & 1) << 1 | (comb[at + 16] >> bit & 1) << 2
            positive = comb[at + 24] >> bit & 1
            i = ((index if positive else 7 - index) + (at >> 2 << 3)) * 96
            difference = number(table[i : i + 32], "little")
            total = number(table[i + 32 : i + 64], "little")
            t_2d = number(table[i + 64 : i + 96], "little")
            operations.append((difference, total, t_2d, 0) if positive else (total, difference, -t_2d, 0))
    return operations


def multiply_steps(base_scalar: int, scalar: int = 0, point=None):
    """Return base_scalar * B + scalar * point, where B is the base point; both scalars are below ORDER."""
    comb = _comb_digits(base_scalar)
    window = None
    entries = None
    chunks = 4
    if point is not None:
        window = _window_digits(scalar)
        entries = _window_table(point)
        chunks = 32
        yield
    result = _NEUTRAL
    for chunk in range(chunks - 1, -1, -1):
        operations = _operations(chunk, comb, window, entries)
        for at in range(0, len(operations), _OPERATIONS_A_STEP):
            result = _walk(result, operations[at : at + _OPERATIONS_A_STEP])
            yield
    return result


def _compress(point) -> bytes:
    """Section 5.1.2."""
    x, y, z, _, _ = point
    z = invert(z)
    return ((y * z % P) | (x * z % P & 1) << 255).to_bytes(32, "little")


def _decompress_steps(data: bytes):
    """Section 5.1.3: return the x and y of the point, or None where data is no point or not its one canonical form."""
    y = int.from_bytes(data, "little")
    odd = y >> 255
    y &= MASK
    if y >= P:
        return None
    u = (y * y - 1) % P
    v = (_D * y * y + 1) % P
    v3 = v * v % P * v % P
    power = yield from root_power_steps(v3 * v3 % P * v % P * u % P)
    x = u * v3 % P * power % P
    check = v * x % P * x % P
    if check != u:
        if check != P - u:
            return None
        x = x * _ROOT_OF_MINUS_1 % P
    if x == 0 and odd:
        return None
    if x & 1 != odd:
        x = P - x
    return x, y


class SigningKey:
    """A seed made ready to sign. It derives its own public key, so that no wrong one can be mixed into a signature."""

    def __init__(self, scalar: int, prefix: bytes, public: bytes):
        """Use `signing_key_steps`."""
        self._scalar = scalar
        self._prefix = prefix
        self.public = public

    def sign_steps(self, message):
        """Return the 64 bytes of the signature of message (section 5.1.6)."""
        secret = yield from digest_steps(self._prefix, message)
        nonce = int.from_bytes(secret, "little") % ORDER
        point = yield from multiply_steps(nonce)
        commitment = _compress(point)
        yield
        challenge = yield from digest_steps(commitment, self.public, message)
        answer = (nonce + int.from_bytes(challenge, "little") * self._scalar) % ORDER
        return commitment + answer.to_bytes(32, "little")


def signing_key_steps(seed: bytes):
    """Return the SigningKey of a seed of 32 bytes (section 5.1.5)."""
    if len(seed) != SEED_BYTES:
        raise ValueError("a seed has 32 bytes")
    expanded = yield from digest_steps(seed)
    scalar = int.from_bytes(expanded[:32], "little") & ((1 << 254) - 8) | (1 << 254)
    point = yield from multiply_steps(scalar % ORDER)
    return SigningKey(scalar, expanded[32:], _compress(point))


def public_key_steps(seed: bytes):
    """Return the 32 bytes of the public key of a seed of 32 bytes."""
    key = yield from signing_key_steps(seed)
    return key.public


def verify_steps(public: bytes, message, signature: bytes):
    """Return whether signature is the one of message under public (section 5.1.7, without the cofactor).

    Whatever comes from outside is judged, never raised: wrong lengths, points that are none and numbers out of range
    make a signature a wrong one.
    """
    if len(public) != PUBLIC_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    commitment = bytes(signature[:32])
    answer = int.from_bytes(signature[32:], "little")
    if answer >= ORDER:
        return False
    point = yield from _decompress_steps(public)
    if point is None:
        return False
    challenge = yield from digest_steps(commitment, public, message)
    x, y = point
    scalar = int.from_bytes(challenge, "little") % ORDER
    result = yield from multiply_steps(answer, scalar, (-x, y, 1, -x, y))
    return _compress(result) == commitment


def public_key(seed: bytes) -> bytes:
    """Return the 32 bytes of the public key of a seed of 32 bytes."""
    return finish(public_key_steps(seed))


def sign(seed: bytes, message) -> bytes:
    """Return the signature of message. A caller with several messages keeps the SigningKey: it halves the time."""
    return finish(finish(signing_key_steps(seed)).sign_steps(message))


def verify(public: bytes, message, signature: bytes) -> bool:
    """Return whether signature is the one of message under public."""
    return finish(verify_steps(public, message, signature))
