"""Which methods of administration are in modules that are imported when somebody first asks for one. Knows no meaning.

On a small board every module costs heap from its import on, and some are needed once in a node's life.
"""

import gc

from hedgenode.rarely import forget

# Module, class and methods.
GROUPS = (
    ("admin_care", "CareMethods", "config configure set_time neighbours probe identify dev restart"),
    ("admin_far", "FarMethods", "far_send far_read"),
    ("admin_files", "FileMethods", "files compare put_begin put_data put_pieces put_end remove"),
    ("admin_groups", "GroupMethods", "groups group_put group_remove group_advance"),
    ("admin_ledger", "LedgerMethods", "ledger ledger_head ledger_kept audited"),
    ("admin_post", "PostMethods", "reserve post accept"),
    ("admin_running", "RunningMethods", "slots slot_confirm"),
    ("admin_slots", "SlotMethods", "slot_prepare slot_try"),
    ("admin_trust", "TrustMethods", "documents document document_put document_send"),
    ("moves", "MoveMethods", "move"),
)


class Late:
    """Lends one method at a time. After `give_back` its module is gone again, unless a file is on its way in."""

    def __init__(self, node):
        self._node = node
        self._module = None  # of the methods at hand
        self._methods = {}
        self._kept = False

    def take(self, name: str):
        """The method of that name, None where no group has it."""
        for module, kind, names in GROUPS:
            if name in names.split(" "):
                if module != self._module:
                    self._forget()
                    made = __import__("hedgenode.tasks." + module, None, None, (kind,))
                    self._methods = getattr(made, kind)(self._node).methods
                    self._module = module
                self._kept = name in ("put_begin", "put_data", "put_pieces")
                return self._methods[name]
        return None

    def give_back(self) -> None:
        """The method has answered."""
        if not self._kept:
            self._forget()

    def _forget(self):
        if self._module is None:
            return
        self._methods = {}
        forget("hedgenode.tasks." + self._module)  # the ledger may have let go of it already
        self._module = None
        gc.collect()
