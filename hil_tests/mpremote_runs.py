"""Knows how to run the real mpremote on a board, bounded in time; knows nothing of the board."""

import subprocess
import sys


class MpremoteFailed(Exception):
    """mpremote left with another code than 0; the text is what it said."""


def mpremote(port: str, *command: str, timeout_s: float = 30.0) -> str:
    """What it prints, with line ends as on this machine. subprocess.TimeoutExpired when it takes too long."""
    done = subprocess.run(
        [sys.executable, "-m", "mpremote", "connect", port, *command],
        check=False,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        raise MpremoteFailed(done.stdout + done.stderr)
    return done.stdout.replace("\r\n", "\n")
