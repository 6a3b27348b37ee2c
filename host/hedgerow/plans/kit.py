"""Knows how to make a kit: a folder, on a stick for example, that installs Hedgerow on a laptop with no network.

Wheels come from the kit that this machine was installed from, where it was; else pip fetches and builds them, once,
with a network. They are for one platform and one version of Python: those of the machine that makes the kit.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hedgerow import __version__, resources
from hedgerow.errors import EnvironmentProblem, StorageError, UsageError, VerificationError
from hedgerow.flash.store import ImageStore
from hedgerow.plans import kit_install

MARK, SUMS = "KIT.json", "SHA256SUMS"
PIP_WITHIN_S = 900
DOCUMENTATION = ("docs", "boards", "vectors", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE")
_README = """\
Hedgerow {version}: a kit that needs no network.

    python3 install.py          installs the tool and the firmware images for you alone; takes about a minute

It is for Python {python} on {platform}. `sha256sum --check SHA256SUMS` says whether the stick is still sound.

wheels/          the tool and everything that it needs
images/          firmware images for boards, checked again when they are used
documentation/   begin with documentation/docs/README.md

Licence: GPL-3.0-or-later, see documentation/LICENSE.
"""

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Kit:
    """What a kit holds."""

    folder: Path
    version: str
    python: str
    platform: str
    wheels: tuple[str, ...]
    images: tuple[str, ...]
    has_documentation: bool
    size_bytes: int


def build(folder: Path, store: ImageStore, tell: Tell, kept: Path | None = None) -> Kit:
    """Make or renew the kit in `folder`, and read it back. `kept` is where wheels may lie already."""
    _refuse_strangers(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("wheels", "images", "documentation"):
            shutil.rmtree(folder / name, ignore_errors=True)
        _bring_wheels(folder / "wheels", kept or resources.wheels_folder(), tell)
        tell("copying images and documentation")
        images = _bring_images(folder / "images", store)
        has_documentation = _bring_documentation(folder / "documentation")
        facts = {"version": __version__, "python": _python(), "platform": sysconfig.get_platform()}
        (folder / MARK).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
        (folder / "README.txt").write_text(_README.format(**facts), encoding="utf-8")
        shutil.copyfile(kit_install.__file__, folder / "install.py")
        tell("reading it back")
        size_bytes = _write_sums(folder)
        damaged = _differing(folder)
    except OSError as error:
        raise StorageError(f"the kit cannot be written to {folder} ({error.strerror or error})") from error
    if damaged:
        raise VerificationError(f"{damaged[0]} reads back otherwise from {folder}", next_step="Take another stick.")
    wheels = tuple(sorted(path.name for path in (folder / "wheels").glob("*.whl")))
    return Kit(
        folder, wheels=wheels, images=images, has_documentation=has_documentation, size_bytes=size_bytes, **facts
    )


def _refuse_strangers(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).is_file():
        raise UsageError(
            f"{folder} is not empty and is no kit",
            state="Nothing was changed",
            next_step="Name an empty folder, a new one, or a kit to renew.",
        )


def _bring_wheels(wheels: Path, kept: Path, tell: Tell) -> None:
    if list(kept.glob(f"hedgerow-{__version__}-*.whl")):
        tell("copying the wheels that this machine keeps")
        shutil.copytree(kept, wheels)
    else:
        tell("collecting wheels, one to three minutes; this needs a network")
        _fetch_wheels(wheels)
    tell("checking that the wheels are complete")
    check = ["install", "--dry-run", "--ignore-installed", "--no-index", "--find-links", str(wheels), "hedgerow", "pip"]
    done = _pip(*check)
    if done.returncode:
        raise VerificationError(f"the wheels are not complete: {_last_line(done.stderr)}")


def _fetch_wheels(wheels: Path) -> None:
    """As pip builds them here; esptool comes as source, so that a build tool may be needed."""
    if resources.is_checkout():
        root = resources.firmware_folder().parent
        what = ["--no-build-isolation", "--constraint", str(root / "constraints.txt"), str(root)]
    else:
        what = [f"hedgerow=={__version__}"]
    done = _pip("wheel", "--wheel-dir", str(wheels), *what, "pip")
    if done.returncode:
        raise EnvironmentProblem(
            f"pip could not collect the wheels: {_last_line(done.stderr)}",
            next_step="With a network, run the same command again.",
        )


def _pip(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "pip", *arguments, "--disable-pip-version-check", "--no-input", "--quiet"]
    try:
        return subprocess.run(command, check=False, capture_output=True, text=True, timeout=PIP_WITHIN_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentProblem(
            f"pip does not end within {PIP_WITHIN_S} s ({type(error).__name__})", next_step="Check the network."
        ) from error


def _bring_images(folder: Path, store: ImageStore) -> tuple[str, ...]:
    into = ImageStore(folder)
    names = tuple(sorted(store.sound_images()))
    for name in names:
        into.add(store.folder / name)
    return names


def _bring_documentation(folder: Path) -> bool:
    """The pages of a checkout, or those that came with the kit that this tool was installed from."""
    root = resources.documentation_folder()
    if root is None:
        return False
    folder.mkdir()
    for name in DOCUMENTATION:
        if (root / name).is_dir():
            shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(root / name, folder / name)
    return True


def _write_sums(folder: Path) -> int:
    lines, size_bytes = [], 0
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path != folder / SUMS:
            data = path.read_bytes()
            size_bytes += len(data)
            lines.append(f"{hashlib.sha256(data).hexdigest()}  {path.relative_to(folder).as_posix()}\n")
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")
    return size_bytes


def _differing(folder: Path) -> list[str]:
    found = []
    for line in (folder / SUMS).read_text(encoding="utf-8").splitlines():
        digest, name = line.split("  ", 1)
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
            found.append(name)
    return found


def _python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it gave no reason"
