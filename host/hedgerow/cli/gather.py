"""`hedgerow gather`: nodes and sticks on one table, everything to everyone. Parses, calls, prints."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from hedgerow.cli.carry import MOST, FolderOption, MostOption, finish, open_folder, take_in, tell
from hedgerow.cli.keyring import credentials_of
from hedgerow.cli.main import run
from hedgerow.cli.options import FleetOption, JsonOption, PortOption, new_app
from hedgerow.errors import FleetError, LinkError
from hedgerow.fleet.carried import CarriedFolder
from hedgerow.plans import carry as plan
from hedgerow.plans import reach
from hedgerow.plans.carry import Meeting, Visit
from hedgerow.session import Credentials

app = new_app("Everything to everyone: the nodes and sticks on one table.")

EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow gather[/cyan]: every node that is plugged in gets what the others have.

[cyan]hedgerow gather /media/stick -p u0 -p u1[/cyan]: two nodes, and a stick that another laptop takes over.
"""


@app.command(epilog=EXAMPLES)
def gather(
    others: Annotated[list[Path] | None, typer.Argument(metavar="[DIR|ZIP]...", help="Sticks and files, too.")] = None,
    port: PortOption = None,
    folder: FolderOption = None,
    most: MostOption = MOST,
    fleet: FleetOption = None,
    as_json: JsonOption = False,  # noqa: ARG001 - read where it is printed
) -> None:
    """Take everything from every node and stick, then hand everything to all. Run it again to go on after a cut."""
    carried = open_folder(folder, fleet, most)
    visits = [take_in(carried, path) for path in others or ()]
    met, errors = run(_meet_all(carried, port, credentials_of(fleet), alone=not others))
    for path, visit in zip(others or (), visits, strict=True):
        if path.is_dir():
            visit.brought += take_in(carried, path).brought  # what came from the nodes in between
    finish(carried, visits + met, errors)


async def _meet_all(
    carried: CarriedFolder, port: Sequence[str] | None, keys: Credentials | None, *, alone: bool
) -> tuple[list[Visit], list[FleetError]]:
    try:
        async with reach.all_nodes(port, credentials=keys) as (nodes, errors):
            failed = list(errors.values())
            visits = [Visit(node.name) for node in nodes]
            meetings: list[Meeting | None] = [None] * len(nodes)

            async def take(place: int) -> None:
                try:
                    meetings[place] = met = await plan.meet(nodes[place].session, dict(nodes[place].hello))
                    await plan.take(met, carried, visits[place], tell)
                except FleetError as error:
                    meetings[place] = None
                    failed.append(error)

            async def bring(place: int) -> None:
                met = meetings[place]
                try:
                    if met is not None:
                        await plan.bring(met, carried, visits[place], tell, copies=None)
                except FleetError as error:
                    failed.append(error)

            await asyncio.gather(*map(take, range(len(nodes))))
            await asyncio.gather(*map(bring, range(len(nodes))))
            return visits, failed
    except LinkError:
        if alone or port:
            raise
        return [], []  # sticks alone are a table, too
