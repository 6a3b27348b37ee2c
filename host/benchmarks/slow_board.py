"""Runs a virtual board behind a cable of 115,200 baud in a process of its own, so that no tool shares its time with it.

with slow_board() as port: ...
"""

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

BAUD = 115_200
UID = bytes.fromhex("e660583883000001")


@contextmanager
def slow_board(board_id: str = "RPI_PICO", baud: int = BAUD) -> Iterator[str]:
    """The port of a fresh board; it is gone at the end."""
    command = [sys.executable, __file__, board_id, str(baud)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        if not port:
            sys.exit("No virtual board came up; `hedgerow doctor` says why.")
        try:
            yield port
        finally:
            process.stdin.close()  # it ends when its input does
            process.wait(10)


async def _serve(board_id: str, baud: int) -> None:
    from hedgerow.fleet import boards
    from hedgerow.virtual import VirtualBoard, interpreter
    from hedgerow.virtual.pump import Pace

    with tempfile.TemporaryDirectory() as directory:
        found = interpreter.ensure(lambda _step: None)
        board = VirtualBoard(boards.load(board_id), directory, found, uid=UID, pace=Pace(baud))
        await board.start()
        print(board.port, flush=True)
        await asyncio.to_thread(sys.stdin.read)
        await board.close()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], int(sys.argv[2])))
