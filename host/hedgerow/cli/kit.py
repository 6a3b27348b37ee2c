"""`hedgerow kit`: write a stick that installs and runs Hedgerow with no network. Parses, calls, prints."""

from pathlib import Path
from typing import Annotated

import typer

from hedgerow.cli.options import JsonOption, console, error_console, new_app, print_json
from hedgerow.flash.store import ImageStore
from hedgerow.plans import kit as plan

app = new_app("Write a stick that installs and runs Hedgerow with no network.")

EXAMPLE = """[bold]Example[/bold]

[cyan]hedgerow kit /media/stick/hedgerow[/cyan]: then, on the other laptop, `python3 install.py` in that folder.
"""


@app.command(epilog=EXAMPLE)
def kit(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="An empty or new folder, or a kit to renew.")],
    store: Annotated[Path | None, typer.Option("--store", metavar="DIR", help="Another folder of images.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Collect the tool with all it needs, the firmware images of this machine and the documentation; read it back.

    The kit is for machines like this one: the same kind of system and the same version of Python.
    """
    tell = (lambda _: None) if as_json else lambda doing: error_console.print(f"{doing}…", markup=False)
    made = plan.build(folder, ImageStore(store), tell)
    if as_json:
        print_json(made)
        return
    console.print(
        f"✔ Kit of Hedgerow {made.version} in {made.folder}: {len(made.wheels)} wheels, {len(made.images)} images, "
        f"{made.size_bytes // 1_000_000} MB, read back.",
        markup=False,
        soft_wrap=True,
    )
    console.print(f"It installs on Python {made.python}, {made.platform}: python3 install.py", markup=False)
    if not made.images:
        console.print("▲ It holds no firmware image: `hedgerow images add FILE`, then make it again.", markup=False)
    if not made.has_documentation:
        console.print(
            "▲ It holds no documentation: this tool came without. Make it from a source tree or a kit.", markup=False
        )
