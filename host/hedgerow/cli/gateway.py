"""`hedgerow gateway`: join a fleet to other DTN daemons. Parses, calls, prints."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from hedgerow.cli.carry import MOST, FolderOption, MostOption, open_folder, sentence, tell, visit_nodes
from hedgerow.cli.keyring import credentials_of
from hedgerow.cli.main import run
from hedgerow.cli.names import ipn_base_of
from hedgerow.cli.options import FleetOption, JsonOption, PortOption, console, error_console, new_app, print_json
from hedgerow.errors import EXIT_GOOD, FleetError, LinkError, UsageError
from hedgerow.gateway import Counts, Gateway
from hedgerow.session import Credentials

app = new_app("Join your fleet to other DTN daemons.")

EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow gateway --listen mtcp://127.0.0.1:4224 --peer mtcp://valley.example:4224 -p u0[/cyan]: what waits on the
node at u0 goes to the daemon in the valley, and what comes from there goes to the node.

[cyan]hedgerow gateway --peer udp://192.0.2.7:4556 --once[/cyan]: send what is carried, once, and end.

A bundle stays in the carry folder until its time is over. Neither MTCP nor UDP gives receipts.
"""


@app.command(epilog=EXAMPLES)
def gateway(
    listen: Annotated[
        list[str] | None, typer.Option("--listen", metavar="WAY://HOST:PORT", help="Take bundles there. Repeatable.")
    ] = None,
    peer: Annotated[
        list[str] | None, typer.Option("--peer", metavar="WAY://HOST:PORT", help="Send bundles there. Repeatable.")
    ] = None,
    port: PortOption = None,
    every_s: Annotated[
        float, typer.Option("--every", min=0.1, metavar="SECONDS", help="Between rounds to nodes and peers.")
    ] = 30.0,
    once: Annotated[bool, typer.Option("--once", help="One round, then end.")] = False,
    folder: FolderOption = None,
    most: MostOption = MOST,
    fleet: FleetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take bundles for your fleet from other daemons, and give them yours: over MTCP and UDP, and to nodes on ports."""
    if not (listen or peer):
        raise UsageError("a gateway needs somebody to talk to", next_step="Give --listen, --peer, or both.")
    joined = Gateway(open_folder(folder, fleet, most), ipn_base_of(fleet), peer or ())
    try:
        errors = run(_run(joined, listen or (), _Table(port, credentials_of(fleet)), None if once else every_s))
    except KeyboardInterrupt:
        errors = []
    if as_json:
        print_json(vars(joined.counts) | {"carried": len(joined.folder), "errors": [str(error) for error in errors]})
    else:
        console.print(told(joined.counts, len(joined.folder)), markup=False, soft_wrap=True)
    code = max((error.exit_code for error in errors), default=EXIT_GOOD)
    if joined.counts.refused_by:
        code = max(code, LinkError.exit_code)
    if code:
        raise typer.Exit(code)


@dataclass(frozen=True)
class _Table:
    """The nodes beside the gateway, and what opens them."""

    ports: Sequence[str] | None
    keys: Credentials | None


async def _run(joined: Gateway, listen: Sequence[str], table: _Table, every_s: float | None) -> list[FleetError]:
    """Rounds, until Ctrl-C or just one; what went wrong in the last one."""
    async with joined.listening(listen) as addresses:
        for address in addresses:
            tell(f"Listening at {address}.")
        while True:
            errors = await _round(joined, table)
            if every_s is None:
                return errors
            await asyncio.sleep(every_s)


async def _round(joined: Gateway, table: _Table) -> list[FleetError]:
    errors: list[FleetError] = []
    if table.ports:
        try:
            visits, errors = await visit_nodes(joined.folder, table.ports, table.keys)
            for visit in visits:
                if visit.moved:
                    tell(sentence(visit))
        except FleetError as error:
            errors = [error]
    told_before = dict(joined.counts.refused_by)
    if sent := await joined.send():
        tell(f"Sent {sent} to peers.")
    for address, why in joined.counts.refused_by.items():
        if told_before.get(address) != why:
            error_console.print(f"Error: {why}", markup=False, soft_wrap=True)
    for error in errors:
        error_console.print(f"Error: {error}", markup=False, soft_wrap=True)
    return errors


def told(counts: Counts, carried: int) -> str:
    """What a gateway did, in one line."""
    parts = [f"sent {counts.sent}", f"received {counts.received}", f"kept {counts.kept}"]
    for count, what in (
        (counts.known, "here already"),
        (counts.not_ours, "for other fleets"),
        (counts.no_room, "without room"),
        (counts.damaged, "damaged"),
    ):
        if count:
            parts.append(f"{count} {what}")
    return f"{', '.join(parts)}; {carried} carried now."
