"""`hedgerow rescue`: put a few files onto a board that speaks an old or odd MicroPython. Parses, calls, prints."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hedgerow.cli.main import run
from hedgerow.cli.options import JsonOption, PortOption, console, new_app, print_json
from hedgerow.errors import UsageError
from hedgerow.plans import rescue as plan

app = new_app("Put files onto a board that speaks an old or odd MicroPython.")

EXAMPLE = """[bold]Example[/bold]

[cyan]hedgerow rescue main.py -p /dev/ttyUSB0[/cyan]: by our own means, else by mpremote, else by ampy.
"""


class Means(StrEnum):
    """What is tried."""

    HEDGEROW = "hedgerow"
    MPREMOTE = "mpremote"
    AMPY = "ampy"


@app.command(epilog=EXAMPLE)
def rescue(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="They keep their names, in the root folder.")],
    port: PortOption = None,
    by: Annotated[Means | None, typer.Option("--by", help="Only this means, not one after the other.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Put these files onto the board at this port and read them back. A program that runs there is stopped."""
    if not port or len(port) != 1:
        raise UsageError("exactly one port must be named", next_step="Name it with -p; `hedgerow devices` lists them.")
    try:
        contents = {path.name: path.read_bytes() for path in files}
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be read ({error.strerror})") from error
    done = run(plan.put(port[0], contents, [by] if by else plan.MEANS))
    if as_json:
        print_json(done)
        return
    for name, why in done.failed.items():
        console.print(f"▲ {name} could not: {why}", markup=False, soft_wrap=True)
    console.print(f"✔ {len(contents)} files are on the board, by {done.by}, read back.", markup=False)
