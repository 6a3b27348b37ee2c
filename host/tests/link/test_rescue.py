"""Old and odd boards: our own prompt client without raw-paste, then mpremote, then ampy; each path on a real prompt."""

import asyncio
import os
import pty
import select
import subprocess
import sys
import threading
import tty

import pytest

from hedgerow.errors import RemoteError
from hedgerow.plans import rescue
from hedgerow.repl import Repl
from hedgerow.transports.ports import connect

FILES = {"main.py": b"print('rescued')\n", "data.bin": bytes(range(256)) * 3}
_READ = "import binascii;print(binascii.hexlify(open('/{}','rb').read()).decode())"


class OldBoard:
    """A serial port in front of a board that makes it one from before raw-paste mode (MicroPython 1.14)."""

    def __init__(self, port: str) -> None:
        self.refused = 0
        self._board = os.open(port, os.O_RDWR | os.O_NOCTTY)
        self._master, self._slave = pty.openpty()
        for line in (self._board, self._slave):
            tty.setraw(line)
        self.port = os.ttyname(self._slave)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def __enter__(self) -> "OldBoard":
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)
        for line in (self._board, self._master, self._slave):
            os.close(line)

    def _carry(self) -> None:
        while not self._stop.is_set():
            ready, _, _ = select.select([self._board, self._master], [], [], 0.05)
            if self._master in ready:
                data = os.read(self._master, 4096)
                if b"\x05A\x01" in data:  # an old raw prompt takes it for noise and a wish for its banner
                    self.refused += 1
                    data = data.replace(b"\x05A\x01", b"\x01")
                os.write(self._board, data)
            if self._board in ready:
                os.write(self._master, os.read(self._board, 4096))


def on_old_board(board, run, by):
    """Rescue files onto a board without raw-paste; what lies on it afterwards, read by our own client."""

    async def work():
        async with board() as one:
            with OldBoard(one.port) as old:
                done = await rescue.put(old.port, FILES, by)
            transport = await connect(one.port)
            async with Repl(transport) as repl:
                found = {name: bytes.fromhex((await repl.exec(_READ.format(name))).decode().strip()) for name in FILES}
            await transport.close()
            return done, found, old.refused

    return run(work())


@pytest.mark.parametrize("means", rescue.MEANS)
def test_files_reach_a_board_without_raw_paste_by_each_means(board, run, means):
    done, found, refused = on_old_board(board, run, [means])
    assert (done.by, done.failed) == (means, {})
    assert found == FILES
    if means == "mpremote":
        assert refused  # it asked for raw-paste, and went on without


def test_our_own_means_are_tried_first_then_mpremote_then_ampy(board, run, monkeypatch):
    """What fails is told, and the next means is tried."""

    async def broken(*_):
        raise RemoteError("this prompt is odd")

    monkeypatch.setattr(rescue, "_by_ourselves", broken)
    real = rescue.program
    monkeypatch.setattr(rescue, "program", lambda name: "/bin/false" if name == "mpremote" else real(name))
    done, found, _ = on_old_board(board, run, rescue.MEANS)
    assert done.by == "ampy"
    assert done.failed["hedgerow"] == "this prompt is odd"
    assert done.failed["mpremote"].startswith("mpremote ended with 1")
    assert found == FILES


def test_a_board_that_nobody_reaches_is_told_with_every_reason():
    master, slave = pty.openpty()
    try:
        with pytest.raises(RemoteError) as error:
            asyncio.run(rescue.put(os.ttyname(slave), FILES, ["hedgerow"]))
        assert "hedgerow: the board does not answer" in error.value.what
        assert "hedgerow flash" in error.value.next_step
    finally:
        os.close(master)
        os.close(slave)


def test_the_command(board, run, tmp_path):
    (tmp_path / "main.py").write_bytes(FILES["main.py"])

    async def work():
        async with board() as one:
            command = [sys.executable, "-m", "hedgerow", "rescue", str(tmp_path / "main.py"), "-p", one.port]
            return await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=50)

    done = run(work())
    assert (done.returncode, done.stdout) == (0, "✔ 1 files are on the board, by hedgerow, read back.\n")


@pytest.mark.parametrize("arguments", [["x.py"], ["nothing.py", "-p", "x"]])
def test_mistakes_end_in_a_sentence(arguments):
    command = [sys.executable, "-m", "hedgerow", "rescue", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert done.stderr.startswith("Error: ")
