"""Administration of the file system: list, compare, put (temporary file, hash read back, rename), remove."""

import asyncio
import hashlib
import os

from hedgenode.store.walk import digest, walk
from hedgenode.tasks.admin import Refusal
from hedgewire import admin

TEMPORARY = "/incoming.tmp"
# What no host may write over the cable: the node's key and its memory; the configuration has a method that checks it.
_PROTECTED = ("/identity.cbor", "/identity.cbor.tmp", "/config.cbor", "/config.cbor.tmp", "/store", TEMPORARY)
_EXTRA_BELOW = ("/a/", "/b/")
_KEPT_FREE_BYTES = 16384  # a file system filled to the brim has no room for its own bookkeeping
_MAX_PATH = 96
_BLOCK_BYTES = 256
_SUM_BYTES = 4  # of a block's SHA-256; the SHA-256 of the whole file decides
_MAX_BLOCKS = 512  # sums in one answer


def make_folders(path):
    at = path.find("/", 1)
    while at > 0:
        try:
            os.mkdir(path[:at])
        except OSError:
            pass  # there already; if not, opening the file says so
        at = path.find("/", at + 1)


def _is_plain(path):
    """Whether there is one way only to read that path: absolute, no empty part, no dots."""
    if not path.startswith("/") or len(path) > _MAX_PATH:
        return False
    for part in path[1:].split("/"):
        if part in ("", ".", "..") or "\x00" in part:
            return False
    return True


def _writable(path):
    """The path, or a refusal. Lower case, because a FAT file system does not tell one case from the other."""
    low = path.lower()
    if not _is_plain(path) or low in _PROTECTED or low.startswith("/store/"):
        raise Refusal(admin.REFUSED, "%s cannot be written by a host" % path[:_MAX_PATH])
    return path


class FileMethods:
    def __init__(self, node):
        self._node = node
        self._buffer = bytearray(512)
        self._base = TEMPORARY  # the file that pieces come from
        self._put = None  # (path, size, sha256) of the file on its way in
        self.methods = {
            "files": self.files,
            "compare": self.compare,
            "put_begin": self.put_begin,
            "put_data": self.put_data,
            "put_pieces": self.put_pieces,
            "put_end": self.put_end,
            "remove": self.remove,
        }

    async def files(self, params, rows):
        with_hash = params.flag("hash", True)
        for path, size in walk():
            if not path.startswith("/store/"):
                await rows.add([path, size, digest(path, self._buffer) if with_hash else None])
                await asyncio.sleep_ms(0)

    async def compare(self, params, rows):
        """What differs from the wanted [path, first 8 bytes of SHA-256] pairs, in one answer."""
        wanted = {}
        for pair in params.items("files"):
            if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], str):
                raise Refusal(admin.BAD_PARAMS, "files must be a list of [path, bytes] pairs")
            wanted[pair[0]] = pair[1]
        differ = []
        missing = []
        for path, start in wanted.items():
            have = digest(path, self._buffer)
            if have is None:
                missing.append(path)
            elif have[:8] != start:
                differ.append(path)
            await asyncio.sleep_ms(0)
        extra = [path for path, _ in walk() if path.startswith(_EXTRA_BELOW) and path not in wanted]
        return {"differ": differ, "missing": missing, "extra": extra}

    async def put_begin(self, params, rows):
        """Announce a file; the answer says how much of it is here already, from an attempt that broke off.

        With a `base` it has the sums of that file's blocks, too: the host finds out what of the new one is in there.
        """
        path, size, sha256 = _writable(params.text("path")), params.number("size"), params.data("sha256", 32)
        have = 0
        if self._put == (path, size, sha256):
            have = _size(TEMPORARY) or 0
        free, _ = self._node.hardware.flash_bytes()
        if size - have + _KEPT_FREE_BYTES > free:
            raise Refusal(admin.STORAGE_FULL, "%d bytes do not fit, %d are free" % (size, free))
        if not have:
            with open(TEMPORARY, "wb"):
                pass
        self._put = (path, size, sha256)
        answer = {"have": have}
        if "base" in params:
            self._base = _writable(params.text("base"))
            self._sum(answer, self._base)
        return answer

    def _sum(self, answer, path):
        sums = bytearray()
        view = memoryview(self._buffer)[:_BLOCK_BYTES]
        size = answer["size"] = _size(path) or 0
        if size:
            with open(path, "rb") as f:
                for _ in range(min(_MAX_BLOCKS, -(-size // _BLOCK_BYTES))):
                    sums.extend(hashlib.sha256(view[: f.readinto(view)]).digest()[:_SUM_BYTES])
        answer["sums"] = bytes(sums)

    async def put_data(self, params, rows):
        """One piece, where the last one ended; one that was there before or comes too early changes nothing."""
        _, size, _ = self._announced()
        offset, data = params.number("offset"), params.data("data")
        have = _size(TEMPORARY) or 0
        if offset == have and have + len(data) <= size:
            with open(TEMPORARY, "ab") as f:
                f.write(data)
            have += len(data)
        return {"next": have}

    async def put_pieces(self, params, rows):
        """As put_data; a piece is bytes, or [offset, count] of what lies in the base already."""
        _, size, _ = self._announced()
        offset, pieces = params.number("offset"), params.items("pieces")
        have = _size(TEMPORARY) or 0
        if offset != have:
            return {"next": have}
        there = _size(self._base) or 0
        after = have
        for piece in pieces:
            after += _piece_bytes(piece, there)
        if after > size:
            raise Refusal(admin.BAD_PARAMS, "the pieces are longer than the file")
        with open(TEMPORARY, "ab") as target:
            for piece in pieces:
                if isinstance(piece, bytes):
                    target.write(piece)
                else:
                    self._append(target, piece[0], piece[1])
        return {"next": _size(TEMPORARY)}

    def _append(self, target, at, count):
        view = memoryview(self._buffer)
        with open(self._base, "rb") as source:
            source.seek(at)
            while count > 0:
                found = source.readinto(view[: min(count, len(view))])
                if not found:
                    break  # put_end finds out
                target.write(view[:found])
                count -= found

    async def put_end(self, params, rows):
        """Check the whole, then put it in its place. Asked again after it was done, it says so again."""
        path, _, sha256 = self._announced()
        if _size(TEMPORARY) is None and digest(path, self._buffer) == sha256:
            return {"sha256": sha256}
        if digest(TEMPORARY, self._buffer) != sha256:
            self._put = None
            _remove(TEMPORARY)
            raise Refusal(admin.REFUSED, "%s arrived damaged; nothing was changed" % path)
        make_folders(path)
        os.rename(TEMPORARY, path)
        return {"sha256": digest(path, self._buffer)}

    async def remove(self, params, rows):
        path = _writable(params.text("path"))
        if not _remove(path):
            raise Refusal(admin.NOT_FOUND, "%s is not there" % path)
        return {}

    def _announced(self):
        if self._put is None:
            raise Refusal(admin.REFUSED, "put_begin comes first")
        return self._put


def _piece_bytes(piece, there):
    """How long it is; `there`: bytes of the base."""
    if isinstance(piece, bytes):
        return len(piece)
    numbers = isinstance(piece, list) and len(piece) == 2 and all(isinstance(one, int) for one in piece)
    if not numbers or piece[0] < 0 or piece[1] < 1 or piece[0] + piece[1] > there:
        raise Refusal(admin.BAD_PARAMS, "a piece must be bytes, or [offset, count] of the base")
    return piece[1]


def _size(path):
    """Bytes of a file, None where there is none."""
    try:
        return os.stat(path)[6]
    except OSError:
        return None


def _remove(path):
    try:
        os.remove(path)
        return True
    except OSError:
        return False
