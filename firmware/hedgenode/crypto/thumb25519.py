"""The hot loops of X25519 and Ed25519 for the RP2040, in MicroPython's assembler. Knows numbers of 32 bytes.

A number is a bytearray of 32 bytes, least first: any value below 2^256 that is right modulo 2^255 - 19. There 2^256 is
38, so what a sum or a product leaves above is multiplied by 38 and added. Limbs have 16 bits, because the Cortex-M0+
gives the lower 32 bits of a product alone (ARMv6-M Architecture Reference Manual, A6.7.44). A result may be an operand.

The assembler text is compiled on the board, in a tenth of a second: machine code in .mpy files is bound to one version
of MicroPython. Where that fails, so does the import, and the big integers of the callers do the work.
"""

import micropython

from hedgenode.crypto.field25519 import P

# multiply(result, one, other, room of 64 bytes); combine(result, one, other, 1 or -1): one plus or minus the other.
# In the product r8 and r9 are where a column begins in the factors, and r1 is where it ends in the first.
ASSEMBLER = """
@micropython.asm_thumb
def multiply(r0, r1, r2, r3):
    mov(r4, r8)
    mov(r5, r9)
    mov(r6, r10)
    mov(r7, r11)
    push({r4, r5, r6, r7})
    mov(r11, r0)
    mov(r0, r3)
    mov(r8, r1)
    mov(r9, r2)
    mov(r7, r1)
    add(r7, 32)
    mov(r10, r7)
    add(r1, 2)
    mov(r5, 0)
    mov(r6, 0)
    label(COLUMN)
    mov(r3, r8)
    mov(r4, r9)
    label(PRODUCT)
    ldrh(r7, [r3, 0])
    ldrh(r2, [r4, 0])
    mul(r7, r2)
    mov(r2, 0)
    add(r5, r5, r7)
    adc(r6, r2)
    add(r3, 2)
    sub(r4, 2)
    cmp(r3, r1)
    bne(PRODUCT)
    strh(r5, [r0, 0])
    add(r0, 2)
    lsr(r5, r5, 16)
    lsl(r7, r6, 16)
    orr(r5, r7)
    lsr(r6, r6, 16)
    mov(r7, r10)
    cmp(r1, r7)
    beq(SECOND_HALF)
    add(r1, 2)
    mov(r7, r9)
    add(r7, 2)
    mov(r9, r7)
    b(COLUMN)
    label(SECOND_HALF)
    mov(r7, r8)
    add(r7, 2)
    mov(r8, r7)
    cmp(r7, r1)
    bne(COLUMN)
    strh(r5, [r0, 0])
    mov(r3, r0)
    sub(r3, 62)
    mov(r2, r3)
    add(r2, 32)
    mov(r0, r11)
    mov(r4, 38)
    mov(r5, 0)
    label(FOLD)
    ldrh(r7, [r3, 0])
    ldrh(r6, [r3, 32])
    mul(r6, r4)
    add(r5, r5, r7)
    add(r5, r5, r6)
    strh(r5, [r0, 0])
    lsr(r5, r5, 16)
    add(r3, 2)
    add(r0, 2)
    cmp(r3, r2)
    bne(FOLD)
    label(OVER)
    cmp(r5, 0)
    beq(DONE)
    mul(r5, r4)
    mov(r2, r0)
    sub(r0, 32)
    label(CARRY)
    ldrh(r7, [r0, 0])
    add(r5, r5, r7)
    strh(r5, [r0, 0])
    lsr(r5, r5, 16)
    add(r0, 2)
    cmp(r0, r2)
    bne(CARRY)
    b(OVER)
    label(DONE)
    pop({r4, r5, r6, r7})
    mov(r8, r4)
    mov(r9, r5)
    mov(r10, r6)
    mov(r11, r7)
@micropython.asm_thumb
def combine(r0, r1, r2, r3):
    mov(r4, r0)
    add(r4, 32)
    mov(r5, 0)
    label(LIMB)
    ldrh(r6, [r1, 0])
    ldrh(r7, [r2, 0])
    mul(r7, r3)
    add(r5, r5, r6)
    add(r5, r5, r7)
    strh(r5, [r0, 0])
    asr(r5, r5, 16)
    add(r1, 2)
    add(r2, 2)
    add(r0, 2)
    cmp(r0, r4)
    bne(LIMB)
    mov(r3, 38)
    label(OVER)
    cmp(r5, 0)
    beq(DONE)
    mul(r5, r3)
    sub(r0, 32)
    label(CARRY)
    ldrh(r6, [r0, 0])
    add(r5, r5, r6)
    strh(r5, [r0, 0])
    asr(r5, r5, 16)
    add(r0, 2)
    cmp(r0, r4)
    bne(CARRY)
    b(OVER)
    label(DONE)
"""

_made: dict = {"micropython": micropython}
try:
    exec(ASSEMBLER, _made)  # noqa: S102 - our own text, a few lines above
except SyntaxError:
    raise ImportError("no assembler for this chip")  # noqa: B904 - MicroPython has no raise .. from
_multiply = _made["multiply"]
_combine = _made["combine"]
_A24 = (121665).to_bytes(32, "little")
_room = bytearray(64)


def _bytes(number: int) -> bytearray:
    return bytearray((number % P).to_bytes(32, "little"))


def _number(limbs) -> int:
    return int.from_bytes(limbs, "little") % P


def ladder(x1: int, state, byte: int):
    """What x25519's own ladder does for one byte of the scalar, with the letters of RFC 7748, section 5."""
    x2, z2, x3, z3 = [_bytes(number) for number in state]
    base = _bytes(x1)
    a, b, c, d = [bytearray(32) for _ in range(4)]
    multiply = _multiply
    combine = _combine
    room = _room
    swapped = 0
    for i in range(7, -1, -1):
        if byte >> i & 1 != swapped:
            swapped ^= 1
            x2, x3 = x3, x2
            z2, z3 = z3, z2
        combine(a, x2, z2, 1)
        combine(b, x2, z2, -1)
        combine(c, x3, z3, 1)
        combine(d, x3, z3, -1)
        multiply(c, c, b, room)
        multiply(d, d, a, room)
        multiply(a, a, a, room)
        multiply(b, b, b, room)
        multiply(x2, a, b, room)
        combine(b, a, b, -1)
        multiply(z2, b, _A24, room)
        combine(z2, z2, a, 1)
        multiply(z2, z2, b, room)
        combine(x3, d, c, 1)
        multiply(x3, x3, x3, room)
        combine(z3, d, c, -1)
        multiply(z3, z3, z3, room)
        multiply(z3, z3, base, room)
    if swapped:
        x2, z2, x3, z3 = x3, z3, x2, z2
    return _number(x2), _number(z2), _number(x3), _number(z3)


def walk(point, operations):
    """What ed25519's own walk does: double for every None, add every entry; section 5.1.4 of RFC 8032."""
    x, y, z, e, h = [_bytes(number) for number in point]
    a, b, f, g = [bytearray(32) for _ in range(4)]
    multiply = _multiply
    combine = _combine
    room = _room
    for entry in operations:
        if entry is None:
            combine(e, x, x, 1)
            multiply(e, e, y, room)
            multiply(a, x, x, room)
            multiply(b, y, y, room)
            combine(f, z, z, 1)
            multiply(z, f, z, room)
            combine(g, b, a, -1)
            combine(f, z, g, -1)
        else:
            combine(a, y, x, -1)
            multiply(a, a, _bytes(entry[0]), room)
            combine(b, y, x, 1)
            multiply(b, b, _bytes(entry[1]), room)
            multiply(e, e, h, room)
            multiply(e, e, _bytes(entry[2]), room)
            if entry[3]:
                multiply(z, z, _bytes(entry[3]), room)
            else:
                combine(z, z, z, 1)
            combine(f, z, e, -1)
            combine(g, z, e, 1)
            combine(e, b, a, -1)
        combine(h, a, b, 1)
        multiply(x, e, f, room)
        multiply(y, g, h, room)
        multiply(z, f, g, room)
    return _number(x), _number(y), _number(z), _number(e), _number(h)
