"""Knows how a passphrase keeps seeds: scrypt (RFC 7914), then ChaCha20-Poly1305 (RFC 8439). Knows no file.

The key that a passphrase makes is kept as long as the object lives, so that a command asks once, and no longer.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from hedgerow.errors import StorageError, UsageError

Ask = Callable[[str], str]

SALT_BYTES = 16
NONCE_BYTES = 12
KEY_BYTES = 32
LOG2_N = 17  # 128 MB and about half a second for each guess
R = 8
P = 1
MOST_LOG2_N = 20  # a file from elsewhere must not take all of the memory


@dataclass(frozen=True)
class Lock:
    """The lock of one secrets file. `ask(what)` gives the passphrase when it is needed first."""

    salt: bytes
    what: str = field(compare=False)
    ask: Ask = field(compare=False, repr=False)
    log2_n: int = LOG2_N
    _made: list[bytes] = field(default_factory=list, compare=False, repr=False)

    @staticmethod
    def new(what: str, passphrase: str, log2_n: int | None = None) -> "Lock":
        lock = Lock(secrets.token_bytes(SALT_BYTES), what, lambda _: passphrase, log2_n or LOG2_N)
        lock._key()
        return lock

    def seal(self, label: str, seed: bytes) -> bytes:
        """Nonce, encrypted seed, tag. `label` says whose seed it is: two entries of a file cannot be exchanged."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + ChaCha20Poly1305(self._key()).encrypt(nonce, seed, label.encode())

    def open(self, label: str, sealed: bytes) -> bytes:
        """The seed. Raises UsageError for a wrong passphrase."""
        nonce, rest = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            return ChaCha20Poly1305(self._key()).decrypt(nonce, rest, label.encode())
        except (InvalidTag, ValueError) as error:
            self._made.clear()
            raise UsageError(
                f"that is not the passphrase for {self.what}", next_step="Run the same command again and type it anew"
            ) from error

    def _key(self) -> bytes:
        if not self._made:
            if self.log2_n > MOST_LOG2_N or len(self.salt) != SALT_BYTES:
                raise StorageError(f"{self.what} asks for a lock that this hedgerow does not know")
            kdf = Scrypt(salt=self.salt, length=KEY_BYTES, n=1 << self.log2_n, r=R, p=P)
            self._made.append(kdf.derive(self.ask(self.what).encode()))
        return self._made[0]
