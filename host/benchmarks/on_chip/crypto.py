"""Runs on the chip: keys, signatures and sealed messages, each beside the textbook. Prints lines of name|number|unit.

The textbook is the pseudocode of the RFCs as it stands there: every product reduced with %, every scalar walked bit by
bit, every inverse and root a power. It has to come to the same results before its time counts.
"""

import gc
import hashlib
import time

P = (1 << 255) - 19
ORDER = (1 << 252) + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
BASE_X = 15112221349535400772501151409588531511454012693041857206046113283949847762202
BASE_Y = 46316835694926478169428394003475163141307993866256225615783033603165251855960


def textbook_multiply(scalar, point):
    """RFC 8032, section 5.1.4: double and add in extended coordinates."""
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = textbook_add(result, point)
        point = textbook_add(point, point)
        scalar >>= 1
    return result


def textbook_add(one, other):
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c = 2 * one[3] * other[3] * D % P
    d = 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def textbook_compress(point):
    inverse = pow(point[2], P - 2, P)
    return (point[1] * inverse % P | (point[0] * inverse % P & 1) << 255).to_bytes(32, "little")


def textbook_decompress(data):
    y = int.from_bytes(data, "little")
    odd = y >> 255
    y &= (1 << 255) - 1
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x & 1 != odd:
        x = P - x
    return x, y, 1, x * y % P


def textbook_public_key(seed):
    expanded = sha512.digest(seed)
    scalar = int.from_bytes(expanded[:32], "little") & ((1 << 254) - 8) | 1 << 254
    return scalar, expanded[32:], textbook_compress(textbook_multiply(scalar, BASE))


def textbook_sign(seed, message):
    scalar, prefix, public = textbook_public_key(seed)
    nonce = int.from_bytes(sha512.digest(prefix + message), "little") % ORDER
    commitment = textbook_compress(textbook_multiply(nonce, BASE))
    challenge = int.from_bytes(sha512.digest(commitment + public + message), "little")
    return commitment + ((nonce + challenge * scalar) % ORDER).to_bytes(32, "little")


def textbook_verify(public, message, signature):
    challenge = int.from_bytes(sha512.digest(signature[:32] + public + message), "little") % ORDER
    right = textbook_add(textbook_decompress(signature[:32]), textbook_multiply(challenge, textbook_decompress(public)))
    left = textbook_multiply(int.from_bytes(signature[32:], "little"), BASE)
    return textbook_compress(left) == textbook_compress(right)


def textbook_x25519(secret, public):
    """RFC 7748, section 5."""
    scalar = int.from_bytes(secret, "little") & ((1 << 254) - 8) | 1 << 254
    x1 = int.from_bytes(public, "little") & ((1 << 255) - 1)
    x2, z2, x3, z3, swap = 1, 0, x1, 1, 0
    for t in range(254, -1, -1):
        bit = scalar >> t & 1
        if bit != swap:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b, c, d = (x2 + z2) % P, (x2 - z2) % P, (x3 + z3) % P, (x3 - z3) % P
        aa, bb, da, cb = a * a % P, b * b % P, d * a % P, c * b % P
        e = (aa - bb) % P
        x3, z3 = (da + cb) * (da + cb) % P, x1 * ((da - cb) * (da - cb) % P) % P
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")


def textbook_hmac(key, data):
    key = key + bytes(64 - len(key))
    inner = hashlib.sha256(bytes([byte ^ 0x36 for byte in key]) + data).digest()
    return hashlib.sha256(bytes([byte ^ 0x5C for byte in key]) + inner).digest()


def textbook_ccm(key, nonce, message):
    """RFC 3610, block by block, without associated data."""
    aes = cryptolib.aes(key, 1)
    tag = aes.encrypt(bytes([0x19]) + nonce + len(message).to_bytes(2, "big"))
    for at in range(0, len(message), 16):
        block = message[at : at + 16]
        block = block + bytes(16 - len(block))
        tag = aes.encrypt(bytes([one ^ other for one, other in zip(tag, block)]))
    out = b""
    for number in range(1, (len(message) + 31) // 16):
        stream = aes.encrypt(b"\x01" + nonce + number.to_bytes(2, "big"))
        out += bytes([one ^ other for one, other in zip(message[16 * number - 16 : 16 * number], stream)])
    stream = aes.encrypt(b"\x01" + nonce + bytes(2))
    return out + bytes([one ^ other for one, other in zip(tag[:8], stream)])


def figure(name, value, unit, at_most=""):
    print("%s|%s|%s|%s" % (name, value, unit, at_most))


def timed(name, work, rounds=1, at_most=""):
    gc.collect()
    start = time.ticks_us()
    for _ in range(rounds):
        result = work()
    figure(name, time.ticks_diff(time.ticks_us(), start) / rounds / 1000, "ms", at_most)
    return result


def beside_the_textbook(name, work, textbook, rounds=1, at_most=""):
    result = timed(name, work, rounds, at_most)
    if timed(name + ", textbook", textbook, rounds) != result:
        raise AssertionError(name)
    return result


def longest_step(name, steps):
    """How long other tasks wait at most while these steps run."""
    longest_us = 0
    gc.collect()
    while True:
        start = time.ticks_us()
        try:
            next(steps)
        except StopIteration:
            break
        longest_us = max(longest_us, time.ticks_diff(time.ticks_us(), start))
    figure(name + ", longest step", longest_us / 1000, "ms")


def peak(name, steps):
    """What lives at most between two steps, beside the code; and what one step drops, which waits for the collector."""
    gc.collect()
    before = gc.mem_alloc()
    live = garbage = 0
    while True:
        start = gc.mem_alloc()
        try:
            next(steps)
        except StopIteration:
            break
        garbage = max(garbage, gc.mem_alloc() - start)
        gc.collect()
        live = max(live, gc.mem_alloc() - before)
    figure(name + ": heap alive at most", live, "bytes", RAM_AT_MOST_BYTES)
    figure(name + ": garbage of a step", garbage, "bytes")


RAM_AT_MOST_BYTES = 8192
gc.collect()
before = gc.mem_alloc()
start = time.ticks_us()
import cryptolib  # noqa: E402

from hedgenode.crypto import ccm, ed25519, sha512, x25519  # noqa: E402
from hedgenode.crypto.hmac import hmac_sha256  # noqa: E402
from hedgenode.crypto.steps import finish  # noqa: E402

figure("crypto imported", time.ticks_diff(time.ticks_us(), start) / 1000, "ms")
gc.collect()
figure("crypto: heap used", gc.mem_alloc() - before, "bytes")

BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
OTHER = bytes.fromhex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")
MESSAGE = bytes(range(40))
SEALED_BYTES = bytes(range(200))

timed("SHA-512, one block of 128 bytes", lambda: sha512.digest(MESSAGE))
public = beside_the_textbook(
    "Ed25519 public key", lambda: ed25519.public_key(SEED), lambda: textbook_public_key(SEED)[2]
)
signing_key = finish(ed25519.signing_key_steps(SEED))
signature = timed("Ed25519 signature, key at hand", lambda: finish(signing_key.sign_steps(MESSAGE)))
beside_the_textbook(
    "Ed25519 signature from the seed",
    lambda: ed25519.sign(SEED, MESSAGE),
    lambda: textbook_sign(SEED, MESSAGE),
    at_most=450,
)
beside_the_textbook(
    "Ed25519 verification",
    lambda: ed25519.verify(public, MESSAGE, signature),
    lambda: textbook_verify(public, MESSAGE, signature),
    at_most=900,
)
longest_step("Ed25519 verification", ed25519.verify_steps(public, MESSAGE, signature))
beside_the_textbook(
    "X25519 agreement", lambda: x25519.shared(SEED, OTHER), lambda: textbook_x25519(SEED, OTHER), at_most=450
)
timed("X25519 public key", lambda: x25519.public_key(SEED))
beside_the_textbook(
    "AES-CCM, 200 bytes sealed",
    lambda: ccm.encrypt(SEED[:16], SEED[:13], SEALED_BYTES),
    lambda: textbook_ccm(SEED[:16], SEED[:13], SEALED_BYTES),
    5,
    at_most=6,
)
beside_the_textbook(
    "HMAC-SHA-256, 200 bytes", lambda: hmac_sha256(SEED, SEALED_BYTES), lambda: textbook_hmac(SEED, SEALED_BYTES), 5
)
peak("Ed25519 signature", signing_key.sign_steps(MESSAGE))
peak("Ed25519 verification", ed25519.verify_steps(public, MESSAGE, signature))
peak("X25519 agreement", x25519.shared_steps(SEED, OTHER))
gc.collect()
before = gc.mem_alloc()
gc.disable()
ccm.encrypt(SEED[:16], SEED[:13], SEALED_BYTES)
figure("AES-CCM, 200 bytes sealed: all that it allocates", gc.mem_alloc() - before, "bytes", RAM_AT_MOST_BYTES)
gc.enable()
