"""Installs Hedgerow from the kit that this file lies in: `python3 install.py`. Needs no network and no root.

Knows the kit around it. `hedgerow kit` copies this file, so it uses nothing but Python's own library.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

KIT = Path(__file__).resolve().parent
EXIT_ENVIRONMENT = 6  # as the tool itself: this machine lacks something
STEP_WITHIN_S = 600


class Problem(Exception):
    """Something that a person can act on, in full sentences."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Install Hedgerow from this kit. Needs no network.")
    parser.add_argument("--to", type=Path, default=data_folder() / "tool", help="where to (default: %(default)s)")
    parser.add_argument("--no-link", action="store_true", help="put no link to hedgerow into ~/.local/bin")
    chosen = parser.parse_args()
    try:
        facts = json.loads((KIT / "KIT.json").read_text(encoding="utf-8"))
        say(f"Hedgerow {facts['version']} goes to {chosen.to}; this takes about a minute.")
        check_machine(facts)
        check_sums()
        hedgerow = install(chosen.to)
        keep()
        add_images(hedgerow)
        run([hedgerow, "--version"], "the installed tool does not start")
        say(f"Installed: {hedgerow}")
        if not chosen.no_link:
            link(hedgerow)
    except (Problem, OSError, ValueError, KeyError) as problem:
        print(f"Error: {problem}", file=sys.stderr)
        return EXIT_ENVIRONMENT
    return 0


def check_machine(facts: dict) -> None:
    here = {"python": f"{sys.version_info.major}.{sys.version_info.minor}", "platform": sysconfig.get_platform()}
    for what, mine in here.items():
        if facts[what] != mine:
            raise Problem(
                f"this kit is for {what} {facts[what]}, and this is {mine}. "
                "Make one on a machine like this one with `hedgerow kit DIR`."
            )


def check_sums() -> None:
    """A stick that lost a bit must not install anything."""
    for line in (KIT / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        digest, name = line.split("  ", 1)
        try:
            data = (KIT / name).read_bytes()
        except OSError:
            raise Problem(f"{name} is missing from this kit. Copy the kit again.") from None
        if hashlib.sha256(data).hexdigest() != digest:
            raise Problem(f"{name} in this kit is damaged. Copy the kit again, onto another stick.")


def install(folder: Path) -> Path:
    """A virtual environment of its own, so that nothing else on this machine is touched."""
    import venv

    venv.EnvBuilder(clear=True, with_pip=False, symlinks=os.name != "nt").create(folder)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / ("python.exe" if os.name == "nt" else "python")
    pip = next((KIT / "wheels").glob("pip-*.whl"))
    # pip runs as it lies there: Debian's Python has none of its own.
    quietly = ["--no-warn-script-location", "--disable-pip-version-check", "--quiet"]
    offline = ["--no-index", "--find-links", KIT / "wheels"]
    run(
        [python, pip / "pip", "install", *offline, *quietly, "hedgerow", "pip"],
        "pip could not install the wheels of this kit",
    )
    return scripts / ("hedgerow.exe" if os.name == "nt" else "hedgerow")


def keep() -> None:
    """So that this machine can make the next kit without a network."""
    for name in ("wheels", "documentation"):
        if (KIT / name).is_dir():
            shutil.rmtree(data_folder() / name, ignore_errors=True)
            shutil.copytree(KIT / name, data_folder() / name)


def add_images(hedgerow: Path) -> None:
    images = sorted(path for path in (KIT / "images").glob("*") if path.suffix in (".bin", ".uf2"))
    if images:
        run([hedgerow, "images", "add", *images], "the images of this kit cannot be kept")


def link(hedgerow: Path) -> None:
    folder = Path.home() / ".local" / "bin"
    if os.name == "nt":
        return
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "hedgerow").unlink(missing_ok=True)
    (folder / "hedgerow").symlink_to(hedgerow)
    if str(folder) in os.environ.get("PATH", "").split(os.pathsep):
        say("Type `hedgerow --help` to begin.")
    else:
        say(f"Add {folder} to your PATH, or type {folder / 'hedgerow'} --help to begin.")


def data_folder() -> Path:
    """As hedgerow.resources has it."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "hedgerow"


def run(command: list, trouble: str) -> None:
    try:
        done = subprocess.run(
            [str(part) for part in command], capture_output=True, text=True, timeout=STEP_WITHIN_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Problem(f"{trouble}: {error}") from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise Problem(f"{trouble}: {said[-1] if said else 'it gave no reason'}")


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
