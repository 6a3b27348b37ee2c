"""Files in memory for the simulator: the seam of files.py without a disk. Durable as long as the object lives."""

_ENOENT = 2


class RamFile:
    """An open file over the bytearray that RamFiles keeps under its name."""

    def __init__(self, data: bytearray, at: int):
        self._data = data
        self._at = at

    def read(self, size: int = -1) -> bytes:
        end = len(self._data) if size < 0 else min(len(self._data), self._at + size)
        found = bytes(self._data[self._at : end])
        self._at += len(found)
        return found

    def readinto(self, buffer) -> int:
        found = self.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)

    def write(self, data) -> int:
        # Written at the end only: the store has no other use for a file.
        self._data.extend(data)
        self._at = len(self._data)
        return len(data)

    def seek(self, offset: int) -> int:
        self._at = min(offset, len(self._data))
        return self._at

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass


class RamFiles:
    """A flat name -> bytes table that answers like a file system; folders need not exist."""

    def __init__(self):
        self.contents = {}

    def open(self, path: str, mode: str) -> RamFile:
        if "w" in mode:
            self.contents[path] = bytearray()
        elif path not in self.contents:
            if "a" not in mode:
                raise OSError(_ENOENT)
            self.contents[path] = bytearray()
        data = self.contents[path]
        return RamFile(data, len(data) if "a" in mode else 0)

    def sync(self, file) -> None:
        file.flush()

    def remove(self, path: str) -> None:
        if path not in self.contents:
            raise OSError(_ENOENT)
        del self.contents[path]

    def rename(self, old: str, new: str) -> None:
        if old not in self.contents:
            raise OSError(_ENOENT)
        self.contents[new] = self.contents[old]
        del self.contents[old]

    def listdir(self, path: str) -> list:
        folder = path + "/"
        return [name[len(folder) :] for name in self.contents if name.startswith(folder)]

    def size(self, path: str) -> int:
        if path not in self.contents:
            raise OSError(_ENOENT)
        return len(self.contents[path])
