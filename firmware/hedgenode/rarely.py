"""Lets code that is needed seldom go again after use, for memory is what a small board lacks first. Knows no module.

    with Rarely():
        from hedgenode.crypto.ed25519 import verify_steps
        ...

What is imported inside and was not there before is forgotten at the end, and its memory is free: keep no reference to
a class or function of it. Elsewhere than on a board nothing is forgotten; memory is no question there.
"""

import gc
import sys

_ON_A_BOARD = sys.implementation.name == "micropython"


class Rarely:
    def __enter__(self):
        gc.collect()  # a module needs long free stretches
        self._before = set(sys.modules)
        return self

    def __exit__(self, *_):
        for name in list(sys.modules):
            if name not in self._before:
                forget(name)
        gc.collect()


def forget(name: str) -> None:
    """Let go of one module; whoever still runs it keeps it, and it is read again when it is needed."""
    if not _ON_A_BOARD:
        return
    sys.modules.pop(name, None)
    package, _, module = name.rpartition(".")
    if package in sys.modules and hasattr(sys.modules[package], module):
        delattr(sys.modules[package], module)
