"""Lets go of long mathematics once it is done: on a small board a signature's modules take a tenth of the heap."""

import sys

_LARGE = ("ed25519", "ed25519_base", "field25519", "hpke", "keywrap", "sha512", "suite_long", "x25519")
_EXCHANGE = "edhoc"  # of hedgewire, and needed by nobody else


def forget() -> None:
    """Forget the modules that were imported late; whoever still runs one keeps it, and it is read again when needed.

    Elsewhere than on a board nothing happens: there is room, and a module is expected to stay the one that it was.
    """
    if sys.implementation.name != "micropython":
        return
    for name in _LARGE:
        _forget("hedgenode.crypto", name)
    _forget("hedgewire", _EXCHANGE)


def _forget(package, name):
    held = sys.modules.get(package)
    if sys.modules.pop(package + "." + name, None) is not None and hasattr(held, name):
        delattr(held, name)
