"""Lets go of long mathematics once it is done: on a small board a signature's modules take a tenth of the heap."""

from hedgenode import rarely

_LARGE = ("ed25519", "ed25519_base", "field25519", "hpke", "keywrap", "sha512", "suite_long", "thumb25519", "x25519")
_EXCHANGE = "hedgewire.edhoc"  # needed by nobody else


def forget() -> None:
    """Forget the modules that were imported late; elsewhere than on a board nothing happens."""
    for name in _LARGE:
        rarely.forget("hedgenode.crypto." + name)
    rarely.forget(_EXCHANGE)
