"""Measures one station process with many virtual boards, beside what the boards themselves take of the processors.

    python host/benchmarks/station.py        50 boards
    python host/benchmarks/station.py 8      fewer

The boards are processes of MicroPython below one that plays their cables and radio, so that the station's memory and
time are its own: `hedgerow station --once` as a person starts it, from its start to the last record. What the boards
themselves take is the processor time of all these processes in that span, spread over the processors of this machine:
no host could be faster. The peer is the same work without a station: `hedgerow provision` of as many fresh boards,
which neither tests, labels nor records.

On a machine that has other work, seconds say little; then look at the share of the host, which does not depend on it.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hedgerow.errors import VerificationError
from hedgerow.fleet import boards, founding, proposal
from hedgerow.plans import firmware
from hedgerow.virtual import control, keeper

BOARD = "ESP32_GENERIC_S3"
BOARDS = 50
AT_MOST_TIMES_THE_BOARDS = 1.3
AT_MOST_MEMORY_BYTES = 300_000_000
HEDGEROW = [sys.executable, "-m", "hedgerow"]
_TICKS_A_S = os.sysconf("SC_CLK_TCK")


def processor_s(keeper_pid: int, pids: list[int]) -> tuple[float, float]:
    """Processor seconds so far: of MicroPython (a restarted board is a new process), and of what plays the cables."""
    own, of_ended = _ticks(keeper_pid)
    return (of_ended + sum(_ticks(pid)[0] for pid in pids)) / _TICKS_A_S, own / _TICKS_A_S


def _ticks(pid: int) -> tuple[int, int]:
    """Of a process, and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])


def fleet_of(folder: Path, count: int) -> Path:
    founding.found(folder, folder.name).close()
    with (folder / proposal.FILE_NAME).open("a", encoding="utf-8") as file:
        for number in range(1, count + 1):
            file.write(proposal.node_text(f"n{number}", BOARD))
    return folder


def measure(command: list[str], count: int, folder: Path) -> dict:
    """Run a command of hedgerow on so many bare boards; seconds, processor seconds, and memory of its process."""
    folder.mkdir()
    fleet = fleet_of(folder / "orchard", count)
    running = keeper.start(folder / "boards", [f"--count={count}", f"--board={BOARD}"])
    try:

        def spent_s() -> tuple[float, float]:
            found = control.ask(control.find(folder / "boards"), {"do": "list"})
            return processor_s(running.pid, [int(one["pid"]) for one in found if one["pid"]])

        links = [str(folder / "boards" / f"node-{number}" / "port") for number in range(1, count + 1)]
        before = spent_s()
        started = time.monotonic()
        with (folder / "told.json").open("wb") as told:
            arguments = [text for link in links for text in ("-p", link)]
            process = subprocess.Popen([*HEDGEROW, *command, *arguments, "--json"], cwd=fleet, stdout=told)
            _, _, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
        boards_s, cables_s = (now - then for now, then in zip(spent_s(), before, strict=True))
        said = json.loads((folder / "told.json").read_text())
        return {
            "passed": said["passed"],
            "failed": [one for one in said[next(key for key in said if key != "passed")] if one["result"] != "PASS"],
            "seconds": seconds,
            "boards_s": boards_s,
            "cables_s": cables_s,
            "host_s": usage.ru_utime + usage.ru_stime,
            "memory_bytes": usage.ru_maxrss * 1024,
        }
    finally:
        keeper.stop(folder / "boards")


def main(count: int) -> int:
    """Measure and print; ends with 1 where a board did not pass or a figure is not held."""
    firmware.build(boards.load(BOARD))  # compiling is not what is measured
    processors = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as folder:
        station = measure(["station", "--once"], count, Path(folder) / "station")
        peer = measure(["provision"], count, Path(folder) / "provision")
    if station["passed"] != count:
        raise VerificationError(
            f"{count - station['passed']:.0f} of {count} boards did not pass: {station['failed'][0]}"
        )
    played_s = station["boards_s"] + station["cables_s"]
    least_s = played_s / processors
    times = station["seconds"] / least_s
    print(f"{count} virtual boards on {processors} processors, load {os.getloadavg()[0]:.1f}")
    rows = (
        ("station: identify, install, enrol, test, label, record", f"{station['seconds']:7.1f} s   none failed"),
        ("the boards themselves, all processors at work", f"{least_s:7.1f} s   {times:.2f} times (at most 1.3)"),
        ("  of it MicroPython", f"{station['boards_s'] / processors:7.1f} s"),
        (
            "processor time of the station",
            f"{station['host_s']:7.1f} s   {station['host_s'] / played_s:.2f} of the boards'",
        ),
        ("memory of the station", f"{station['memory_bytes'] / 1e6:7.0f} MB  (at most 300)"),
        ("peer: hedgerow provision, install and enrol alone", f"{peer['seconds']:7.1f} s"),
    )
    for what, figure in rows:
        print(f"  {what:56}{figure}")
    held = times <= AT_MOST_TIMES_THE_BOARDS and station["memory_bytes"] <= AT_MOST_MEMORY_BYTES
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else BOARDS))
