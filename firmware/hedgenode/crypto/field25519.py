"""Arithmetic modulo 2^255 - 19 that Ed25519 and X25519 share. Knows numbers, refuses to know points and keys.

Boards divide slowly, so products are folded: 2^255 is 19 modulo the prime, hence what stands above bit 255 is
multiplied by 19 and added to the rest. A fold of a product leaves about 260 bits, of which `% P` is quick (it costs by
the digit that it takes away). The hot loops write the folds out where they stand (a call costs a tenth of a
multiplication), and leave `% P` out where only one more multiplication follows. Python's `&` and `>>` take a negative
number for its residue, so a difference needs no correction before it is folded. Nothing here is constant time.
"""

P = (1 << 255) - 19
ARMV6M = 4  # how MicroPython calls the Cortex-M0+ in sys.implementation._mpy: there thumb25519 does the hot loops
MASK = (1 << 255) - 1


def invert(x: int) -> int:
    """Return 1 / x, or 0 for 0, by Euclid's algorithm: a quarter of the time of raising x to the power P - 2."""
    a = P
    b = x % P
    if b == 0:
        return 0
    u = 0
    v = 1
    while b != 1:
        quotient, rest = divmod(a, b)
        a = b
        b = rest
        u, v = v, u - quotient * v
    return v % P


def square_times(x: int, times: int) -> int:
    """Return x raised to the power 2^times."""
    mask = MASK
    for i in range(times):
        x = x * x
        x = (x & mask) + (x >> 255) * 19
        if i & 1:
            x %= P
    return x % P


def root_power_steps(x: int):
    """Raise x to the power (P - 5) / 8 = 2^252 - 3, the hard part of a square root; returns a canonical number."""
    # Each line doubles the number of ones in the exponent, as the names count them: ones_5 is x^(2^5 - 1).
    two = x * x % P
    ones_2 = two * x % P
    ones_4 = square_times(ones_2, 2) * ones_2 % P
    ones_5 = square_times(ones_4, 1) * x % P
    ones_10 = square_times(ones_5, 5) * ones_5 % P
    ones_20 = square_times(ones_10, 10) * ones_10 % P
    ones_40 = square_times(ones_20, 20) * ones_20 % P
    yield
    ones_50 = square_times(ones_40, 10) * ones_10 % P
    ones_100 = square_times(ones_50, 50) * ones_50 % P
    yield
    power = ones_100
    for _ in range(2):
        power = square_times(power, 50)
        yield
    ones_200 = power * ones_100 % P
    ones_250 = square_times(ones_200, 50) * ones_50 % P
    yield
    return square_times(ones_250, 2) * x % P
