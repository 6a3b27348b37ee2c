"""Files in memory that lose power at a chosen change. Knows no store."""

from hedgenode.store.ram import RamFiles


class PowerCutError(Exception):
    """The power is gone; what `contents` holds is what flash holds."""


class CutFiles(RamFiles):
    """Loses power at the n-th change of the flash."""

    def __init__(self, contents, at):
        super().__init__()
        self.contents = contents
        self._left = at

    def _change(self):
        self._left -= 1
        if self._left == 0:
            raise PowerCutError

    def open(self, path, mode):
        if "r" not in mode:
            self._change()
        return super().open(path, mode)

    def sync(self, file):
        self._change()
        super().sync(file)

    def remove(self, path):
        self._change()
        super().remove(path)

    def rename(self, old, new):
        self._change()
        super().rename(old, new)
