"""A virtual board keeps its flash through every kind of reset, and a power cut is a power cut."""

import asyncio
import time

import pytest

from hedgerow.virtual.pump import Pace

_CAUSE = "import machine\nprint(machine.reset_cause())"


async def _until_reset(board, kind, within_s=5.0):
    async with asyncio.timeout(within_s):
        while kind not in board.resets:
            await asyncio.sleep(0.01)


def test_files_survive_soft_reset_reset_and_power_cut(bench):
    async def story(bench):
        board = await bench.board()
        client = await bench.at_raw_prompt(board)
        await client.execute("with open('kept', 'w') as f: f.write('x' * 5000)")
        for how in ("\x04", "import machine\nmachine.reset()\x04"):
            await client.send(how.encode())
            await asyncio.sleep(0.2)
            await client.raw()
            assert await client.execute("import os\nprint(os.stat('kept')[6])") == ("5000\r\n", "")
        await board.kill()
        assert board.pid is None
        await board.power_on()
        await client.raw()
        assert await client.execute("import os\nprint(os.stat('kept')[6])") == ("5000\r\n", "")

    bench.run(story)


def test_the_flash_is_as_large_as_the_boards(bench):
    async def story(bench):
        board = await bench.board("RPI_PICO")
        client = await bench.at_raw_prompt(board)
        out, _ = await client.execute("import os\ns = os.statvfs('/')\nprint(s[0] * s[2])")
        assert int(out) == board.board.filesystem_bytes

    bench.run(story)


@pytest.mark.parametrize(
    ("kind", "causes"),
    [("ESP32_GENERIC_S3", ["1", "5", "2", "3", "4", "1"]), ("RPI_PICO", ["1", "1", "3", "3", "3", "1"])],
)
def test_reset_cause_has_the_values_of_the_boards_port(bench, kind, causes):
    async def story(bench):
        board = await bench.board(kind)
        client = await bench.at_raw_prompt(board)
        seen = [(await client.execute(_CAUSE))[0].strip()]
        steps = (
            (b"\x04", "soft"),
            (b"import machine\nmachine.reset()\x04", "hard"),
            (b"import machine\nmachine.WDT(timeout=200)\nwhile True: pass\x04", "watchdog"),
            (b"import machine\nmachine.deepsleep(100)\x04", "deepsleep"),
        )
        for command, kind_of_reset in steps:
            await client.send(command)
            await _until_reset(board, kind_of_reset)
            await asyncio.sleep(0.25)
            await client.raw()
            seen.append((await client.execute(_CAUSE))[0].strip())
        await board.kill()
        await board.power_on()
        await client.raw()
        seen.append((await client.execute(_CAUSE))[0].strip())
        assert seen == causes

    bench.run(story)


def test_a_fed_watchdog_does_not_bite_and_a_soft_reset_does_not_stop_it(bench):
    async def story(bench):
        board = await bench.board()
        client = await bench.at_raw_prompt(board)
        feeding = (
            "import machine, time\nw = machine.WDT(timeout=300)\nfor _ in range(6):\n time.sleep_ms(100)\n w.feed()"
        )
        assert (await client.execute(feeding))[1] == ""
        assert board.resets == []
        await client.send(b"\x04")
        await _until_reset(board, "watchdog")
        assert board.resets == ["soft", "watchdog"]

    bench.run(story)


def test_a_timer_feeds_the_watchdog_while_a_person_is_at_the_prompt(bench):
    async def story(bench):
        board = await bench.board()
        client = await bench.at_raw_prompt(board)
        setup = (
            "import machine\nw = machine.WDT(timeout=1000)\nt = machine.Timer(-1)\n"
            "t.init(period=100, mode=machine.Timer.PERIODIC, callback=lambda _: w.feed())"
        )
        assert await client.execute(setup) == ("", "")
        await asyncio.sleep(1.5)
        assert board.resets == []
        await client.execute("t.deinit()")
        await _until_reset(board, "watchdog")

    bench.run(story)


def test_boot_runs_before_main_and_the_raw_prompt_skips_main(bench):
    async def story(bench):
        board = await bench.board()
        client = await bench.at_raw_prompt(board)
        for name in ("boot", "main"):
            await client.execute(f"with open('{name}.py', 'w') as f: f.write('print(\"this is {name}\")')")
        restart = await client.ask(b"\x04", b"raw REPL; CTRL-B to exit\r\n>")
        assert b"MPY: soft reboot\r\nthis is boot\r\n" in restart
        assert b"this is main" not in restart
        await client.ask(b"\x02", b">>> ")
        restart = await client.ask(b"\x04", b">>> ")
        assert b"soft reboot\r\nthis is boot\r\nthis is main\r\nMicroPython" in restart

    bench.run(story)


def test_a_boot_that_fails_or_is_interrupted_leaves_the_prompt_and_never_runs_main(bench):
    async def story(bench):
        board = await bench.board()
        client = await bench.at_raw_prompt(board)
        await client.execute("with open('main.py', 'w') as f: f.write('print(\"this is main\")')")
        for boot, keys in (("1/0", b""), ("print('here')\nwhile True: pass", b"\x03")):
            await client.execute(f"with open('boot.py', 'w') as f: f.write({boot!r})")
            await client.ask(b"\x02", b">>> ")
            await client.ask(b"\x04", b"soft reboot\r\n")
            if keys:
                await client.until(b"here\r\n")
            report = await client.ask(keys, b">>> ")
            assert (b"KeyboardInterrupt" if keys else b"ZeroDivisionError") in report
            assert b"this is main" not in report
            await client.raw()

    bench.run(story)


def test_power_cut_at_any_write_leaves_a_file_system_that_mounts(bench):
    """A file is replaced again and again; wherever the power goes, the old or the new content is there, whole."""
    replace = (
        "import os\nfor n in range(50):\n with open('new', 'w') as f: f.write(chr(97 + n % 26) * 700)\n"
        " os.rename('new', 'file')"
    )

    async def story(bench):
        board = await bench.board()
        client = await bench.at_raw_prompt(board)
        await client.execute("with open('file', 'w') as f: f.write('a' * 700)")
        for writes in range(1, 41):
            board.cut_after_writes(writes, half=writes % 2 == 0)
            await client.send(replace.encode() + b"\x04")
            await board.wait_off(5)
            assert board.resets[-1] == "off"
            await board.power_on()
            client.heard = b""
            await client.raw()
            out, error = await client.execute("s = open('file').read()\nprint(len(s), len(set(s)))")
            assert (out, error) == ("700 1\r\n", ""), f"cut at write {writes}"

    bench.run(story, 40)


def test_ctrl_c_in_the_middle_of_writing_leaves_the_file_system_whole(bench):
    async def story(bench):
        client = await bench.at_raw_prompt(await bench.board())
        writing = "n = 0\nwhile True:\n with open('f%d' % (n % 5), 'w') as f: f.write('y' * 9000)\n n += 1"
        for round_ in range(15):
            await client.ask(writing.encode() + b"\x04", b"OK")
            await asyncio.sleep(0.01 + 0.003 * round_)
            assert b"KeyboardInterrupt" in await client.ask(b"\x03", b"\x04>")
        out, error = await client.execute("import os\nfor n in os.listdir(): open(n).read()\nprint('whole')")
        assert (out, error) == ("whole\r\n", "")

    bench.run(story)


def test_a_pulled_cable_ends_the_port_and_a_new_one_comes_under_the_same_link(bench):
    async def story(bench):
        board = await bench.board()
        client = await bench.at_raw_prompt(board)
        await client.execute("kept = 'still here'")
        old = board.port
        assert board.link.resolve().as_posix() == old
        board.pull_cable()
        assert board.port is None
        assert not board.link.exists()
        with pytest.raises(OSError):  # noqa: PT011 - the system's words differ
            await client.until(b"never")
        board.plug()
        assert board.link.resolve().as_posix() == board.port
        again = bench.client(board)
        await again.ask(b"\x02", b">>> ")
        assert b"still here" in await again.ask(b"kept\r", b">>> ")
        assert board.resets == []

    bench.run(story)


def _hiccup(loop, pause_s):
    """What a busy computer does to the process that keeps the boards, again and again until the loop ends."""
    time.sleep(pause_s)
    loop.call_later(0.02, _hiccup, loop, pause_s)


@pytest.mark.parametrize("pause_s", [0, 0.03])
def test_a_paced_cable_takes_the_time_of_its_baud_rate_also_on_a_busy_computer(bench, pause_s):
    async def story(bench):
        board = await bench.board(pace=Pace(115_200))
        client = await bench.at_raw_prompt(board)
        loop = asyncio.get_running_loop()
        _hiccup(loop, pause_s)
        for command, size in ((b"print('x' * 9000)\x04", 9000), (b"#" * 9000 + b"\x04", 9000)):
            took_s = []
            for _ in range(3):  # other work on this computer may spoil one of them
                started = loop.time()
                await client.ask(command, b"\x04>")
                took_s.append(loop.time() - started)
            assert size / 11_520 <= min(took_s) <= size / 11_520 * 1.25
        assert board.counters.from_board > 9000
        assert board.counters.to_board > 9000

    bench.run(story)
