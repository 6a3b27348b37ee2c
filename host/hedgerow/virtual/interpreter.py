"""Knows where a MicroPython for this computer is, or how to get one; knows nothing of boards.

`find` looks at $HEDGEROW_MICROPYTHON, PATH and the cache. `ensure` fills the cache where there is none: it has the
system's own apt download Debian's package and its libraries, signatures checked, and unpacks them into a folder
of ours. Nothing is installed and no root is needed; the package runs with its own loader, so that an older system
will do.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from hedgerow.errors import EnvironmentProblem

ENVIRONMENT = "HEDGEROW_MICROPYTHON"
OLDEST = (1, 22)
_SUITE = "trixie"
_PACKAGES = ("micropython", "libc6", "libffi8", "libmbedcrypto16", "libmbedtls21", "libmbedx509-7")
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_TOOLS = ("apt-get", "dpkg", "dpkg-deb")
_ANSWER_WITHIN_S = 4.0
_DOWNLOAD_WITHIN_S = 180.0
_INSTEAD = f"Install MicroPython 1.22 or later yourself and point ${ENVIRONMENT} at it."
_PROBE = (
    "import sys\nv=sys.implementation\nprint(v.name,v.version[0],v.version[1])\n"
    "try:\n import vfs\nexcept ImportError:\n import os as vfs\nvfs.VfsLfs2\nprint('littlefs')\n"
    "import ffi,uctypes\nprint('ffi')"
)

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Interpreter:
    """A MicroPython that runs: the command (a loader may come first), its version, where it was found."""

    command: tuple[str, ...]
    version: tuple[int, int]
    origin: str


def find() -> Interpreter | None:
    """The first MicroPython there is, None for none. One that is there but unfit raises EnvironmentProblem."""
    if path := os.environ.get(ENVIRONMENT):
        return probe((path,), f"${ENVIRONMENT}")
    if path := shutil.which("micropython"):
        return probe((path,), "PATH")
    unpacked = cache_folder() / "current"
    return probe(_command_in(unpacked), "cache") if unpacked.is_dir() else None


def ensure(progress: Progress = lambda _: None) -> Interpreter:
    """The MicroPython that `find` knows, or a new one in the cache. Says within 5 s what is in the way."""
    try:
        if found := find():
            return found
    except EnvironmentProblem:
        if os.environ.get(ENVIRONMENT):
            raise  # a person chose this one: do not quietly use another
    return _unpack(progress)


def probe(command: tuple[str, ...], origin: str) -> Interpreter:
    """Run it once; raises EnvironmentProblem when it cannot stand for a board."""
    try:
        done = subprocess.run([*command, "-c", _PROBE], capture_output=True, text=True, timeout=4, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentProblem(f"{command[-1]} ({origin}) does not run: {error}", next_step=_INSTEAD) from None
    words = done.stdout.split()
    if len(words) < 3 or words[0] != "micropython":
        raise EnvironmentProblem(f"{command[-1]} ({origin}) is not MicroPython", next_step=_INSTEAD)
    version = (int(words[1]), int(words[2]))
    if version < OLDEST:
        raise EnvironmentProblem(
            f"{command[-1]} ({origin}) is MicroPython {version[0]}.{version[1]}, too old", next_step=_INSTEAD
        )
    if "littlefs" not in words:
        raise EnvironmentProblem(f"{command[-1]} ({origin}) was built without LittleFS", next_step=_INSTEAD)
    if "ffi" not in words:
        raise EnvironmentProblem(f"{command[-1]} ({origin}) was built without ffi and uctypes", next_step=_INSTEAD)
    return Interpreter(command, version, origin)


def cache_folder() -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "hedgerow" / "micropython"


def debian_mirror(apt_folder: Path = Path("/etc/apt")) -> str | None:
    """The address of the Debian archive that this system itself uses; both ways of writing sources are read."""
    for path in sorted(apt_folder.glob("sources.list.d/*.sources")):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip().lower() == "uris":
                for word in value.split():
                    if _is_debian(word):
                        return word
    for path in [apt_folder / "sources.list", *sorted(apt_folder.glob("sources.list.d/*.list"))]:
        if not path.is_file():
            continue
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            words = line.split()
            if words[:1] == ["deb"]:
                for word in words[1:]:
                    if _is_debian(word):
                        return word
    return None


def _is_debian(address: str) -> bool:
    return "://" in address and urlsplit(address).path.rstrip("/").endswith("/debian")


def _unpack(progress: Progress) -> Interpreter:
    mirror = _check_this_system()
    target = cache_folder()
    target.mkdir(parents=True, exist_ok=True)
    # A folder of our own until it is complete: two processes at once both succeed, and one of the copies stays.
    with tempfile.TemporaryDirectory(prefix="new-", dir=target) as temporary:
        folder = Path(temporary)
        progress("asking the Debian archive")
        _apt(folder, mirror, "update")
        progress("downloading MicroPython (6 MB)")
        _apt(folder, mirror, "download", *_PACKAGES)
        progress("unpacking")
        root = folder / "root"
        for package in sorted((folder / "packages").glob("*.deb")):
            _run(["dpkg-deb", "-x", str(package), str(root)], "cannot unpack MicroPython", 60)
        fresh = probe(_command_in(root), "cache")
        current = target / "current"
        try:
            root.rename(current)
        except OSError:
            try:
                return probe(_command_in(current), "cache")  # another process was faster
            except EnvironmentProblem:
                current.rename(folder / "broken")  # what was there before did not run
                root.rename(current)
    progress("done")
    return Interpreter(_command_in(current), fresh.version, "cache")


def _check_this_system() -> str:
    """The mirror to use. Everything that can be known without waiting is checked here."""
    if not sys.platform.startswith("linux"):
        raise EnvironmentProblem(f"there is no MicroPython on this computer ({sys.platform})", next_step=_INSTEAD)
    for tool in _TOOLS:
        if not shutil.which(tool):
            raise EnvironmentProblem(
                f"there is no MicroPython on this computer, and without {tool} none can be fetched", next_step=_INSTEAD
            )
    mirror = debian_mirror()
    if mirror is None or not _KEYRING.is_file():
        raise EnvironmentProblem(
            "there is no MicroPython on this computer, and it does not use the Debian archive", next_step=_INSTEAD
        )
    if not _proxied():
        _reach(mirror)
    return mirror


def _reach(mirror: str) -> None:
    """Knock at the archive's door, name resolution included, before apt tries for minutes."""
    address = urlsplit(mirror)
    if not address.hostname:
        return  # a file: or copy: source
    where = (address.hostname, address.port or (443 if address.scheme == "https" else 80))
    outcome: list[OSError | None] = []

    def knock() -> None:
        try:
            socket.create_connection(where, _ANSWER_WITHIN_S).close()
            outcome.append(None)
        except OSError as error:
            outcome.append(error)

    thread = threading.Thread(target=knock, daemon=True)  # a name server that is silent cannot be given up otherwise
    thread.start()
    thread.join(_ANSWER_WITHIN_S)
    error = outcome[0] if outcome else OSError(f"nothing within {_ANSWER_WITHIN_S:.0f} s")
    if error:
        raise EnvironmentProblem(
            f"there is no MicroPython on this computer, and the Debian archive does not answer ({error})",
            next_step=f"Connect to a network once, or do this: {_INSTEAD}",
        )


def _proxied() -> bool:
    """Whether apt goes through a proxy: then the archive's own address says nothing about reaching it."""
    if any(name.lower() in ("http_proxy", "https_proxy") and value for name, value in os.environ.items()):
        return True
    done = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, timeout=5, check=False)
    return any(
        line.startswith(("Acquire::http", "Acquire::https")) and "proxy" in line.lower()
        for line in done.stdout.splitlines()
    )


def _apt(folder: Path, mirror: str, *words: str) -> None:
    """apt-get with lists, cache and sources of its own. apt checks the archive's signature with Debian's keyring."""
    for name in ("lists/partial", "archives/partial", "sources", "packages"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "sources" / "debian.sources").write_text(
        f"Types: deb\nURIs: {mirror}\nSuites: {_SUITE}\nComponents: main\nSigned-By: {_KEYRING}\n", encoding="utf-8"
    )
    settings = {
        "Dir::Etc::sourcelist": "/dev/null",
        "Dir::Etc::sourceparts": folder / "sources",
        "Dir::State::Lists": folder / "lists",
        "Dir::State::status": "/dev/null",
        "Dir::Cache": folder,
        "Acquire::Retries": 2,
        "Acquire::http::Timeout": 15,
        "APT::Sandbox::User": "root",
    }
    command = ["apt-get", "-qq", *(f"-o{name}={value}" for name, value in settings.items()), *words]
    _run(command, "cannot fetch MicroPython from the Debian archive", _DOWNLOAD_WITHIN_S, folder / "packages")


def _run(command: list[str], failed: str, within_s: float, folder: Path | None = None) -> None:
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=within_s, cwd=folder, env=environment, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentProblem(f"{failed}: {error}", next_step=_INSTEAD) from None
    if done.returncode:
        said = next((line for line in done.stderr.splitlines() if line.startswith("E:")), done.stderr.strip()[-200:])
        raise EnvironmentProblem(f"{failed}: {said}", next_step=_INSTEAD)


def _command_in(root: Path) -> tuple[str, ...]:
    """How to run an unpacked MicroPython: by its own loader, with its own libraries."""
    loader = next(iter(sorted(root.rglob("ld-linux*.so*"))), None)
    library = next(iter(sorted(root.rglob("libc.so.6"))), None)
    if loader is None or library is None:
        raise EnvironmentProblem(
            f"the MicroPython in {root} is incomplete", next_step="Delete that folder and run the command again."
        )
    folders = (library.parent, root / "usr" / "lib" / library.parent.name)
    path = ":".join(str(folder) for folder in dict.fromkeys(folders))
    return (str(loader), "--library-path", path, str(root / "usr" / "bin" / "micropython"))
