"""Ed25519 against RFC 8032, and its shortcuts (comb, window, tables) against plain arithmetic."""

import asyncio

from harness import raises, vectors

from hedgenode.crypto import ed25519, ed25519_base, field25519
from hedgenode.crypto.steps import finish, finish_politely

P = field25519.P
D = -121665 * pow(121666, P - 2, P) % P


def cases(kind):
    """Every case of vectors/ed25519.json with its hexadecimal fields as bytes."""
    for case in vectors("ed25519")[kind]:
        yield {key: text if key == "name" else bytes.fromhex(text) for key, text in case.items()}


def affine_sum(one, other):
    """The addition law of RFC 8032 section 5.1.4 as it stands in a textbook, on (x, y)."""
    (x1, y1), (x2, y2) = one, other
    k = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + k, P - 2, P) % P
    return x, (y1 * y2 + x1 * x2) * pow(1 - k, P - 2, P) % P


def affine_multiple(count, point):
    result = (0, 1)
    while count:
        if count & 1:
            result = affine_sum(result, point)
        point = affine_sum(point, point)
        count >>= 1
    return result


def base_point():
    y = 4 * pow(5, P - 2, P) % P
    return finish(ed25519._decompress_steps(y.to_bytes(32, "little")))


def test_public_keys_and_signatures_of_the_rfc():
    for case in cases("signed"):
        key = finish(ed25519.signing_key_steps(case["seed"]))
        assert key.public == case["public"], case["name"]
        assert finish(key.sign_steps(case["message"])) == case["signature"], case["name"]
        assert ed25519.verify(case["public"], case["message"], case["signature"]), case["name"]


def test_whatever_is_wrong_is_refused_and_not_raised():
    for case in cases("refused"):
        assert not ed25519.verify(case["public"], case["message"], case["signature"]), case["name"]


def test_the_short_forms_agree_with_the_steps():
    case = next(cases("signed"))
    assert ed25519.public_key(case["seed"]) == case["public"]
    assert ed25519.sign(case["seed"], case["message"]) == case["signature"]


def test_a_seed_of_another_length_is_our_own_mistake():
    raises(ValueError, ed25519.public_key, bytes(31))
    raises(ValueError, ed25519.sign, bytes(33), b"")


def test_other_tasks_run_while_a_key_is_computed():
    turns = []

    async def other_task():
        while True:
            turns.append(1)
            await asyncio.sleep(0)

    async def both():
        other = asyncio.create_task(other_task())
        public = await finish_politely(ed25519.public_key_steps(bytes(32)))
        other.cancel()
        return public

    assert asyncio.run(asyncio.wait_for(both(), 20)) == ed25519.public_key(bytes(32))
    assert len(turns) >= 5


def test_every_entry_of_the_base_table_is_the_multiple_that_it_claims():
    number = int.from_bytes
    assert len(ed25519_base.ENTRIES) == 16 * 96
    for table in range(2):
        for index in range(8):
            count = 1 << 192
            for tooth in range(3):
                count += (1 if index >> tooth & 1 else -1) << 64 * tooth
            x, y = affine_multiple((count << 32 * table) % ed25519.ORDER, base_point())
            at = 96 * (8 * table + index)
            stored = [number(ed25519_base.ENTRIES[i : i + 32], "little") for i in range(at, at + 96, 32)]
            assert stored == [(y - x) % P, (y + x) % P, 2 * D * x * y % P], (table, index)


def test_digits_add_up_to_their_scalar():
    order = ed25519.ORDER
    for scalar in (0, 1, 2, 7, 8, 9, 15, 16, (1 << 252) - 1, 0x5555 << 200, order - 1, order - 2, order >> 1):
        window = ed25519._window_digits(scalar)
        total = 0
        for place in range(256):
            total += (window[place] - 8) << place
        assert total == scalar, scalar
        comb = int.from_bytes(ed25519._comb_digits(scalar), "little")
        total = 2 * comb - ((1 << 256) - 1)
        assert total % order == scalar, scalar


def test_a_sum_of_two_multiples_is_that_of_the_textbook():
    base = base_point()
    point = affine_multiple(123456789, base)
    for first, second in ((0, 1), (1, 0), (1, 1), (5, ed25519.ORDER - 1), (ed25519.ORDER - 1, 1 << 251)):
        x, y = point
        result = finish(ed25519.multiply_steps(first, second, (x, y, 1, x, y)))
        wanted = affine_sum(affine_multiple(first, base), affine_multiple(second, point))
        inverse = field25519.invert(result[2])
        assert (result[0] * inverse % P, result[1] * inverse % P) == wanted, (first, second)


def test_inverses_and_root_powers():
    for x in (1, 2, 3, P - 1, P - 2, P >> 1, 1 << 254, P + 5, -7):
        assert field25519.invert(x) * x % P == 1, x
        assert finish(field25519.root_power_steps(x)) == pow(x % P, (P - 5) // 8, P), x
    assert field25519.invert(0) == 0
    assert field25519.invert(P) == 0
