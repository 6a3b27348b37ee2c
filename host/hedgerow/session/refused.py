"""Knows a node's no as it came: its code and its sentence. Knows what each means for people."""

from hedgerow.errors import FleetError, LinkError, NotAllowedError, RefusedError, RemoteError, StorageError
from hedgewire import admin

_SENTENCES = {
    admin.UNKNOWN_METHOD: (RemoteError, "Its firmware may be older than this tool: `hedgerow audit` tells."),
    admin.BAD_PARAMS: (RemoteError, None),
    admin.REFUSED: (RefusedError, None),
    admin.NOT_FOUND: (RemoteError, None),
    admin.STORAGE_FULL: (StorageError, "Fetch what it holds, remove what is not needed, and try again."),
    admin.BUSY: (LinkError, "Try again in a minute."),
    admin.NOT_ALLOWED: (NotAllowedError, "Ask a steward of the fleet for a certificate that says more."),
    admin.INTERNAL: (RemoteError, "`hedgerow logs` shows what went wrong there."),
}


class Refused(Exception):
    """What a node answered instead of a result; `code` is one of hedgewire.admin."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence

    def as_error(self, node: str, guest_because: str | None) -> FleetError:
        """The same for people. `guest_because` says why we are nobody there, if we are."""
        kind, next_step = _SENTENCES.get(self.code, (RemoteError, None))
        if self.code == admin.NOT_ALLOWED and guest_because is not None:
            next_step = guest_because
        return kind(self.sentence, node=node, next_step=next_step)
