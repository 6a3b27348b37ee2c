"""Knows where firmware images lie on this machine and that they are still what was put there; fetches nothing.

One folder of images and a `SHA256SUMS` beside them, in the form that `sha256sum --check` reads: a copy of the folder
on a stick can be checked by a machine that has no Hedgerow.
"""

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from hedgerow import resources
from hedgerow.errors import StorageError, UsageError
from hedgerow.flash import image
from hedgerow.flash.image import Image
from hedgewire.cbor import Damage

SUMS = "SHA256SUMS"
LARGEST_BYTES = 32 * 1024 * 1024
_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")


class State(Enum):
    """What a check found about one file of the store."""

    GOOD = "good"
    CHANGED = "changed"
    MISSING = "missing"
    UNRECORDED = "not recorded"


@dataclass(frozen=True)
class Stored:
    """One file of the store. `image` is None where it is not sound (or not there)."""

    name: str
    state: State
    image: Image | None

    def as_dict(self) -> dict[str, object]:
        found = self.image
        return {
            "name": self.name,
            "state": self.state.value,
            "mcu": found.mcu if found else None,
            "machine": found.machine if found else None,
            "version": found.version if found else None,
            "flash_bytes": found.flash_bytes if found else None,
            "size_bytes": found.size_bytes if found else None,
            "sha256": found.sha256 if found else None,
        }


class ImageStore:
    """The images of one folder; by default the one of this user."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or resources.images_folder()

    def add(self, path: Path) -> tuple[str, Image]:
        """Copy a sound image in under its own name. Raises UsageError for anything else; adding twice is nothing."""
        data = read_file(path)
        found = sound(data, path)
        sums = self._sums()
        if (known := sums.get(path.name)) is not None and known != found.sha256 and (self.folder / path.name).exists():
            raise UsageError(
                f"the store already has another image called {path.name}",
                next_step="Give the file another name, or remove the old one from " + str(self.folder),
            )
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            _write(self.folder / path.name, data)
            sums[path.name] = found.sha256
            lines = [f"{digest.hex()}  {name}\n" for name, digest in sorted(sums.items())]
            _write(self.folder / SUMS, "".join(lines).encode())
            kept = (self.folder / path.name).read_bytes()
        except OSError as error:
            raise StorageError(f"the image cannot be kept in {self.folder} ({error.strerror or error})") from error
        if hashlib.sha256(kept).digest() != found.sha256:
            raise StorageError(f"{path.name} was copied to {self.folder}, and reads back otherwise")
        return path.name, found

    def check(self) -> list[Stored]:
        """Every file that is there or should be, read and compared, by name."""
        sums = self._sums()
        there = {path.name for path in self.folder.glob("*") if path.suffix in (".bin", ".uf2")}
        return [self._look(name, sums.get(name)) for name in sorted(there | set(sums))]

    def sound_images(self) -> dict[str, Image]:
        """The images that may be flashed: recorded and unchanged."""
        return {one.name: one.image for one in self.check() if one.state is State.GOOD and one.image is not None}

    def _look(self, name: str, digest: bytes | None) -> Stored:
        try:
            data = (self.folder / name).read_bytes()
        except OSError:
            return Stored(name, State.MISSING, None)
        found = image.read(data)
        good = found if isinstance(found, Image) else None
        if digest is None:
            return Stored(name, State.UNRECORDED, good)
        same = hashlib.sha256(data).digest() == digest
        return Stored(name, State.GOOD if same and good else State.CHANGED, good)

    def _sums(self) -> dict[str, bytes]:
        try:
            lines = (self.folder / SUMS).read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError) as error:
            raise StorageError(f"{self.folder / SUMS} cannot be read ({error})") from error
        found = [_LINE.fullmatch(line) for line in lines]
        # A name that leads out of the folder is nobody's image.
        return {one[2]: bytes.fromhex(one[1]) for one in found if one and Path(one[2]).name == one[2]}


def read_file(path: Path) -> bytes:
    """The bytes of an image file. Raises UsageError if there is none, or far too much."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise UsageError(f"{path} is larger than any image ({LARGEST_BYTES // 1048576} MiB)")
        return path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read ({error.strerror or error})",
            next_step="Images of MicroPython for your board stand on micropython.org/download.",
        ) from error


def sound(data: bytes, path: Path) -> Image:
    """What `data` is, or a UsageError that says what is wrong with the file at `path`."""
    found = image.read(data)
    if isinstance(found, Damage):
        raise UsageError(
            f"{path.name} is no image that may be flashed: {found.reason}",
            state="Nothing was changed",
            next_step="Fetch it again from micropython.org/download: the .bin of an ESP32 board or the .uf2 of a Pico.",
        )
    return found


def named(names: Sequence[str], wanted: str) -> str | None:
    """The stored name that a person means: whole, without its ending, or the only one that contains it."""
    exact = [name for name in names if wanted in (name, name.rpartition(".")[0])]
    within = [name for name in names if wanted.casefold() in name.casefold()]
    return exact[0] if exact else within[0] if len(within) == 1 else None


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all: a pulled stick leaves the old file."""
    descriptor, made = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(made).chmod(0o644)
        Path(made).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(made).unlink()
        raise
