"""Knows what only a rig with real boards does: flash them, switch their power by a command. Knows no test."""

import shlex
import subprocess
import sys
import time
from pathlib import Path

from hedgerow.errors import EnvironmentProblem
from hedgerow.transports import ports

FLASH_S = 300
HOOK_S = 30
PORT_S = 30


def flash(port: str, image: Path) -> None:
    """What `hedgerow flash` does, the image read back. Raises EnvironmentProblem with what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "hedgerow", "flash", "-p", port, "--image", str(image)],
        capture_output=True,
        text=True,
        timeout=FLASH_S,
    )
    if done.returncode:
        raise EnvironmentProblem(f"{image.name} did not get onto the board: {done.stderr.strip()}")


def run_hook(command: str, action: str) -> None:
    """Run the rig's power command with `{action}` as `on` or `off`, as in `uhubctl -l 1-1 -p 2 -a {action}`."""
    words = [word.replace("{action}", action) for word in shlex.split(command)]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=HOOK_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentProblem(f"the power hook failed: {error}") from error
    if done.returncode:
        raise EnvironmentProblem(f"the power hook failed ({done.returncode}): {(done.stderr or done.stdout).strip()}")


def wait_for_port(port: str) -> None:
    """Until the port is there again; a port on another machine (a pyserial URL) is taken at its word."""
    end = time.monotonic() + PORT_S
    while "://" not in port and port not in {facts.path for facts in ports.here()}:
        if time.monotonic() > end:
            raise EnvironmentProblem(f"{port} did not come back within {PORT_S} s after the power came on")
        time.sleep(0.2)
