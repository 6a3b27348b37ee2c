"""Knows which radios the firmware can drive, by the modules of its hal. Knows no node."""

import re

from hedgerow import resources

NONE = "none"
_NEEDS = re.compile(r'^NEEDS = "(\w+)"', re.MULTILINE)


def known() -> dict[str, str]:
    """Name of a bearer -> which of the `radios` in board.toml a board must have for it."""
    found = {}
    for path in sorted((resources.firmware_folder() / "hedgenode" / "hal").glob("*_radio.py")):
        needs = _NEEDS.search(path.read_text("utf-8"))
        name = path.stem.removesuffix("_radio")
        found[name] = needs[1] if needs else name
    return found
