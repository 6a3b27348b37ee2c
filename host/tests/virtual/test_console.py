"""A virtual board's prompt is a board's: for people, for mpremote and for ampy."""

import asyncio


def test_mpremote_runs_code_and_handles_files(bench):
    async def story(bench):
        board = await bench.board()
        source = bench.folder / "hello.py"
        source.write_text("print('hello')\n" * 300)
        connect = ("connect", board.port)
        assert await bench.tool("mpremote", *connect, "exec", "import sys; print(sys.platform)") == (0, "esp32\n")
        assert (await bench.tool("mpremote", *connect, "fs", "cp", source, ":hello.py"))[0] == 0
        code, listing = await bench.tool("mpremote", *connect, "fs", "ls")
        assert (code, listing.split()[-2:]) == (0, ["4500", "hello.py"])
        code, back = await bench.tool("mpremote", *connect, "fs", "cat", ":hello.py")
        assert (code, back) == (0, source.read_text())

    bench.run(story)


def test_mpremote_resumes_without_a_reset_and_resets_when_told(bench):
    async def story(bench):
        board = await bench.board()
        connect = ("connect", board.port)
        await bench.tool("mpremote", *connect, "exec", "kept = 41")
        assert await bench.tool("mpremote", *connect, "resume", "exec", "print(kept + 1)") == (0, "42\n")
        assert (await bench.tool("mpremote", *connect, "soft-reset"))[0] == 0
        assert "NameError" in (await bench.tool("mpremote", *connect, "resume", "exec", "kept"))[1]
        before = len(board.resets)
        assert (await bench.tool("mpremote", *connect, "resume", "reset"))[0] == 0
        while len(board.resets) == before:
            await asyncio.sleep(0.01)
        assert board.resets[-1] == "hard"

    bench.run(story)


def test_a_failing_program_is_reported_as_a_board_reports_it(bench):
    async def story(bench):
        client = await bench.at_raw_prompt(await bench.board())
        out, error = await client.execute("print('before')\n1/0")
        assert out == "before\r\n"
        assert error.split("\r\n") == [
            "Traceback (most recent call last):",
            '  File "<stdin>", line 2, in <module>',
            "ZeroDivisionError: divide by zero",
            "",
        ]

    bench.run(story)


def test_ampy_puts_and_gets(bench):
    async def story(bench):
        board = await bench.board()
        source = bench.folder / "a.txt"
        source.write_text("one\ntwo\n")
        assert (await bench.tool("ampy", "-p", board.port, "-d", "0", "put", source))[0] == 0
        code, back = await bench.tool("ampy", "-p", board.port, "-d", "0", "get", "a.txt")
        assert (code, back.strip()) == (0, "one\ntwo")

    bench.run(story)


def test_raw_paste_takes_no_more_than_its_window_allows(bench):
    async def story(bench):
        client = await bench.at_raw_prompt(await bench.board())
        head = await client.ask(b"\x05A\x01", b"R\x01\x80\x00\x01")
        assert head == b"R\x01\x80\x00\x01"
        program = b"x = '" + b"a" * 500 + b"'\nprint(len(x))\n"
        window, sent = 128, 0
        while sent < len(program):
            part = program[sent : sent + window]
            await client.send(part)
            sent += len(part)
            window -= len(part)
            if window == 0:
                await client.until(b"\x01")
                window = 128
        await client.ask(b"\x04", b"\x04")
        assert await client.until(b"\x04>") == b"500\r\n\x04\x04>"
        # a paste can be given up
        await client.ask(b"\x05A\x01", b"\x01")
        await client.ask(b"junk(\x03", b"\x04\x04\x04>")
        assert await client.execute("print(1)") == ("1\r\n", "")

    bench.run(story)


def test_the_friendly_prompt_echoes_continues_and_pastes(bench):
    async def story(bench):
        client = await bench.at_raw_prompt(await bench.board())
        banner = await client.ask(b"\x02", b">>> ")
        assert b"MicroPython v" in banner
        assert b"with ESP32S3\r\nType " in banner
        assert await client.ask(b"6*7\r", b">>> ") == b"6*7\r\n42\r\n>>> "
        await client.ask(b"for i in range(2):\r", b"... ")
        await client.ask(b"    print(i)\r", b"... ")
        assert await client.ask(b"\r", b">>> ") == b"\r\n0\r\n1\r\n>>> "
        await client.ask(b"\x05", b"=== ")
        await client.ask(b"if 1:\r    print('pa')\r    print('sted')\r", b"=== ")
        assert b"pa\r\nsted\r\n" in await client.ask(b"\x04", b">>> ")
        assert await client.ask(b"nonsense(\x03", b">>> ") == b"nonsense(\r\n>>> "
        assert b"soft reboot" in await client.ask(b"\x04", b">>> ")

    bench.run(story)


def test_ctrl_c_ends_the_application_and_leaves_the_prompt(bench):
    async def story(bench):
        board = await bench.board()
        client = await bench.at_raw_prompt(board)
        await client.execute("with open('main.py', 'w') as f: f.write('import time\\nwhile True: time.sleep(9)')")
        await client.ask(b"\x02", b">>> ")
        await client.ask(b"\x04", b"soft reboot\r\n")
        await asyncio.sleep(0.2)
        report = await client.ask(b"\r\x03\x03", b">>> ")
        assert b"KeyboardInterrupt" in report
        assert await client.ask(b"1+1\r", b"2\r\n>>> ")
        assert "crash" not in board.resets

    bench.run(story)


def test_many_ctrl_c_at_once_never_end_the_process(bench):
    async def story(bench):
        board = await bench.board()
        client = await bench.at_raw_prompt(board)
        for _ in range(20):
            await client.send(b"while True: pass\x04")
            await client.until(b"OK")
            await client.send(b"\x03\x03\x03\x03")
            await client.until(b"\x04>")
        assert board.resets == []

    bench.run(story)


def test_without_an_interrupt_character_a_ctrl_c_reaches_the_application(bench):
    program = """
import micropython, sys
micropython.kbd_intr(-1)
got = sys.stdin.buffer.read(3)
micropython.kbd_intr(3)
print(got)
"""

    async def story(bench):
        client = await bench.at_raw_prompt(await bench.board())
        await client.ask(program.encode() + b"\x04", b"OK")
        await asyncio.sleep(0.2)
        assert await client.ask(b"\x00\x03\xff", b"\x04>") == b"b'\\x00\\x03\\xff'\r\n\x04\x04>"
        # and the next program can be interrupted again
        await client.ask(b"while True: pass\x04", b"OK")
        await asyncio.sleep(0.1)
        assert b"KeyboardInterrupt" in await client.ask(b"\x03", b"\x04>")

    bench.run(story)


def test_bytes_leave_unchanged_and_text_gets_line_ends(bench):
    async def story(bench):
        client = await bench.at_raw_prompt(await bench.board())
        out = await client.ask(
            b"import sys\nsys.stdout.buffer.write(bytes(range(5, 256)))\nsys.stdout.write('t\\n')\nprint('p')\x04",
            b"p\r\n",
        )
        assert out == b"OK" + bytes(range(5, 256)) + b"t\r\np\r\n"

    bench.run(story)


def test_asyncio_waits_for_the_cable(bench):
    program = """
import asyncio, sys
async def main():
    reader = asyncio.StreamReader(sys.stdin.buffer)
    ticks = 0
    async def tick():
        nonlocal ticks
        while True:
            await asyncio.sleep_ms(5)
            ticks += 1
    task = asyncio.create_task(tick())
    got = await reader.readexactly(2)
    task.cancel()
    print(got, ticks > 5)
asyncio.run(main())
"""

    async def story(bench):
        client = await bench.at_raw_prompt(await bench.board())
        await client.ask(program.encode() + b"\x04", b"OK")
        await asyncio.sleep(0.2)
        assert (await client.ask(b"hi", b"\x04>")).startswith(b"b'hi' True\r\n")

    bench.run(story)


def test_what_nobody_reads_is_lost_and_does_not_stop_the_board(bench):
    async def story(bench):
        board = await bench.board()
        client = await bench.at_raw_prompt(board)
        await client.send(b"import time\nfor i in range(2000): print('chatter' * 5)\ntime.sleep(9)\x04")
        await client.until(b"chatter")
        client.close()
        while board.counters.from_board < 2000 * 37:
            await asyncio.sleep(0.01)
        assert board.counters.dropped > 0
        other = bench.client(board)
        bench._stack.pop_all()
        bench._stack.push_async_callback(board.close)
        assert b"chatter" not in await other.ask(b"\x03", b"\x04>")
        other.close()

    bench.run(story)
