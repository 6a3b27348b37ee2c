"""The table beside a node's trust documents: whose key has which role, and what is held. Small, for it is often loaded.

[1, fleet id, version of the charter in force, [[public key, role], ...], [[digest, kind], ...]]; trusted.py makes it.
"""

from hedgenode.store.counters import read_whole
from hedgewire import cbor

FOLDER = "/store/trust"
TABLE = "roles"
ENDING = ".cbor"
SINGLE = ("enrolment", "custodian")  # of these a node has one, and the next one takes its place in one step
VERSION = 1
_NAME_BYTES = 8


def path_of(folder: str, kind: str, digest: bytes) -> str:
    """Where a document lies."""
    name = kind if kind in SINGLE else digest[:_NAME_BYTES].hex()
    return folder + "/" + name + ENDING


def read(files, folder: str, fleet: bytes) -> "list | None":
    """The table of that fleet; None where there is none, and it is to be made from the documents."""
    table = cbor.decode(read_whole(files, folder + "/" + TABLE) or b"")
    if isinstance(table, list) and len(table) == 5 and table[0] == VERSION and table[1] == fleet:
        return table
    return None
