"""The digests that a node's ledger compares at every start: of its program and its configuration. Loaded for that."""

import asyncio
import hashlib

from hedgenode.store.counters import read_whole
from hedgenode.store.walk import digest, walk

SHORT_DIGEST_BYTES = 8


async def program_digest() -> bytes:
    """First bytes of the SHA-256 over path, zero and SHA-256 of every program file, in the order of paths."""
    buffer = bytearray(512)
    whole = hashlib.sha256()
    paths = [path for path, _ in walk("/a")] + ["/boot.py", "/main.py"]
    paths.sort()
    for path in paths:
        whole.update(path.encode() + b"\x00" + (digest(path, buffer) or b""))
        await asyncio.sleep_ms(0)
    return whole.digest()[:SHORT_DIGEST_BYTES]


def file_digest(files, path: str) -> bytes:
    """First bytes of the SHA-256 of a small file; of nothing, if it is not there."""
    return hashlib.sha256(read_whole(files, path) or b"").digest()[:SHORT_DIGEST_BYTES]
