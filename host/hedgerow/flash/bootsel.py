"""Knows the drive that an RP2040 shows in its boot loader: finds it, writes a UF2 to it, sees it go. Asks no board.

The boot ROM takes blocks as they are written and restarts by itself after the last one, so the drive vanishing is what
success looks like from here. It offers nothing to read back: whoever needs to know asks the MicroPython that starts.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from hedgerow.errors import EnvironmentProblem, InterruptedWork, RefusedError, VerificationError

INFO = "INFO_UF2.TXT"
DRIVE_LABEL = "RPI-RP2"
DRIVES_VARIABLE = "HEDGEROW_DRIVES"
DRIVE_BYTES_A_SECOND = 150_000  # of a UF2 file, half of which is not for the flash; the flash decides, not USB
VANISH_WITHIN_S = 10.0
_CHUNK_BYTES = 32 * 1024
_PICOTOOL_WITHIN_S = 120.0

Tell = Callable[[str, float], None]


def drives() -> list[Path]:
    """Every RP2040 drive that is mounted, by path. $HEDGEROW_DRIVES names more folders to look at."""
    return sorted({path for path in _places() if is_drive(path)})


def is_drive(path: Path) -> bool:
    """Whether this folder is the drive of an RP2040 in its boot loader (an RP2350 shows another id)."""
    try:
        lines = (path / INFO).read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return False
    return f"Board-ID: {DRIVE_LABEL}" in [line.strip() for line in lines]


def unmounted() -> Path | None:
    """A drive that this Linux sees and has not mounted, or None."""
    device = Path("/dev/disk/by-label") / DRIVE_LABEL
    return device if device.exists() else None


def not_mounted(device: Path, port: str) -> EnvironmentProblem:
    return EnvironmentProblem(
        "the board shows its drive, but this system has not mounted it",
        node=port,
        state="The board waits in its boot loader; nothing was changed",
        next_step=f"Run `udisksctl mount -b {device}`, then the same command with --drive and the folder it names.",
    )


def seconds_for(file_bytes: int) -> int:
    """How long writing a UF2 file takes, about."""
    return file_bytes // DRIVE_BYTES_A_SECOND + 3


def write(drive: Path, data: bytes, tell: Tell) -> None:
    """Hand over the file and wait until the drive is gone. Raises InterruptedWork or RefusedError otherwise."""
    if not is_drive(drive):
        raise RefusedError(f"{drive} is not the drive of a Pico in its boot loader", state="Nothing was changed")
    about_s = seconds_for(len(data))
    tell(f"writing {len(data) // 1024} KiB, about {about_s} s", 0.0)
    sent = _hand_over(drive / "FIRMWARE.UF2", data, lambda part: tell(_left(about_s, part), 0.9 * part))
    end = time.monotonic() + VANISH_WITHIN_S
    while is_drive(drive):
        if sent < len(data) or time.monotonic() > end:
            raise RefusedError(
                "the board did not take the image: its drive is still there",
                node=str(drive),
                state="It may be half written and will not start",
                next_step="Unplug it, hold its button, plug it in again, then run the same command again.",
            )
        time.sleep(0.05)
    if sent < len(data):
        raise InterruptedWork(
            f"the drive went away after {sent // 1024} of {len(data) // 1024} KiB",
            node=str(drive),
            state="The board is half written and will not start",
            next_step="Hold its button, plug it in again, then run the same command again.",
        )


def _left(about_s: int, part: float) -> str:
    return f"writing, about {max(1, round(about_s * (1 - part)))} s left"


def _hand_over(path: Path, data: bytes, moved: Callable[[float], None]) -> int:
    """How many bytes the drive took. The board restarts at the last block: an error after it is none."""
    sent = 0
    try:
        with path.open("wb", buffering=0) as file:
            for start in range(0, len(data), _CHUNK_BYTES):
                if not is_drive(path.parent):  # some systems take writes for a while after a drive is gone
                    break
                piece = data[start : start + _CHUNK_BYTES]
                file.write(piece)
                if start + len(piece) == len(data):
                    sent = len(data)
                os.fsync(file.fileno())
                sent = start + len(piece)
                moved(sent / len(data))
    except OSError:
        pass
    return sent


def picotool() -> str | None:
    """The program that loads images without a drive, where it is installed."""
    return shutil.which("picotool")


def load_by_picotool(program: str, file: Path, port: str) -> None:
    """Load, read back (`-v`) and start (`-x`). For one board at a time: on an RP2040 all boot loaders look alike."""
    try:
        done = subprocess.run(
            [program, "load", "-v", "-x", str(file)],
            check=False,
            capture_output=True,
            text=True,
            timeout=_PICOTOOL_WITHIN_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InterruptedWork(
            f"picotool did not end well ({error})",
            node=port,
            state="The board may be half written",
            next_step="Unplug it, hold its button, plug it in again, then run the same command again.",
        ) from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "it gave no reason").splitlines()[-1]
        raise VerificationError(
            f"picotool failed: {said}",
            node=port,
            state="The board may be half written",
            next_step="Unplug it, hold its button, plug it in again, then run the same command again.",
        )


def _places() -> Iterable[Path]:
    for folder in os.environ.get(DRIVES_VARIABLE, "").split(os.pathsep):
        if folder:
            yield Path(folder)
    if sys.platform == "win32":
        yield from (Path(f"{letter}:\\") for letter in "DEFGHIJKLMNOPQRSTUVWXYZ")
    elif sys.platform == "darwin":
        yield from Path("/Volumes").glob("*")
    else:
        with contextlib.suppress(OSError):
            for line in Path("/proc/mounts").read_text(encoding="utf-8", errors="replace").splitlines():
                _, place, kind, *_ = line.split(" ")
                if kind in ("vfat", "msdos", "fuseblk"):
                    yield Path(place.replace("\\040", " "))
