"""rp2 as far as an application asks for it: the boot button, the country of the radio, the flash under the files."""

import _facts
import _flash

_country = "XX"


def bootsel_button():
    return 1 if _facts.level("BOOTSEL") == 0 else 0


def country(code=None):
    global _country
    if code is None:
        return _country
    _country = code
    return None


def Flash():
    """The block device that the file system lies on; there is one, however often it is asked for."""
    return _flash.mounted
