"""Knows what a firmware image is for, by its contents and never by its name, and whether it fits a board's chip.

Decides; reads no file and asks no board.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from hedgerow.flash import esp_image, uf2
from hedgerow.flash.chips import RP2040_FLASH_START
from hedgewire.cbor import Damage

FLOOR = (1, 22)
_VERSION = re.compile(rb"v(\d+\.\d+(?:\.\d+)?[0-9A-Za-z.+-]*) on (\d{4}-\d\d-\d\d)")
_MACHINE = re.compile(rb"; ([ -~]{3,80} with [ -~]{3,20})\0")


@dataclass(frozen=True)
class Image:
    """A sound image of MicroPython.

    `machine` is what `os.uname().machine` will say, `offset` the flash address of `payload` (on an RP2040 as the
    processor sees it), `flash_bytes` the least flash that it needs, `filesystem_bytes` what it leaves for files (None:
    it does not say). `covered` are the runs of `payload` that it writes, as (start, length); `data`
    is the file.
    """

    mcu: str
    machine: str
    version: str
    built: str
    offset: int
    flash_bytes: int
    filesystem_bytes: int | None
    sha256: bytes
    size_bytes: int
    covered: tuple[tuple[int, int], ...]
    payload: bytes = field(repr=False)
    data: bytes = field(repr=False)

    @property
    def suffix(self) -> str:
        return ".uf2" if self.mcu == "RP2040" else ".bin"

    @property
    def version_order(self) -> tuple[tuple[int, ...], bool, str]:
        """Sorts releases by number; a preview comes before its release."""
        return version_numbers(self.version), "preview" not in self.version, self.built

    def __str__(self) -> str:
        return f"MicroPython {self.version} for {self.machine}"


def version_numbers(version: str) -> tuple[int, ...]:
    """(1, 22, 0) of "1.22.0-preview.3"."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    numbers = tuple(int(part) for part in found[0].split(".")) if found else ()
    return (*numbers, 0, 0, 0)[:3]


def read(data: bytes) -> Image | Damage:
    """What `data` is, or why it is nothing that may be flashed."""
    if data[: len(uf2.FIRST_MAGIC)] == uf2.FIRST_MAGIC:
        found = uf2.parse(data)
        if isinstance(found, Damage):
            return found
        made = _named("RP2040", RP2040_FLASH_START, found.flash_bytes, None, data, found.payload)
        return made if isinstance(made, Damage) else replace(made, covered=found.covered)
    if data[:1] == bytes([esp_image.MAGIC]):
        parsed = esp_image.parse(data)
        if isinstance(parsed, Damage):
            return parsed
        chip = parsed.chip
        return _named(chip.mcu, chip.bootloader_offset, parsed.flash_bytes, parsed.filesystem_bytes, data, data)
    return Damage("it is neither a UF2 file nor a flash image of an ESP32", 0)


def _named(
    mcu: str, offset: int, flash_bytes: int, filesystem_bytes: int | None, data: bytes, payload: bytes
) -> Image | Damage:
    version, machine = _VERSION.search(payload), _MACHINE.search(payload)
    if version is None or machine is None:
        return Damage(f"it is sound and for {mcu}, but it is not MicroPython", 0)
    return Image(
        mcu=mcu,
        machine=machine[1].decode("ascii"),
        version=version[1].decode("ascii"),
        built=version[2].decode("ascii"),
        offset=offset,
        flash_bytes=flash_bytes,
        filesystem_bytes=filesystem_bytes,
        sha256=hashlib.sha256(data).digest(),
        size_bytes=len(data),
        covered=((0, len(payload)),),
        payload=payload,
        data=data,
    )


def misfit(image: Image, mcu: str, flash_bytes: int | None) -> str | None:
    """Why this image must not go onto this chip; None if it may. An unknown flash size refuses nothing."""
    if image.mcu != mcu:
        return f"the image is for {image.mcu}, and this board has an {mcu}"
    if version_numbers(image.version)[:2] < FLOOR:
        return f"the image is MicroPython {image.version}, and Hedgerow needs 1.22 or later"
    if flash_bytes is not None and image.flash_bytes > flash_bytes:
        return f"the image needs {mebibytes(image.flash_bytes)} of flash, and this board has {mebibytes(flash_bytes)}"
    return None


def best(images: Iterable[Image], mcu: str, flash_bytes: int | None, machines: Sequence[str]) -> Image | None:
    """The image to take: it fits, is for one of `machines` (the first are preferred), uses the flash best, is newest.

    `machines` are plain names as `plain` makes them.
    """
    fitting = [one for one in images if plain(one.machine) in machines and misfit(one, mcu, flash_bytes) is None]

    def merit(one: Image) -> tuple[object, ...]:
        used = one.flash_bytes if mcu != "RP2040" else 0  # a UF2 says what it fills, not what it expects
        return -machines.index(plain(one.machine)), used, one.version_order

    return max(fitting, key=merit, default=None)


def plain(machine: str) -> str:
    """Newer MicroPython writes ESP32-S3 for ESP32S3; both are the same board."""
    return machine.replace("-", "").casefold().strip()


def mebibytes(count: int) -> str:
    """`4 MiB`, `1.5 MiB`."""
    return f"{count / 1048576:.1f} MiB".replace(".0 ", " ")
