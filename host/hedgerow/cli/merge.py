"""`hedgerow merge`: make one fleet of two. Parses, calls, prints."""

from pathlib import Path
from typing import Annotated

import typer

from hedgerow.cli import leaving
from hedgerow.cli.options import FleetOption, JsonOption, PortOption, fleet_folder, new_app, print_json
from hedgerow.errors import RefusedError, UsageError
from hedgerow.fleet.folder import FleetFolder
from hedgerow.plans import parting

app = new_app("Make one fleet of two, signed by the stewards of both.")

EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow merge ../brook --name delta[/cyan]: this fleet and the one in ../brook become one, in a folder delta.

[cyan]hedgerow merge ../brook --name delta -p /dev/ttyACM0[/cyan]: the same, and the node on that port goes now.
"""


@app.command(epilog=EXAMPLES)
def merge(
    other: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the other fleet.")],
    name: Annotated[
        str | None, typer.Option("--name", help="What people will call the fleet of both. Default: both names.")
    ] = None,
    directory: Annotated[
        Path | None,
        typer.Option("--dir", metavar="DIR", help="Its folder. Default: one of its name beside this fleet's."),
    ] = None,
    threshold: Annotated[
        int | None, typer.Option("--threshold", metavar="K", help="How many stewards decide. Default: more than half.")
    ] = None,
    port: PortOption = None,
    as_json: JsonOption = False,
    fleet: FleetOption = None,
) -> None:
    """Found the fleet of both, with the stewards of both, and move the nodes of both to it.

    It begins once enough stewards of each have signed. Every household says for itself whether its node comes along.
    """
    path = fleet_folder(fleet)
    with FleetFolder(path) as origin, FleetFolder(fleet_folder(other)) as second:
        if origin.fleet_id == second.fleet_id:
            raise UsageError(
                "both folders are of one fleet already", next_step="Copy documents/ from one to the other instead"
            )
        called = name or f"{origin.charter.name} and {second.charter.name}"
        target = directory or path.parent / called.strip().replace(" ", "-").replace("/", "-")
        both = [origin, second]
        nodes = [list(one.roster.nodes) for one in both]
        with parting.found_for(target, called, both, nodes, (), threshold) as made:
            lacks = parting.lacks_to_begin(made, both)
            if lacks is not None:
                raise RefusedError(
                    lacks,
                    state=f"The folder of both is {target}; no node was touched",
                    next_step=f"Have it signed (`hedgerow charter sign --fleet {target}`), then run this again",
                )
            for one, some in zip(both, nodes, strict=True):
                parting.prepare(one, made, some)
            outcome = leaving.bring_over(both, made, port, quiet=as_json)
    if as_json:
        print_json(outcome)
    else:
        leaving.show(outcome)
    if outcome.exit_code:
        raise typer.Exit(outcome.exit_code)
