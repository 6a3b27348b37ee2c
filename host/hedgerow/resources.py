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
    """Where a person keeps firmware images for the tool."""
    return _data_folder() / "images"


def wheels_folder() -> Path:
    """Where a kit left the wheels that it installed, so that they can go into the next kit."""
    return _data_folder() / "wheels"


def documentation_folder() -> Path | None:
    """The pages, laid out as in the source tree: that of a checkout, else what a kit left; None if there are none."""
    kept = _data_folder() / "documentation"
    return _CHECKOUT if is_checkout() else kept if kept.is_dir() else None


def is_checkout() -> bool:
    """True where the project runs from its own source tree, not from a wheel."""
    return not _INSTALLED.is_dir()


def _data_folder() -> Path:
    """XDG base directories, on every system alike."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "hedgerow"


def _folder(name: str) -> Path:
    """The installed copy comes first: a wheel beside a checkout must not mix the two."""
    for folder in (_INSTALLED / name, _CHECKOUT / name):
        if folder.is_dir():
            return folder
    raise EnvironmentProblem(
        f"the folder {name!r} is missing from this installation of Hedgerow",
        next_step="Install it again from the wheel or the source tree.",
    )
