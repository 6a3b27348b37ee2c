"""What lies in the file system: every path with its size, and the hash of a file. Changes nothing."""

import hashlib
import os

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
