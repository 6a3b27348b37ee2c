"""Knows observations as lines of JSON and as CSV, to be read elsewhere and taken in again. Knows no database.

A row says who saw what of which node, when by that laptop's clock, and the CBOR that was kept, in hexadecimal digits;
`says` is the same for people and never read back. `digest` is the SHA-256 that the registry calls the row by: it is
computed anew when a row is taken in, so that a file that somebody changed by hand is found out.
"""

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from hedgerow.errors import StorageError, UsageError
from hedgerow.fleet.registry import Observation
from hedgewire import cbor

COLUMNS = ("digest", "node", "kind", "time_s", "time", "laptop", "data", "says")
FORMATS = ("jsonl", "csv")
_NODE_BYTES = _LAPTOP_BYTES = 8
_MOST_KIND = 32


@dataclass(frozen=True)
class BadRow:
    """A row that was not taken in: where it stands (1 is the first) and why."""

    line: int
    why: str


def format_of(path: Path, chosen: str | None) -> str:
    """What the file is to be, by its name if nobody says. Raises UsageError for anything else."""
    found = chosen or path.suffix.removeprefix(".").lower().replace("ndjson", "jsonl")
    if found not in FORMATS:
        raise UsageError(f"{path.name} is none of {', '.join(FORMATS)}", next_step="Say which with --format")
    return found


def write(seen: Iterable[Observation], file: TextIO, form: str) -> int:
    """Write them in the order given; how many it were."""
    put = _csv_writer(file) if form == "csv" else lambda row: file.write(json.dumps(row, ensure_ascii=False) + "\n")
    count = 0
    for one in seen:
        put(_as_row(one))
        count += 1
    return count


def read(path: Path, form: str) -> Iterator[Observation | BadRow]:
    """Every row, as an observation or as what is wrong with it. Raises StorageError for a file that is none."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = _csv_rows(file) if form == "csv" else _json_rows(file)
            for line, row in rows:
                yield row if isinstance(row, BadRow) else _observation(line, row)
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise StorageError(f"{path} is not text in UTF-8") from error
    except csv.Error as error:
        raise StorageError(f"{path} is no CSV: {error}") from error


def _as_row(seen: Observation) -> dict[str, Any]:
    return {
        "digest": seen.digest.hex(),
        "node": seen.node.hex(),
        "kind": seen.kind,
        "time_s": seen.time_s,
        "time": readable_time(seen.time_s),
        "laptop": seen.laptop.hex(),
        "data": seen.data.hex(),
        "says": _plain(cbor.decode(seen.data)),
    }


def readable_time(time_s: int) -> str | None:
    """In UTC, as ISO 8601 has it; None for what no calendar has."""
    try:
        return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):  # a laptop's clock may say anything
        return None


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(_plain(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _csv_writer(file: TextIO):
    out = csv.writer(file)
    out.writerow(COLUMNS)

    def put(row: dict[str, Any]) -> None:
        says = json.dumps(row["says"], ensure_ascii=False)
        out.writerow([says if name == "says" else "" if row[name] is None else row[name] for name in COLUMNS])

    return put


def _csv_rows(file: TextIO) -> Iterator[tuple[int, Any]]:
    found = csv.DictReader(file)
    if found.fieldnames is None or not set(COLUMNS) - {"time", "says"} <= set(found.fieldnames):
        raise StorageError(
            "this CSV has no head line of ours", next_step=f"It begins with {','.join(COLUMNS)}: see `registry export`"
        )
    for row in found:
        yield found.line_num, row


def _json_rows(file: TextIO) -> Iterator[tuple[int, Any]]:
    for line, text in enumerate(file, 1):
        if not text.strip():
            continue
        try:
            yield line, json.loads(text)
        except ValueError:
            yield line, BadRow(line, "it is no JSON")


def _observation(line: int, row: Any) -> Observation | BadRow:
    try:
        found = Observation(
            _bytes(row["node"], _NODE_BYTES),
            row["kind"],
            int(row["time_s"]),
            _bytes(row["laptop"], _LAPTOP_BYTES),
            _bytes(row["data"]),
        )
        digest = _bytes(row["digest"], 32)
    except (KeyError, TypeError, ValueError):
        return BadRow(line, "it lacks what an observation needs")
    if not isinstance(found.kind, str) or not 0 < len(found.kind) <= _MOST_KIND or abs(found.time_s) >= 1 << 62:
        return BadRow(line, "its kind or its time is none")
    if not isinstance(cbor.decode(found.data), dict):
        return BadRow(line, "what was seen is damaged")
    if found.digest != digest:
        return BadRow(line, "it was changed: its digest is another one")
    return found


def _bytes(digits: Any, count: int | None = None) -> bytes:
    found = bytes.fromhex(digits)
    if count is not None and len(found) != count:
        raise ValueError
    return found
