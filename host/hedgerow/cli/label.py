"""`hedgerow label`: print labels for nodes, and key cards for households. Parses, calls, prints."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hedgerow.cli.options import FleetOption, JsonOption, console, fleet_folder, new_app, print_json
from hedgerow.errors import StorageError, UsageError
from hedgerow.fleet.folder import FleetFolder
from hedgerow.fleet.inventory import NodeSpec
from hedgerow.fleet.label import Card
from hedgerow.report import label_files, labels
from hedgerow.report.labels import Picture
from hedgerow.report.node_labels import label_of, picture_of

app = new_app("Print labels for nodes: names, words and a QR code.")

EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow label --all[/cyan]: labels.pdf, fourteen on a sheet of A4.

[cyan]hedgerow label oak --format png[/cyan]: oak.png, for a label printer.

[cyan]hedgerow label oak --card[/cyan]: also the card that its household keeps at home.
"""


class Format(StrEnum):
    """What is written."""

    PDF = "pdf"
    PNG = "png"
    SVG = "svg"


@app.command(epilog=EXAMPLES)
def label(
    nodes: Annotated[list[str] | None, typer.Argument(metavar="[NODE]...", help="Names in fleet.toml.")] = None,
    everyone: Annotated[bool, typer.Option("--all", help="Every node that has a board.")] = False,
    card: Annotated[
        bool, typer.Option("--card", help="Also key cards of the households whose keys lie on this laptop. Secret!")
    ] = False,
    file_format: Annotated[
        Format, typer.Option("--format", help="pdf: sheets for a printer; png, svg: one picture each.")
    ] = Format.PDF,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="PATH", help="The PDF, or the folder of the pictures.")
    ] = None,
    skip: Annotated[
        int, typer.Option("--skip", min=0, max=label_files.A_SHEET - 1, help="Places already used on the first sheet.")
    ] = 0,
    fleet: FleetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write labels: what the node is called, its fingerprint in words, and all of it as a QR code."""
    with FleetFolder(fleet_folder(fleet)) as opened:
        specs = _chosen(opened, nodes or [], everyone)
        made = {spec.name: (label_of(opened, spec), spec) for spec in specs}
        pictures = {name: picture_of(opened, one, spec) for name, (one, spec) in made.items()}
        cards = _cards(opened, specs) if card else {}
    written = write(pictures | cards, file_format, output, skip)
    if as_json:
        print_json({"files": written, "labels": {name: one.text() for name, (one, _) in made.items()}})
        return
    for path in written:
        console.print(f"✔ {path}", markup=False, soft_wrap=True)
    console.print(f"{len(pictures)} labels and {len(cards)} key cards.", markup=False)
    if cards:
        console.print("Cards hold secret keys: print them, hand them over, delete the file.", markup=False)


def _chosen(fleet: FleetFolder, names: list[str], everyone: bool) -> list[NodeSpec]:
    inventory = fleet.inventory
    if not names and not everyone:
        raise UsageError("no node was named", next_step="Name some, or give --all.")
    for name in names:
        if inventory.named(name) is None:
            raise UsageError(f"fleet.toml names no node {name}")
    found = [spec for spec in inventory.nodes if spec.name in names or (everyone and spec.enrolment is not None)]
    if not found:
        raise UsageError("no node of this fleet has a board yet", next_step="Provision one first.")
    return found


def _cards(fleet: FleetFolder, specs: list[NodeSpec]) -> dict[str, Picture]:
    """By file name. A household with several nodes gets one card."""
    held, made = fleet.secrets.custodians, {}
    for name in sorted({spec.custodian_name for spec in specs if spec.custodian_name} & set(held)):
        theirs = [spec.name for spec in specs if spec.custodian_name == name]
        made[f"card of {name}"] = labels.of_card(
            Card(name, held[name].seed), node_names=theirs, width=label_files.width, has=label_files.has_glyph
        )
    return made


def write(pictures: dict[str, Picture], file_format: Format, output: Path | None, skip: int = 0) -> list[Path]:
    """Write them as one PDF or a picture each; the paths. Raises StorageError."""
    try:
        if file_format is Format.PDF:
            path = output or Path("labels.pdf")
            path.write_bytes(label_files.pdf(list(pictures.values()), skip=skip))
            return [path]
        folder = output or Path()
        folder.mkdir(parents=True, exist_ok=True)
        return [_one(folder, name, picture, file_format) for name, picture in pictures.items()]
    except OSError as error:
        raise StorageError(f"the labels cannot be written ({error.strerror or error})") from error


def _one(folder: Path, name: str, picture: Picture, file_format: Format) -> Path:
    safe = "".join(one if one.isalnum() or one in "-_" else "-" for one in name)
    path = folder / f"{safe}.{file_format}"
    data = label_files.png(picture) if file_format is Format.PNG else label_files.svg(picture).encode()
    path.write_bytes(data)
    return path
