"""Which methods of administration are in modules that are imported when somebody first asks for one. Knows no meaning.

On a small board every module costs heap from its import on, and some are needed once in a node's life.
"""

# Module, class and methods.
GROUPS = (
    ("admin_files", "FileMethods", "files compare put_begin put_data put_end remove"),
    ("admin_groups", "GroupMethods", "groups group_put group_remove group_advance"),
    ("admin_ledger", "LedgerMethods", "ledger ledger_head ledger_kept audited"),
    ("admin_trust", "TrustMethods", "documents document document_put"),
)


def methods_with(name: str, node) -> dict:
    """The methods of the group that has one of that name; none where no group has."""
    for module, kind, names in GROUPS:
        if name in names.split(" "):
            made = __import__("hedgenode.tasks." + module, None, None, (kind,))
            return getattr(made, kind)(node).methods
    return {}
