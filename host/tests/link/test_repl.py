"""The raw REPL is reached from whatever a board is doing, and never waited for without end."""

import asyncio
import time

import pytest
from lines import WithoutRawPaste

from hedgerow.errors import LinkError, RemoteError
from hedgerow.repl import BoardException, Repl
from hedgerow.transports.ports import connect


class SilentLine:
    name = "silent"

    def __init__(self) -> None:
        self.sent = b""

    async def send(self, data: bytes) -> None:
        self.sent += data

    async def receive(self) -> bytes:
        await asyncio.Event().wait()
        raise AssertionError

    async def close(self) -> None: ...


class TalkingLine(SilentLine):
    name = "talker"

    async def receive(self) -> bytes:
        await asyncio.sleep(0.02)
        return b"\x1b[0;32mI (312) boot: garden lights v3\r\n"


def on_board(board, run, before, check):
    """Let the board do `before(transport)`, then `check(repl)` after entering."""

    async def work():
        async with board() as one:
            transport = await connect(one.port)
            await before(transport)
            async with Repl(transport) as repl:
                await check(repl)
            await transport.close()

    run(work())


async def adds(repl):
    assert (await repl.exec("print(40 + 2)")).strip() == b"42"


async def nothing(transport): ...


def test_a_board_at_its_prompt(board, run):
    on_board(board, run, nothing, adds)


def test_a_half_typed_line_is_dropped(board, run):
    async def type_half(transport):
        await transport.send(b"\rfor i in range(3):\r   print(")
        await asyncio.sleep(0.05)

    on_board(board, run, type_half, adds)


def test_a_running_program_is_stopped(board, run):
    async def start_program(transport):
        await transport.send(b"\rwhile True: pass\r\r\r")
        await asyncio.sleep(0.1)

    on_board(board, run, start_program, adds)


def test_a_raw_prompt_with_a_half_typed_program_left_by_another_tool(board, run):
    async def leave_raw(transport):
        await transport.send(b"\r\x03\x01")
        await asyncio.sleep(0.05)
        await transport.send(b"x = [1,\n")

    on_board(board, run, leave_raw, adds)


def test_a_raw_paste_that_was_never_ended(board, run):
    async def leave_pasting(transport):
        await transport.send(b"\r\x03\x01")
        await asyncio.sleep(0.05)
        await transport.send(b"\x05A\x01")
        await asyncio.sleep(0.05)
        await transport.send(b"print(1")

    on_board(board, run, leave_pasting, adds)


def test_a_board_that_resets_itself_again_and_again_is_caught(board, run):
    """main.py runs for 150 ms and resets: the moment in which Ctrl-C is heard is short."""

    async def work():
        async with board() as one:
            transport = await connect(one.port)
            repl = Repl(transport)
            await repl.enter()
            loop = "import time, machine\ntime.sleep_ms(150)\nmachine.reset()\n"
            await repl.exec(f"with open('/main.py', 'w') as f: f.write({loop!r})")
            await repl.hard_reset()
            await asyncio.sleep(0.5)
            assert len(one.resets) >= 2
            await repl.enter()
            await adds(repl)
            await transport.close()

    run(work())


def test_an_exception_on_the_board_keeps_its_last_line_and_its_traceback(board, run):
    async def check(repl):
        with pytest.raises(BoardException) as caught:
            await repl.exec("def f():\n  return {}['battery']\nf()")
        assert caught.value.last_line == "KeyError: battery"
        assert "KeyError: battery" in str(caught.value)
        assert "Traceback" in caught.value.traceback
        assert isinstance(caught.value, RemoteError)
        with pytest.raises(BoardException) as caught:
            await repl.exec("open('/none')")
        assert caught.value.errno == 2
        await adds(repl)

    on_board(board, run, nothing, check)


def test_long_code_and_long_output_arrive_whole(board, run):
    async def check(repl):
        numbers = list(range(3000))
        printed = await repl.exec(f"x = {numbers}\nfor n in x: print(n)")
        assert [int(word) for word in printed.split()] == numbers

    on_board(board, run, nothing, check)


def test_a_board_without_raw_paste_gets_the_code_in_small_pieces(board, run):
    async def work():
        async with board() as one:
            transport = WithoutRawPaste(await connect(one.port))
            async with Repl(transport) as repl:
                for _ in range(2):
                    assert (await repl.exec("x = 1  # " + "long " * 400 + "\nprint(x)")).strip() == b"1"
            assert transport.asked == 1  # and is not asked again
            await transport.close()

    run(work())


def test_code_that_does_not_end_is_interrupted_after_its_time(board, run):
    async def check(repl):
        start = time.monotonic()
        with pytest.raises(LinkError, match=r"was given 0\.3 s and is not done"):
            await repl.exec("print('counting')\nwhile True: pass", timeout_s=0.3)
        assert time.monotonic() - start < 2
        await repl.enter()
        await adds(repl)

    on_board(board, run, nothing, check)


def test_a_soft_reset_empties_the_memory_and_stays_at_the_raw_prompt(board, run):
    async def check(repl):
        await repl.exec("x = 1")
        await repl.soft_reset()
        with pytest.raises(BoardException, match="NameError"):
            await repl.exec("print(x)")

    on_board(board, run, nothing, check)


def test_leaving_gives_the_prompt_back(board, run):
    async def work():
        async with board() as one:
            transport = await connect(one.port)
            async with Repl(transport) as repl:
                await adds(repl)
            await transport.send(b"6*7\r")
            heard = b""
            while b"42" not in heard:
                heard += await asyncio.wait_for(transport.receive(), 2)
            await transport.close()

    run(work())


def test_a_silent_board_is_given_up_in_bounded_time_with_what_to_do(run):
    async def work():
        start = time.monotonic()
        with pytest.raises(LinkError) as caught:
            await Repl(SilentLine()).enter(within_s=1.0)
        assert time.monotonic() - start < 4
        assert "the board does not answer; it says nothing at all" in str(caught.value)
        assert "reset button" in str(caught.value)

    run(work())


def test_a_board_that_talks_but_does_not_stop_is_quoted(run):
    async def work():
        with pytest.raises(LinkError, match="garden lights v3"):
            await Repl(TalkingLine()).enter(within_s=1.0)

    run(work())
