"""Measures how long it takes to learn that 50 files on a board are unchanged, beside other tools; knows no board.

    python host/benchmarks/compare.py

Timed alike for every tool, on an open port in the raw REPL at 115,200 baud: from the first question to the last answer
by which the tool knows that none of the 50 files has to be copied. hedgerow asks one question for SHA-256 of all;
mpremote asks for SHA-256 of one file after the other, as its `cp` does; mpytool asks for sizes and SHA-256 of all.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Callable

from mpremote.transport_serial import SerialTransport
from mpytool.conn_serial import ConnSerial
from mpytool.mpy import Mpy
from slow_board import BAUD, slow_board

from hedgerow.fleet import boards
from hedgerow.plans import firmware
from hedgerow.repl import Repl
from hedgerow.repl.copy import FileToCopy, compare, copy_files
from hedgerow.transports.serial import open_serial

FILES = 50
ROUNDS = 3
AT_MOST_OF_MPREMOTE = 1 / 3
BOARD = "RPI_PICO"


def files() -> list[FileToCopy]:
    """The firmware, and made-up modules as large as its own if it has fewer than 50 files."""
    real = list(firmware.build(boards.load(BOARD)).files)[:FILES]
    made = [FileToCopy(f"/a/extra/module{number}.mpy", real[number].data) for number in range(FILES - len(real))]
    return real + made


def with_hedgerow(port: str, wanted: list[FileToCopy]) -> float:
    async def ask() -> float:
        transport = open_serial(port)
        async with Repl(transport) as repl:
            start = time.perf_counter()
            differ = await compare(repl, wanted)
            took = time.perf_counter() - start
        await transport.close()
        assert differ == []
        return took

    return asyncio.run(ask())


def with_mpremote(port: str, wanted: list[FileToCopy]) -> float:
    transport = SerialTransport(port, BAUD)
    transport.enter_raw_repl(soft_reset=False)
    start = time.perf_counter()
    found = [transport.fs_hashfile(file.path, "sha256") for file in wanted]
    took = time.perf_counter() - start
    transport.exit_raw_repl()
    transport.close()
    assert found == [file.sha256 for file in wanted]
    return took


def with_mpytool(port: str, wanted: list[FileToCopy]) -> float:
    connection = ConnSerial(port=port, baudrate=BAUD)
    tool = Mpy(connection)
    tool.comm.enter_raw_repl()
    start = time.perf_counter()
    found = tool.fileinfo({file.path: len(file.data) for file in wanted})
    took = time.perf_counter() - start
    tool.comm.exit_raw_repl()
    connection.close()
    assert found is not None
    assert [found[file.path][1] for file in wanted] == [file.sha256 for file in wanted]
    return took


TOOLS: dict[str, Callable[[str, list[FileToCopy]], float]] = {
    "mpremote": with_mpremote,
    "mpytool": with_mpytool,
    "hedgerow": with_hedgerow,
}


async def prepare(port: str, wanted: list[FileToCopy]) -> None:
    transport = open_serial(port)
    async with Repl(transport) as repl:
        await copy_files(repl, wanted)
    await transport.close()


def main() -> int:
    wanted = files()
    print(f"seconds to see that {len(wanted)} files ({sum(len(one.data) for one in wanted):,} B) are unchanged")
    seconds: dict[str, float] = {}
    with slow_board(BOARD) as port:
        asyncio.run(prepare(port, wanted))
        for name, ask in TOOLS.items():
            try:
                seconds[name] = statistics.median(ask(port, wanted) for _ in range(ROUNDS))
            except Exception as error:  # noqa: BLE001 - other people's tools raise what they like; the table says so
                print(f"{name:<10}  failed: {type(error).__name__}: {error}", flush=True)
                continue
            print(f"{name:<10} {seconds[name]:>7.3f}", flush=True)
    bar = seconds["mpremote"] * AT_MOST_OF_MPREMOTE
    good = seconds["hedgerow"] <= bar
    print(f"{'at most':<10} {bar:>7.3f}  {'PASS' if good else 'FAIL'} (a third of mpremote)")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
