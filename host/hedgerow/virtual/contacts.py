"""Knows who is in reach of whom, now and by plan; knows nothing of frames.

A plan is text in the format of the ONE simulator's connection reports, `seconds CONN a b up|down` a line.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hedgerow.errors import UsageError


@dataclass(frozen=True)
class Contact:
    """From `at_s` on, a and b are in reach of each other, or no longer."""

    at_s: float
    a: str
    b: str
    up: bool


def parse_plan(text: str, source: str = "contact plan") -> list[Contact]:
    """The contacts ordered by time. Raises UsageError that names the line."""
    contacts = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or line.startswith("#"):
            continue
        try:
            at_s, word, a, b, state = words
            if word != "CONN" or state not in ("up", "down") or a == b:
                raise ValueError
            contacts.append(Contact(float(at_s), a, b, state == "up"))
        except ValueError:
            raise UsageError(
                f"{source}, line {number}: {line.strip()!r} is no contact",
                next_step="A line reads `SECONDS CONN A B up` or `... down`.",
            ) from None
    return sorted(contacts, key=lambda contact: contact.at_s)


def read_plan(path: Path) -> list[Contact]:
    try:
        return parse_plan(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the contact plan {path}: {error}") from None


class Links:
    """Pairs in reach. Starts with everyone in reach of everyone, or with nobody."""

    def __init__(self, *, everyone: bool = True) -> None:
        self._everyone = everyone
        self._exceptions: set[frozenset[str]] = set()

    def set(self, a: str, b: str, up: bool) -> None:
        pair = frozenset((a, b))
        if up == self._everyone:
            self._exceptions.discard(pair)
        else:
            self._exceptions.add(pair)

    def reset(self, *, everyone: bool) -> None:
        self._everyone = everyone
        self._exceptions.clear()

    def up(self, a: str, b: str) -> bool:
        return a != b and (frozenset((a, b)) in self._exceptions) != self._everyone

    def pairs(self, names: Iterable[str]) -> list[tuple[str, str]]:
        """Every pair of these names that is in reach, each once, in order."""
        ordered = sorted(names)
        return [(a, b) for index, a in enumerate(ordered) for b in ordered[index + 1 :] if self.up(a, b)]
