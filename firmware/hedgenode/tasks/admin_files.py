"""Administration of the file system: list, compare, put (temporary file, hash read back, rename), remove."""

import asyncio
import hashlib
import os

from hedgewire import admin

from hedgenode.tasks.admin import Refusal

_TEMPORARY = "/incoming.tmp"
_PROTECTED = ("/identity.cbor", "/store")  # what no host may read or write over the cable
_EXTRA_BELOW = ("/a/", "/b/")
_DIRECTORY = 0x4000


def walk(path="/"):
    """Yield (path, size) of every file, in the order of its folder."""
    for entry in os.ilistdir(path):
        full = path + entry[0] if path == "/" else path + "/" + entry[0]
        if entry[1] == _DIRECTORY:
            for found in walk(full):
                yield found
        else:
            yield full, entry[3] if len(entry) > 3 else os.stat(full)[6]


def digest(path, buffer):
    """SHA-256 of a file, read through `buffer`; None when there is no such file."""
    h = hashlib.sha256()
    view = memoryview(buffer)
    try:
        with open(path, "rb") as f:
            while True:
                n = f.readinto(buffer)
                if not n:
                    return h.digest()
                h.update(view[:n])
    except OSError:
        return None


def _make_folders(path):
    at = path.find("/", 1)
    while at > 0:
        try:
            os.mkdir(path[:at])
        except OSError:
            pass  # there already; if not, opening the file says so
        at = path.find("/", at + 1)


class FileMethods:
    def __init__(self, node):
        self._node = node
        self._buffer = bytearray(512)
        self._put = None  # (path, size, sha256) of the file on its way in
        self.methods = {
            "files": self.files,
            "compare": self.compare,
            "put_begin": self.put_begin,
            "put_data": self.put_data,
            "put_end": self.put_end,
            "remove": self.remove,
        }

    async def files(self, params, rows):
        for path, size in walk():
            if path.startswith("/store/"):
                continue
            rows.add([path, size, digest(path, self._buffer) if params.get("hash", True) else None])
            await asyncio.sleep_ms(0)

    async def compare(self, params, rows):
        """What differs from the wanted [path, first 8 bytes of SHA-256] pairs, in one answer."""
        wanted = {}
        differ = []
        missing = []
        for path, start in params["files"]:
            wanted[path] = None
            have = digest(path, self._buffer)
            if have is None:
                missing.append(path)
            elif have[:8] != start:
                differ.append(path)
            await asyncio.sleep_ms(0)
        extra = [path for path, _ in walk() if path.startswith(_EXTRA_BELOW) and path not in wanted]
        return {"differ": differ, "missing": missing, "extra": extra}

    def _allowed(self, path):
        if not path.startswith("/") or "/../" in path or path.startswith(_PROTECTED):
            raise Refusal(admin.REFUSED, "%s cannot be written by a host" % path)
        return path

    async def put_begin(self, params, rows):
        """Announce a file; the answer says how much of it is here already, from an attempt that broke off."""
        path, size, sha256 = self._allowed(params["path"]), params["size"], bytes(params["sha256"])
        free, _ = self._node.hardware.flash_bytes()
        if size + 16384 > free:  # a file system filled to the brim has no room for its own bookkeeping
            raise Refusal(admin.STORAGE_FULL, "%d bytes do not fit, %d are free" % (size, free))
        have = 0
        if self._put == (path, size, sha256):
            try:
                have = os.stat(_TEMPORARY)[6]
            except OSError:
                have = 0
        if not have or have > size:
            have = 0
            open(_TEMPORARY, "wb").close()
        self._put = (path, size, sha256)
        return {"have": have}

    async def put_data(self, params, rows):
        if self._put is None:
            raise Refusal(admin.REFUSED, "put_begin comes first")
        have = os.stat(_TEMPORARY)[6]
        if params["offset"] == have and have + len(params["data"]) <= self._put[1]:
            with open(_TEMPORARY, "ab") as f:
                f.write(params["data"])
            have += len(params["data"])
        return {"next": have}  # a repeated or misplaced piece changes nothing and is told where to go on

    async def put_end(self, params, rows):
        if self._put is None:
            raise Refusal(admin.REFUSED, "put_begin comes first")
        path, size, sha256 = self._put
        have = digest(_TEMPORARY, self._buffer)
        if have != sha256:
            self._put = None
            os.remove(_TEMPORARY)
            raise Refusal(admin.REFUSED, "%s arrived damaged; nothing was changed" % path)
        _make_folders(path)
        os.rename(_TEMPORARY, path)
        self._put = None
        return {"sha256": digest(path, self._buffer)}

    async def remove(self, params, rows):
        path = self._allowed(params["path"])
        try:
            os.remove(path)
        except OSError:
            raise Refusal(admin.NOT_FOUND, "%s is not there" % path)
        return {}
