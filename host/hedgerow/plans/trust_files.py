"""Knows what a node's trust folder is to hold, by running the node's own code over it. Verifies nothing: that was done.

The table of roles is prepared here as well, so that a small board need not work it out while its memory is full.
"""

from dataclasses import dataclass

from hedgenode.store import trust_table, trusted
from hedgenode.store.ram import RamFiles
from hedgerow.fleet.inventory import NodeSpec
from hedgerow.repl.copy import FileToCopy

DIGEST_START_BYTES = 8


@dataclass(frozen=True)
class TrustFolder:
    """Files to copy, and the first bytes of the digests of the documents in them."""

    files: tuple[FileToCopy, ...]
    digests: frozenset[bytes]


def wanted(spec: NodeSpec) -> TrustFolder:
    """The folder of the node that the spec describes; empty for one that nobody has enrolled."""
    if spec.enrolment is None or not spec.documents:
        return TrustFolder((), frozenset())
    files = RamFiles()
    for one in spec.documents:
        files.contents[trust_table.path_of(trust_table.FOLDER, one.kind, one.digest)] = bytearray(one.encode())
    node = trusted.Trusted(files, trust_table.FOLDER, spec.fleet, spec.enrolment.node)
    prepared = tuple(FileToCopy(path, bytes(data)) for path, data in sorted(files.contents.items()))
    return TrustFolder(prepared, frozenset(bytes(digest)[:DIGEST_START_BYTES] for digest, _ in node.documents()))
