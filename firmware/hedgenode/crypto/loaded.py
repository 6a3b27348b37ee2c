"""Lets go of long mathematics once it is done: on a small board a signature's modules take a tenth of the heap."""

import sys

_LARGE = ("ed25519", "ed25519_base", "field25519", "hpke", "keywrap", "sha512", "suite_long", "x25519")


def forget() -> None:
    """Forget the modules that were imported late; whoever still runs one keeps it, and it is read again when needed.

    Elsewhere than on a board nothing happens: there is room, and a module is expected to stay the one that it was.
    """
    if sys.implementation.name != "micropython":
        return
    package = sys.modules.get("hedgenode.crypto")
    for name in _LARGE:
        if sys.modules.pop("hedgenode.crypto." + name, None) is not None and hasattr(package, name):
            delattr(package, name)
