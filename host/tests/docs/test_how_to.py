"""The how-to pages, followed word for word on a copy of the tree: what they add works, and is fit to be shared."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pages import ROOT, File, Reader, parts

pytestmark = pytest.mark.timeout(180)
TOOLS = Path(sys.executable).parent
# Others follow these, with boards on the table: test_flashing.py, test_parting_page.py.
WITH_PORTS = {"flash-boards", "part-ways", "carry-messages"}
PAGES = sorted(page for page in (ROOT / "docs" / "how-to").glob("*.md") if page.stem not in WITH_PORTS)
_NOT_COPIED = shutil.ignore_patterns("__pycache__", "node_modules", ".hedgerow")


@pytest.fixture
def copy(folder: Path) -> Path:
    """A copy of what the pages touch, with the tools of this tree behind its `./just`."""
    for name in ("firmware", "boards", "host", "vectors"):
        shutil.copytree(ROOT / name, folder / name, ignore=_NOT_COPIED)
    for name in ("justfile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder)
    (folder / ".venv").symlink_to(TOOLS.parent)
    # The real launcher would install the copy into the tools that the tree itself uses.
    launcher = folder / "just"
    launcher.write_text(f'#!/bin/sh\n[ "$1" = --prepare ] || exec "{TOOLS / "just"}" "$@"\n', encoding="utf-8")
    launcher.chmod(0o755)
    return folder


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_who_follows_the_page_gets_what_it_promises(copy, page):
    python_path = os.pathsep.join([str(copy / "host"), str(copy / "firmware")])
    Reader(copy, copy.parent / "home", python_path=python_path).follow(page)
    touched = [part.path for part in parts(page) if isinstance(part, File) and part.path.endswith(".py")]
    for check in (["check"], ["format", "--check"]):
        done = subprocess.run([TOOLS / "ruff", *check, *touched], cwd=copy, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stdout + done.stderr
