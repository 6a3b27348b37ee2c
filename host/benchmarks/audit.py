"""Measures the audit of 50 virtual boards, beside `mpremote` that has the same boards hash their files; knows no board.

    python host/benchmarks/audit.py

What is timed is the whole command `hedgerow audit`, from its start to its exit, with all ports in one process: sessions
and keys, every file by hash, configuration, slots, state, and the ledger that is fetched and verified. The boards are
nodes that run, each on a pty that carries what it can. In the first audit each node works out the keys of a session
and gives its whole ledger; a later one finds both known. Both are shown. The boards share this machine's processors
with the command, as real boards do not.

mpremote is started once a port, as many at a time as there are processors, and has each board hash its files: that
stops the node, judges nothing, and knows neither keys nor ledgers.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

from hedgerow.errors import VerificationError
from hedgerow.fleet import boards, founding, proposal
from hedgerow.fleet.folder import FleetFolder
from hedgerow.plans import credentials, reach
from hedgerow.plans.parallel import Bench
from hedgerow.virtual import VirtualBoard, interpreter

BOARD = "ESP32_GENERIC_S3"
COUNT = 50
AUDIT_AT_MOST_S = 10.0
COMMAND_WITHIN_S = 300
READY_WITHIN_S = 120
_HASH = """
import os, hashlib
def walk(d):
    for e in os.ilistdir(d):
        p = d + '/' + e[0]
        if e[1] & 0x4000: walk(p)
        else:
            h = hashlib.sha256()
            with open(p, 'rb') as f:
                while True:
                    b = f.read(512)
                    if not b: break
                    h.update(b)
            print(p, h.digest().hex())
walk('/a')
"""


async def nodes(folder: Path, stack: AsyncExitStack) -> list[str]:
    """The ports of so many nodes that run, started anew after they were provisioned."""
    found, kind = interpreter.ensure(), boards.load(BOARD)
    founding.found(folder / "fleet", "bench").close()
    with (folder / "fleet" / proposal.FILE_NAME).open("a", encoding="utf-8") as file:
        file.writelines(proposal.node_text(f"n{number}", BOARD) for number in range(1, COUNT + 1))

    def board(number: int) -> VirtualBoard:
        uid = number.to_bytes(8, "big")
        return VirtualBoard(kind, folder / f"board-{number}", found, uid=uid, clock=time.time)

    bare = [board(number) for number in range(1, COUNT + 1)]
    await asyncio.gather(*(one.start() for one in bare))
    with FleetFolder(folder / "fleet") as fleet:
        results = await Bench(fleet).provision([str(one.link) for one in bare])
    await asyncio.gather(*(one.close() for one in bare))
    if failed := [one for one in results if not one.passed]:
        raise VerificationError(f"{len(failed)} of {COUNT} boards did not become nodes; the first: {failed[0].error}")
    running = [board(number) for number in range(1, COUNT + 1)]
    for one in running:
        stack.push_async_callback(one.close)
        await one.start()
    ports = [str(one.link) for one in running]
    with FleetFolder(folder / "fleet") as fleet:
        end = time.monotonic() + READY_WITHIN_S
        while True:
            async with reach.all_nodes(ports, credentials=credentials.of(fleet)) as (reached, errors):
                if len(reached) == COUNT:
                    return ports
            if time.monotonic() > end:
                raise VerificationError(f"{len(errors)} nodes did not start; the first: {next(iter(errors.values()))}")
            await asyncio.sleep(0.5)


async def audit(folder: Path, ports: list[str]) -> float:
    """Seconds of one audit of all. Raises where a node did not answer or something was found."""
    command = [sys.executable, "-m", "hedgerow", "audit", "--json", "--fleet", str(folder / "fleet")]
    began = time.monotonic()
    out = await _run([*command, *(word for port in ports for word in ("-p", port))])
    seconds = time.monotonic() - began
    said = json.loads(out)
    asked = sum(1 for one in said["nodes"] if one["port"])
    if asked != COUNT or not said["good"]:
        first = [*said["errors"].values(), *(one for one in said["findings"] if one["severity"] != "note")][:1]
        raise VerificationError(f"{asked} of {COUNT} nodes were audited; {first}")
    return seconds


async def by_mpremote(ports: list[str]) -> float:
    """Seconds until all boards have hashed their files for mpremote."""
    turns = asyncio.Semaphore(os.cpu_count() or 1)

    async def one(port: str) -> None:
        async with turns:
            out = await _run([sys.executable, "-m", "mpremote", "connect", port, "exec", _HASH])
        if b"/a/hedgenode/app.mpy" not in out:
            raise VerificationError(f"mpremote read no hashes from {port}")

    began = time.monotonic()
    await asyncio.gather(*map(one, map(os.path.realpath, ports)))
    return time.monotonic() - began


async def _run(command: list[str]) -> bytes:
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        out, said = await asyncio.wait_for(process.communicate(), COMMAND_WITHIN_S)
    except TimeoutError:
        process.kill()
        raise
    if not out:
        raise VerificationError(f"{command[2]} said nothing but {said.decode(errors='replace')[-300:]}")
    return out


async def measure(folder: Path) -> dict[str, float]:
    """Every figure, in seconds."""
    async with AsyncExitStack() as stack:
        ports = await nodes(folder, stack)
        return {
            "first": await audit(folder, ports),
            "again": await audit(folder, ports),
            "mpremote": await by_mpremote(ports),
        }


def main() -> bool:
    """Measure and print; whether the bar is met."""
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(measure(Path(folder)))
    print(f"{COUNT} nodes ({BOARD}) and this command on {os.cpu_count()} processors")
    print(f"  hedgerow audit, the first            {figures['first']:6.1f} s   at most {AUDIT_AT_MOST_S:.0f}")
    print(f"  hedgerow audit, once more            {figures['again']:6.1f} s   at most {AUDIT_AT_MOST_S:.0f}")
    print(f"  mpremote, hashes of the same files   {figures['mpremote']:6.1f} s   the nodes stop")
    return max(figures["first"], figures["again"]) <= AUDIT_AT_MOST_S


if __name__ == "__main__":
    sys.exit(0 if main() else "the audit of these boards takes too long")
