"""EDHOC on the host: the traces of RFC 9529 with the curve of `cryptography`, and a laptop with a board."""

import random
import subprocess
from pathlib import Path

import pytest
from edhoc_sides import run, sides
from harness import vectors
from suite2 import Suite2

from hedgenode.crypto import suite0 as of_a_board
from hedgenode.crypto.steps import finish
from hedgerow.errors import EnvironmentProblem
from hedgerow.session import suite0
from hedgerow.virtual import interpreter
from hedgewire import edhoc
from hedgewire.cbor import Damage

EXCHANGES = vectors("edhoc")["exchanges"]
BOARD = Path(__file__).with_name("edhoc_on_a_board.py")
HANDSHAKES = 40


def suite_of(case):
    return Suite2 if case["suite"] == 2 else suite0


@pytest.mark.parametrize("case", EXCHANGES, ids=lambda case: case["name"])
def test_traces_with_the_curves_of_another_library(case):
    initiator, responder = sides(case, suite_of(case))
    told = run(case, initiator, responder)
    assert [message.hex() for message in told] == [case[f"message_{number}"] for number in (1, 2, 3, 4)]
    for wanted in case["exports"]:
        out = initiator.export(wanted["label"], bytes.fromhex(wanted["context"]), len(wanted["out"]) // 2)
        assert out.hex() == wanted["out"]


def test_points_that_lie_on_no_curve_are_refused():
    trace = next(case for case in EXCHANGES if case["suite"] == 2)
    refused = [case for case in vectors("edhoc")["refused"] if case["name"].startswith("Error in elliptic curve")]
    assert len(refused) == 3
    for case in refused:
        _, responder = sides(trace, Suite2)
        assert isinstance(finish(responder.message_2_steps(bytes.fromhex(case["hex"]), b"\x01")), Damage), case["name"]


def random_case(chance: random.Random) -> dict:
    """A vector's fields, with fresh keys for both sides."""
    case = {"suite": 0, "more_preferred": [], "c_i": chance.randbytes(2).hex(), "c_r": chance.randbytes(4).hex()}
    for name in "xyir":
        secret = chance.randbytes(32)
        case |= {name: secret.hex(), "g_" + name: suite0.public_of(secret).hex()}
    for name in "ir":
        kid = suite0.hash(bytes.fromhex(case["g_" + name]))[:8]
        case |= {"kid_" + name: kid.hex(), "cred_" + name: edhoc.raw_key(kid, bytes.fromhex(case["g_" + name])).hex()}
    return case


def test_a_laptop_and_a_board_agree_whoever_begins():
    chance = random.Random(9528)
    for number in range(HANDSHAKES):
        case = random_case(chance)
        of_the_laptop, of_the_board = sides(case, suite0), sides(case, of_a_board)
        pair = (of_the_laptop[0], of_the_board[1]) if number % 2 else (of_the_board[0], of_the_laptop[1])
        told = run(case, *pair)
        assert isinstance(told, list), told
        assert pair[0].export(32768, b"", 32) == pair[1].export(32768, b"", 32)


def test_a_laptop_and_a_real_micropython_agree():
    """CPython begins, MicroPython answers in a process of its own; all that passes between them is messages."""
    try:
        command = interpreter.ensure().command
    except EnvironmentProblem as problem:
        pytest.skip(str(problem))
    chance = random.Random(1952)
    for _ in range(3):
        case = random_case(chance)
        initiator = sides(case, suite0)[0]
        fields = [case[name] for name in ("y", "g_y", "r", "kid_r", "cred_r", "c_r", "kid_i", "g_i", "cred_i")]
        with subprocess.Popen([*command, str(BOARD), *fields], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as board:

            def ask(message: bytes, board=board) -> bytes:
                board.stdin.write(message.hex().encode() + b"\n")
                board.stdin.flush()
                return bytes.fromhex(board.stdout.readline().decode())

            message_2 = ask(initiator.message_1(bytes.fromhex(case["c_i"])))
            message_3 = finish(initiator.message_3_steps(message_2))
            message_4 = ask(message_3)
            assert initiator.take_message_4(message_4) is None
            assert initiator.connection.hex() == case["c_r"]
            assert ask(b"") == initiator.export(32768, b"", 32)
        assert board.returncode == 0
