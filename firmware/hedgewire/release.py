"""A release as a value: which files make the application of one kind of board, and for whom they were made.

A document of kind "release" (the envelope of hedgewire/document.py). Knows what its fields must look like, and what
the head of an .mpy file says. Who must have signed, and which node may take it, is for hedgenode/rules/releases.py.
"""

from hedgewire import cbor, document
from hedgewire.cbor import Damage
from hedgewire.document import DIGEST_BYTES, SIGNATURE_BYTES, is_count, is_key_id, is_public, is_text

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
_BYTES = 2  # major types of CBOR
_MAP = 5
_ENVELOPE_BYTES = 16  # the head of an envelope is shorter
_FILES = "files"


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


class Scroll:
    """The same, read out of the body's bytes whenever it is asked for: a small board has no room for 130 entries."""

    def __init__(self, body, at, fields):
        self._body = body
        self._at = at  # of the array of files
        self.fleet = fields["fleet"]
        self.sequence = fields["sequence"]
        self.version = fields["version"]
        self.boards = fields["boards"]
        self.chip = fields["chip"]
        self.mpy = fields["mpy"]

    @property
    def files(self):
        """A generator of the entries, a new one each time."""
        reader = cbor.Reader(self._body)
        reader.at = self._at
        for _ in range(reader.array()):
            file = reader.item()
            assert isinstance(file, list)  # because unroll() passed it
            yield file

    def has(self, path: str) -> bool:
        """Whether a file of that path belongs to it."""
        return self._body.find(b"\x83" + cbor.encode(path), self._at) >= 0


def unroll(body: bytes) -> "Scroll | Damage":
    """What `read` says of the fields of that body, in the memory of one entry."""
    reader = cbor.Reader(body)
    fields = {}
    at, previous = 0, b""
    try:
        for _ in range(reader.expect(_MAP)):
            start = reader.at
            name = reader.text()
            key = body[start : reader.at]
            if key <= previous:
                return Damage("key order", start)
            previous = key
            if name == _FILES:
                at = reader.at
                if not _pass_files(reader):
                    return Damage("%s: files" % KIND, 0)
                fields[name] = []
            else:
                fields[name] = reader.item(1)
        reader.close()
    except cbor.Broken as broken:
        return broken.damage
    if not is_text(fields.get("kind")) or not is_count(fields.get("v")):
        return Damage("a document needs a kind and a version", 0)
    shape = dict(_SHAPE)
    shape[_FILES] = lambda value: value == []  # looked at above
    found = document.read(fields, KIND, shape)
    return found if isinstance(found, Damage) else Scroll(body, at, found)


def open_envelope(file) -> "tuple[bytes, list] | Damage":
    """(body, signatures) of the document in an open file, as document.decode has them, with one copy in memory."""
    reader = cbor.Reader(file.read(_ENVELOPE_BYTES))
    try:
        if reader.expect(_MAP) != 2 or reader.text() != "body":
            return Damage("no document envelope", 0)
        size = reader.expect(_BYTES)
        file.seek(reader.at)
        if size > MAX_BYTES:
            return Damage("it is too long", 0)
        body = file.read(size)
        reader = cbor.Reader(file.read(MAX_BYTES - size))
        if len(body) != size or reader.text() != "signatures":
            return Damage("no document envelope", 0)
        signatures = reader.item(1)
        reader.close()
    except cbor.Broken as broken:
        return broken.damage
    if not isinstance(signatures, list) or not all(_is_signature(item) for item in signatures):
        return Damage("signatures are pairs of a key and 64 bytes", 0)
    return body, sorted({(signer, signature) for signer, signature in signatures})


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


def _pass_files(reader):
    """Whether the array that comes next is what `_are_files` asks for; read entry by entry."""
    count = reader.array()
    if not 0 < count <= MAX_FILES:
        return False
    path = ""
    for _ in range(count):
        item = reader.item(2)
        if not _is_file(item) or item[0] <= path:
            return False
        path = item[0]
    return True


def _is_signature(item):
    if not isinstance(item, list) or len(item) != 2:
        return False
    return is_public(item[0]) and isinstance(item[1], bytes) and len(item[1]) == SIGNATURE_BYTES


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
