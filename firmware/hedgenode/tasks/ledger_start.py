"""What a node's ledger does once, at the start: compare program and configuration with what it said last."""

import asyncio
import hashlib
import sys

from hedgenode.store.counters import read_whole
from hedgenode.store.walk import digest, walk

SHORT_DIGEST_BYTES = 8


async def note(task, facts, config_path, program):
    """Note what has changed. `program()` gives the digest of the program files (None: of this board's)."""
    facts["slot"] = await (program or program_digest)()
    if config_path is None:
        from hedgenode import config

        config_path = config.PATH
    facts["config"] = file_digest(task.files, config_path)
    task.with_book(lambda book: task.add(book, book.to_note_at_start(facts)))


async def program_digest() -> bytes:
    """First bytes of the SHA-256 over path, zero and SHA-256 of every program file, in the order of paths."""
    buffer = bytearray(512)
    whole = hashlib.sha256()
    slot = "/b" if "/b" in sys.path else "/a"
    paths = [path for path, _ in walk(slot)] + ["/slots.py", "/boot.py", "/main.py"]
    paths.sort()
    for path in paths:
        whole.update(path.encode() + b"\x00" + (digest(path, buffer) or b""))
        await asyncio.sleep_ms(0)
    return whole.digest()[:SHORT_DIGEST_BYTES]


def file_digest(files, path: str) -> bytes:
    """First bytes of the SHA-256 of a small file; of nothing, if it is not there."""
    return hashlib.sha256(read_whole(files, path) or b"").digest()[:SHORT_DIGEST_BYTES]
