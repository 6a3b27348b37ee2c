"""Knows at which line and column each key and value of a TOML text stands. Knows nothing of what they mean.

Python's own parser says what a file contains, but not where. This walks over a text that it has accepted already, so
it need not doubt the syntax; paths are tuples of keys and list indexes, as in JSON Schema errors.
"""

import re
from dataclasses import dataclass, field

Path = tuple[str | int, ...]
Position = tuple[int, int]  # line and column, both from 1

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\n]*")
_STRINGS = (
    re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}', re.DOTALL),
    re.compile(r"'''.*?'{3,5}", re.DOTALL),
    re.compile(r'"(?:[^"\\]|\\.)*"'),
    re.compile(r"'[^']*'"),
)


@dataclass
class Positions:
    """Where keys and values stand; a table's value stands at its header."""

    keys: dict[Path, Position] = field(default_factory=dict)
    values: dict[Path, Position] = field(default_factory=dict)

    def of_key(self, path: Path) -> Position:
        return self.keys.get(path) or self.of_value(path)

    def of_value(self, path: Path) -> Position:
        """The value's own place, or that of the nearest table or list around it."""
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, (1, 1))


def find(text: str) -> Positions:
    """Every place in a TOML text that Python's parser has accepted."""
    return _Walk(text).positions


class _Walk:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._lengths: dict[Path, int] = {}  # of arrays of tables
        self.positions = Positions()
        self._document()

    def _document(self) -> None:
        table: Path = ()
        while self._skip(_BLANK) < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> Path:
        start = self._at
        is_array = self._text.startswith("[[", start)
        self._at += 2 if is_array else 1
        names = self._dotted_key()
        self._at += 2 if is_array else 1
        path: Path = ()
        for depth, name in enumerate(names):
            path += (name,)
            if is_array and depth == len(names) - 1:
                self._lengths[path] = self._lengths.get(path, 0) + 1
                self.positions.values.setdefault(path, self._position(start))
            if path in self._lengths:
                path += (self._lengths[path] - 1,)
        self.positions.values[path] = self._position(start)
        return path

    def _pair(self, table: Path) -> None:
        start = self._at
        path = table + tuple(self._dotted_key())
        self.positions.keys[path] = self._position(start)
        self._skip(_SPACE)
        self._at += 1  # the equals sign
        self._skip(_SPACE)
        self._value(path)

    def _value(self, path: Path) -> None:
        self.positions.values[path] = self._position(self._at)
        opening = self._text[self._at]
        if opening == "[":
            self._list(path)
        elif opening == "{":
            self._inline_table(path)
        else:
            self._skip(next((kind for kind in _STRINGS if kind.match(self._text, self._at)), _SCALAR))

    def _list(self, path: Path) -> None:
        self._at += 1
        index = 0
        while self._text[self._skip(_BLANK)] != "]":
            self._value((*path, index))
            index += 1
            self._skip_comma()
        self._at += 1

    def _inline_table(self, path: Path) -> None:
        self._at += 1
        while self._text[self._skip(_BLANK)] != "}":
            self._pair(path)
            self._skip_comma()
        self._at += 1

    def _skip_comma(self) -> None:
        if self._text[self._skip(_BLANK)] == ",":
            self._at += 1

    def _dotted_key(self) -> list[str]:
        names = []
        while True:
            self._skip(_SPACE)
            kind = next((kind for kind in _STRINGS[2:] if kind.match(self._text, self._at)), _BARE_KEY)
            start = self._at
            names.append(self._text[start : self._skip(kind)].strip("\"'"))
            self._skip(_SPACE)
            if not self._text.startswith(".", self._at):
                return names
            self._at += 1

    def _skip(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return self._at

    def _position(self, at: int) -> Position:
        line_start = self._text.rfind("\n", 0, at) + 1
        return self._text.count("\n", 0, at) + 1, at - line_start + 1
