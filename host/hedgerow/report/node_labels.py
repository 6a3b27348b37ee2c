"""Knows how the label of one enrolled node is made, and where a station puts labels. Knows no port.

A station makes each label when its node has passed, as a picture for a label printer, and a sheet of all of them.
"""

import threading
from pathlib import Path

from hedgerow.errors import StorageError, UsageError
from hedgerow.fleet.folder import FleetFolder
from hedgerow.fleet.inventory import NodeSpec
from hedgerow.fleet.label import Label
from hedgerow.report import label_files, labels
from hedgerow.report.labels import Picture

FOLDER, SHEET = "labels", "labels.pdf"


def label_of(fleet: FleetFolder, spec: NodeSpec) -> Label:
    """The label of an enrolled node. Raises UsageError for one that has no board, and so no key, yet."""
    if spec.enrolment is None:
        raise UsageError(
            f"{spec.name} has no board yet, so there is no key to print",
            next_step=f"Provision it first: `hedgerow provision {spec.name} -p PORT`.",
        )
    known = spec.enrolment
    return Label(known.node, known.short, known.name, fleet.charter.fleet_id, known.custodian)


def picture_of(fleet: FleetFolder, one: Label, spec: NodeSpec) -> Picture:
    """The label as it is drawn, with the font that comes with reportlab."""
    return labels.of_label(
        one,
        fleet=fleet.charter.name,
        board=spec.board.id,
        custodian=spec.custodian_name,
        width=label_files.width,
        has=label_files.has_glyph,
    )


class LabelFiles:
    """Labels in `labels/` of the fleet's folder: one PNG a node, and `labels.pdf` with those of this evening."""

    def __init__(self, fleet: FleetFolder) -> None:
        self._fleet = fleet
        self.folder = fleet.path / FOLDER
        self._pictures: dict[str, Picture] = {}
        self._drawing = threading.Lock()  # fonts are registered once for all threads, and not by two at a time

    @property
    def count(self) -> int:
        """How many labels were made here."""
        return len(self._pictures)

    def one(self, name: str) -> list[Path]:
        """Write the picture of that node's label; the sheet is due then."""
        spec = self._fleet.inventory.named(name)
        if spec is None:
            raise UsageError(f"fleet.toml names no node {name}")
        path = self.folder / f"{name}.png"
        with self._drawing:
            picture = picture_of(self._fleet, label_of(self._fleet, spec), spec)
            self._write(path, label_files.png(picture))
            self._pictures[name] = picture
        return [path]

    def sheet(self) -> Path | None:
        """Write the sheet of all labels that were made here; None where there are none."""
        if not self._pictures:
            return None
        path = self.folder / SHEET
        with self._drawing:
            self._write(path, label_files.pdf([self._pictures[name] for name in sorted(self._pictures)]))
        return path

    def _write(self, path: Path, data: bytes) -> None:
        try:
            self.folder.mkdir(exist_ok=True)
            path.write_bytes(data)
        except OSError as error:
            raise StorageError(
                f"the label cannot be written to {path} ({error.strerror or error})",
                next_step="Make room on this laptop, or allow writing there; then try this place again",
            ) from error
