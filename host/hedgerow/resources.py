"""Knows where the files that are not Python modules lie, in a checkout and in an installed wheel; never opens one."""

import os
from pathlib import Path

from hedgerow.errors import EnvironmentProblem

_PACKAGE = Path(__file__).resolve().parent
_INSTALLED = _PACKAGE / "_data"
_CHECKOUT = _PACKAGE.parents[1]


def boards_folder() -> Path:
    """One folder a board, named by MicroPython's board id."""
    return _folder("boards")


def firmware_folder() -> Path:
    """`boot.py`, `main.py` and the packages `hedgewire` and `hedgenode`, as source."""
    return _folder("firmware")


def images_folder() -> Path:
    """Where a person keeps firmware images for the tool (XDG base directories)."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "hedgerow" / "images"


def is_checkout() -> bool:
    """True where the project runs from its own source tree, not from a wheel."""
    return not _INSTALLED.is_dir()


def _folder(name: str) -> Path:
    """The installed copy comes first: a wheel beside a checkout must not mix the two."""
    for folder in (_INSTALLED / name, _CHECKOUT / name):
        if folder.is_dir():
            return folder
    raise EnvironmentProblem(
        f"the folder {name!r} is missing from this installation of Hedgerow",
        next_step="Install it again from the wheel or the source tree.",
    )
