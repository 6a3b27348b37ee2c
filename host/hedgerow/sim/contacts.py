"""Knows contacts as events and the ONE's trace format (`seconds CONN a b up|down`); knows no router and no world."""

import gzip
import math
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from hedgerow.errors import UsageError

LARGEST_NODE = 0xFFFE  # 0xFFFF is the public layer's short id
_WORDS_SHOWN = 60


class Contact(NamedTuple):
    """Two nodes come into reach (up) or leave it."""

    at_s: float
    a: int
    b: int
    up: bool


@dataclass(frozen=True)
class Contacts:
    """Events in order of time, and how many nodes they speak of (numbered from 0)."""

    events: Iterable[Contact]
    node_count: int
    end_s: float
    name: str


def read_trace(path: Path) -> Contacts:
    """Read a trace, plain or gzipped. UsageError names the line that is not understood."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rt", encoding="ascii") if packed else path.open(encoding="ascii") as lines:
            events = list(parse(lines, path.name))
    except FileNotFoundError as error:
        raise UsageError(f"there is no trace {path}", next_step="Give the name of a contact trace.") from error
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"cannot read {path}: {error}", next_step="Fetch the trace again.") from error
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path} is not a text of contacts", next_step="A trace has lines like `12.5 CONN 3 7 up`."
        ) from error
    if not events:
        raise UsageError(f"{path} has no contacts", next_step="A trace has lines like `12.5 CONN 3 7 up`.")
    node_count = 1 + max(max(event.a, event.b) for event in events)
    return Contacts(events, node_count, events[-1].at_s, path.name)


def parse(lines: Iterable[str], name: str = "the trace") -> Iterator[Contact]:
    """Yield the contacts of a trace. Other events of the ONE (`C`, `S`...) and comments (#) are passed over.

    A second `up` of a pair that is up, or a `down` of one that is not, is left as it is: two interfaces of one pair.
    """
    last_s = 0.0
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0].startswith("#") or (len(words) > 1 and words[1] != "CONN"):
            continue
        event = _contact(words)
        if event is None:
            shown = line.strip()[:_WORDS_SHOWN]
            raise UsageError(
                f"line {number} of {name} is not understood: {shown!r}",
                next_step="A contact is `seconds CONN a b up` or `down`, with two different nodes from 0 to 65534.",
            )
        if event.at_s < last_s:
            raise UsageError(
                f"line {number} of {name} goes back in time, from {last_s:g} s to {event.at_s:g} s",
                next_step="Sort the trace by its first column.",
            )
        last_s = event.at_s
        yield event


def _contact(words: list[str]) -> Contact | None:
    if len(words) != 5 or words[4] not in ("up", "down"):
        return None
    if not (words[2].isdecimal() and words[3].isdecimal()):
        return None
    try:
        at_s, a, b = float(words[0]), int(words[2]), int(words[3])
    except ValueError:
        return None
    if not math.isfinite(at_s) or at_s < 0 or a == b or max(a, b) > LARGEST_NODE:
        return None
    return Contact(at_s, a, b, words[4] == "up")


def write_trace(events: Iterable[Contact], path: Path) -> None:
    """Write contacts so that read_trace and the ONE read them; gzipped where the name ends in .gz."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", encoding="ascii") as file:
        for event in events:
            file.write(f"{event.at_s:.2f} CONN {event.a} {event.b} {'up' if event.up else 'down'}\n")
