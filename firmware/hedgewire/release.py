"""A release as a value: which files make the application of one kind of board, and for whom they were made.

A document of kind "release" (the envelope of hedgewire/document.py). Knows what its fields must look like, and what
the head of an .mpy file says. Who must have signed, and which node may take it, is for hedgenode/rules/releases.py.
"""

from hedgewire import document
from hedgewire.cbor import Damage
from hedgewire.document import DIGEST_BYTES, is_count, is_key_id, is_text

KIND = "release"
FILE_NAME = "release.cbor"
SUFFIX = ".mpy"
MAX_BYTES = 16384  # of release.cbor: some 300 files
MAX_BOARDS = 16
MAX_FILES = 256
MAX_PATH_BYTES = 64
MAX_FILE_BYTES = 65536
_PATH_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_/."
_HEAD_BYTES = 4


class Release:
    """fleet (8 bytes), sequence, version (text), boards (list of board ids), chip (text), mpy ([version, sub-version,
    arch]), files: list of [path below the slot, size in bytes, SHA-256], ordered by path, none twice.
    """

    def __init__(self, fields):
        self.fleet = fields["fleet"]
        self.sequence = fields["sequence"]
        self.version = fields["version"]
        self.boards = fields["boards"]
        self.chip = fields["chip"]
        self.mpy = fields["mpy"]
        self.files = fields["files"]


def make(says: dict) -> bytes:
    """The body of a new release with these fields."""
    return document.make(KIND, says)


def read(fields: dict) -> "Release | Damage":
    """The release that a body's fields make, or why they make none."""
    found = document.read(fields, KIND, _SHAPE)
    return found if isinstance(found, Damage) else Release(found)


def mpy_head(data) -> "list | None":
    """[version, sub-version, arch] that an .mpy file was compiled for, or None where it is none."""
    if len(data) < _HEAD_BYTES or data[0] != 0x4D:  # "M"
        return None
    return [data[1], data[2] & 3, data[2] >> 2]


def is_path(value) -> bool:
    """A path below a slot that leads nowhere else, the same on every system."""
    if not is_text(value) or len(value) > MAX_PATH_BYTES or not value.endswith(SUFFIX):
        return False
    if not all(letter in _PATH_LETTERS for letter in value):
        return False
    return all(part.strip(".") == part and part for part in value.split("/"))


def _are_boards(value):
    if not isinstance(value, list) or not 0 < len(value) <= MAX_BOARDS or not all(is_text(item) for item in value):
        return False
    return value == sorted(set(value))


def _is_mpy(value):
    return isinstance(value, list) and len(value) == 3 and all(is_count(item) and item < 256 for item in value)


def _is_file(item):
    if not isinstance(item, list) or len(item) != 3:
        return False
    size, digest = item[1:]
    right_size = is_count(size) and 0 < size <= MAX_FILE_BYTES
    return is_path(item[0]) and right_size and isinstance(digest, bytes) and len(digest) == DIGEST_BYTES


def _are_files(value):
    if not isinstance(value, list) or not 0 < len(value) <= MAX_FILES or not all(_is_file(item) for item in value):
        return False
    paths = [item[0] for item in value]
    return paths == sorted(set(paths))


_SHAPE = {
    "fleet": is_key_id,
    "sequence": lambda value: is_count(value) and 0 < value < 0x100000000,
    "version": is_text,
    "boards": _are_boards,
    "chip": is_text,
    "mpy": _is_mpy,
    "files": _are_files,
}
