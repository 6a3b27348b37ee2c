"""The few file operations that the store needs, on a board's flash or in a directory. Knows no record and no path."""

import os

# CPython needs it for durability; MicroPython's flush() of a LittleFS file is already a commit.
_fsync = getattr(os, "fsync", None)
_replace = getattr(os, "replace", os.rename)  # os.rename of Windows refuses an existing target


class Flash:
    """The seam: open, sync, remove, rename, listdir, size. RamFiles is the other one; tests cut the power of both."""

    def open(self, path: str, mode: str):
        """A binary file: read, readinto, write, seek, close. OSError when it is not there."""
        return open(path, mode)

    def sync(self, file) -> None:
        """Return only after everything written to the file would survive a power cut."""
        file.flush()
        if _fsync is not None:
            _fsync(file.fileno())

    def remove(self, path: str) -> None:
        os.remove(path)

    def rename(self, old: str, new: str) -> None:
        """Atomic; replaces `new`."""
        _replace(old, new)

    def listdir(self, path: str) -> list:
        return os.listdir(path)

    def size(self, path: str) -> int:
        return os.stat(path)[6]
