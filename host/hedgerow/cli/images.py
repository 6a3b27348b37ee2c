"""`hedgerow images`: the firmware images that this machine keeps, so that flashing needs no network. Calls, prints."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from hedgerow.cli.options import JsonOption, console, new_app, print_json
from hedgerow.errors import EXIT_FINDINGS
from hedgerow.flash.image import mebibytes
from hedgerow.flash.store import ImageStore, State, Stored

app = new_app("Keep firmware images, so that flashing needs no network.")

EXAMPLE_ADD = """[bold]Example[/bold]

[cyan]hedgerow images add ESP32_GENERIC_S3-20240222-v1.22.2.bin[/cyan]: after you fetched it from micropython.org.
"""
EXAMPLE_LIST = """[bold]Example[/bold]

[cyan]hedgerow images list[/cyan]: what is there, and for which board.
"""
EXAMPLE_VERIFY = """[bold]Example[/bold]

[cyan]hedgerow images verify[/cyan]: exit code 0 if every image is what was put there, 1 if not.
"""
_SHAPES = {State.GOOD: "✔", State.CHANGED: "✘", State.MISSING: "✘", State.UNRECORDED: "▲"}
_REMEDIES = {
    State.CHANGED: "it is not what was put there: remove it, fetch it again and add it",
    State.MISSING: "it was here and is gone: fetch it again and add it",
    State.UNRECORDED: "nobody recorded its SHA-256: `hedgerow images add` it",
}
StoreOption = Annotated[
    Path | None,
    typer.Option("--store", metavar="DIR", help="Another folder of images, on a stick for example."),
]


@app.command(epilog=EXAMPLE_ADD)
def add(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Images: .bin of an ESP32, .uf2 of a Pico.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check images and keep copies. What is damaged, or no MicroPython, is refused."""
    kept = ImageStore(store)
    added = [kept.add(path) for path in files]
    if as_json:
        print_json([Stored(name, State.GOOD, image) for name, image in added])
        return
    for name, image in added:
        console.print(f"✔ {name}: {image}, SHA-256 {image.sha256.hex()[:16]}…", markup=False, soft_wrap=True)
    console.print(f"Kept in {kept.folder}.", markup=False, soft_wrap=True)


@app.command("list", epilog=EXAMPLE_LIST)
def list_images(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """List the images that are there, and what each is for."""
    kept = ImageStore(store)
    found = kept.check()
    if as_json:
        print_json(found)
    elif found:
        console.print(_table(found))
    else:
        console.print(f"No image is in {kept.folder}. `hedgerow images add FILE` keeps one.", markup=False)


@app.command(epilog=EXAMPLE_VERIFY)
def verify(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Read every image and compare it with the SHA-256 that was recorded when it was added."""
    kept = ImageStore(store)
    found = kept.check()
    bad = [one for one in found if one.state is not State.GOOD]
    if as_json:
        print_json({"good": not bad, "images": found})
    else:
        for one in found:
            remedy = f": {_REMEDIES[one.state]}" if one.state in _REMEDIES else ""
            console.print(f"{_SHAPES[one.state]} {one.name} {one.state.value}{remedy}", markup=False, soft_wrap=True)
        console.print(f"{len(found) - len(bad)} of {len(found)} images in {kept.folder} are good.", markup=False)
    if bad:
        raise typer.Exit(EXIT_FINDINGS)


def _table(found: list[Stored]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("image", "board", "MicroPython", "needs flash", "state"):
        table.add_column(column, overflow="fold")
    for one in found:
        image = one.image
        what = (image.machine, image.version, mebibytes(image.flash_bytes)) if image else ("–", "–", "–")
        table.add_row(one.name, *what, f"{_SHAPES[one.state]} {one.state.value}")
    return table
