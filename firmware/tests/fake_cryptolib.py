"""MicroPython's `cryptolib` for CPython, over `cryptography`. Knows what boards have of it: AES in ECB and CBC."""

import sys

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_ECB = 1
_CBC = 2


class aes:  # noqa: N801 - its name on boards
    """One direction and one pass for each object, as on boards."""

    def __init__(self, key, mode, IV=None):  # noqa: N803 - its name on boards
        if mode not in (_ECB, _CBC):
            raise ValueError("mode")
        self._cipher = Cipher(algorithms.AES(bytes(key)), modes.ECB() if mode == _ECB else modes.CBC(bytes(IV)))

    def encrypt(self, data, into=None):
        return self._run(self._cipher.encryptor(), data, into)

    def decrypt(self, data, into=None):
        return self._run(self._cipher.decryptor(), data, into)

    @staticmethod
    def _run(context, data, into):
        out = context.update(bytes(data)) + context.finalize()
        if into is None:
            return out
        into[: len(out)] = out
        return into


def install():
    """Let `import cryptolib` find this module where there is none."""
    sys.modules.setdefault("cryptolib", sys.modules[__name__])
