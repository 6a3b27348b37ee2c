"""Knows how the station writes down what became of each board: a JSON line and a row of CSV. Knows no board.

Both files lie in `station/` of the fleet's folder. A line is whole or not there: a torn one, of a laptop whose battery
ended, is passed over. Whoever starts the station again finds in them what was done before.
"""

import csv
import io
import json
import os
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hedgerow.errors import StorageError, VerificationError

FOLDER = "station"
LINES, TABLE = "records.jsonl", "records.csv"
COLUMNS = (
    "time",
    "result",
    "node",
    "id",
    "short",
    "board",
    "place",
    "port",
    "mac",
    "micropython",
    "stage",
    "problem",
    "remedy",
    "seconds",
)


@dataclass(frozen=True)
class Record:
    """What became of one board in one attempt. `time` is local, ISO 8601; `stage_seconds` by name of the stage."""

    time: str
    result: str
    place: str
    port: str
    node: str | None = None
    id: str | None = None
    short: int | None = None
    board: str | None = None
    mac: str | None = None
    micropython: str | None = None
    stage: str | None = None
    problem: str | None = None
    remedy: str | None = None
    seconds: float = 0.0
    stage_seconds: Mapping[str, float] = field(default_factory=dict)
    checks: tuple[Mapping[str, Any], ...] = ()
    labels: tuple[str, ...] = ()


class Records:
    """The two files of one fleet. Every `add` is on the disk, and read back, before it returns."""

    def __init__(self, fleet_folder: Path) -> None:
        self.folder = fleet_folder / FOLDER
        self._known = list(_read(self.folder / LINES))

    @property
    def all(self) -> list[Record]:
        """Oldest first; those of earlier evenings too."""
        return list(self._known)

    def passed_before(self, node_id: bytes) -> Record | None:
        """The last record by which this node passed, if that is the last word about it."""
        last = next((one for one in reversed(self._known) if one.id == node_id.hex()), None)
        return last if last is not None and last.result == "PASS" else None

    def usual_s(self, stage: str, board: str | None) -> int | None:
        """How long that stage took for such boards: the median of the last nine; None where none is known."""
        took = [
            one.stage_seconds[stage]
            for one in self._known
            if one.result == "PASS" and one.board == board and stage in one.stage_seconds
        ]
        return round(statistics.median(took[-9:])) if took else None

    def add(self, record: Record) -> None:
        """Write it down. Raises StorageError, or VerificationError where it does not read back."""
        try:
            self.folder.mkdir(exist_ok=True)
            _append(self.folder / LINES, json.dumps(asdict(record), ensure_ascii=False) + "\n")
            table = self.folder / TABLE
            head = "" if table.exists() and table.stat().st_size else _row(COLUMNS)
            _append(table, head + _row([_plain(getattr(record, name)) for name in COLUMNS]))
            read_back = next(reversed(list(_read(self.folder / LINES))), None)
        except OSError as error:
            raise StorageError(
                f"the record cannot be written to {self.folder} ({error.strerror or error})",
                next_step="Make room on the disk, or allow writing there; then try this place again",
            ) from error
        if read_back != record:
            raise VerificationError(f"the record in {self.folder / LINES} reads back otherwise")
        self._known.append(record)


def _append(path: Path, text: str) -> None:
    """What a torn last line left is ended first, so that it takes no other with it."""
    with path.open("ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path) -> Iterable[Record]:
    if not path.is_file():
        return
    for line in path.read_bytes().splitlines():
        try:
            found = json.loads(line)
            known = {name: found[name] for name in Record.__dataclass_fields__ if name in found}
            known["checks"], known["labels"] = tuple(known.get("checks", ())), tuple(known.get("labels", ()))
            yield Record(**known)
        except (ValueError, TypeError, LookupError):
            continue  # a torn line, or one of a later version that lacks what we need


def _row(values: Iterable[Any]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue()


def _plain(value: Any) -> Any:
    """A spreadsheet takes a cell that begins so for a formula."""
    if isinstance(value, str) and value[:1] in "=+-@":
        return "'" + value
    return "" if value is None else value
