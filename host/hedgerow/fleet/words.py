"""Knows how bytes become words that a person can say, write down and remember, and back; knows no key by its use.

The words are those of BIP-39 (English): 2,048, told apart by their first four letters. 16, 20, 24, 28 or 32 bytes
become 12, 15, 18, 21 or 24 words; the last ones carry the first bits of SHA-256, so that a slip is found.
"""

import functools
import hashlib
from collections.abc import Sequence

from mnemonic import Mnemonic

from hedgerow.errors import LocalError
from hedgewire.cbor import Damage

FINGERPRINT_WORDS = 6  # 66 bits: nobody makes a second key that sounds the same
_BITS_A_WORD = 11
_WORDS_OF_BYTES = {16: 12, 20: 15, 24: 18, 28: 21, 32: 24}


def words_of(data: bytes) -> list[str]:
    """The words for 16 to 32 bytes (a multiple of four). Any other length is our own misuse."""
    if len(data) not in _WORDS_OF_BYTES:
        raise LocalError(f"{len(data)} bytes are no words; 16, 20, 24, 28 or 32 are")
    return _list().to_mnemonic(bytes(data)).split(" ")


def bytes_of(words: Sequence[str]) -> bytes | Damage:
    """The bytes that `words_of` was given. Case does not count, and four letters are enough for a word.

    Damage names the first unknown word (its `offset` counts words from 0) or says that the words do not fit together.
    """
    if len(words) not in _WORDS_OF_BYTES.values():
        return Damage(f"{len(words)} words; it must be 12, 15, 18, 21 or 24", len(words))
    whole = []
    for place, word in enumerate(words):
        known = _whole(word)
        if known is None:
            return Damage(f"word {place + 1}, {word!r}, is not in the list", place)
        whole.append(known)
    try:
        return bytes(_list().to_entropy(whole))
    except ValueError:  # each word is known: only the check bits are left to be wrong
        return Damage("the words do not fit together: one is wrong, or two have changed places", len(words))


def fingerprint(public: bytes) -> str:
    """Six words of the SHA-256 of a public key, for two people to compare aloud."""
    bits = int.from_bytes(hashlib.sha256(public).digest(), "big")
    places = [bits >> (256 - _BITS_A_WORD * (count + 1)) & 0x7FF for count in range(FINGERPRINT_WORDS)]
    return " ".join(_list().wordlist[place] for place in places)


@functools.cache
def _list() -> Mnemonic:
    return Mnemonic("english")


def _whole(word: str) -> str | None:
    found = _list().expand_word(word.strip().lower()) if len(word.strip()) >= 3 else ""
    return found if found in _list().wordlist else None
