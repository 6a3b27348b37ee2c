"""`hedgerow update`: bring nodes to a release over their cables. Parses, calls, prints."""

from pathlib import Path
from typing import Annotated, Any

import typer

from hedgerow.cli.main import run
from hedgerow.cli.options import (
    FleetOption,
    JsonOption,
    PortOption,
    console,
    error_console,
    fleet_folder,
    new_app,
    print_json,
)
from hedgerow.errors import EXIT_FINDINGS, FleetError, RefusedError, UsageError
from hedgerow.fleet.folder import FleetFolder
from hedgerow.plans import credentials, reach, update
from hedgerow.plans import release as releases
from hedgerow.plans.release import Kept
from hedgerow.session import Credentials

app = new_app("Bring nodes to a release; only what they lack travels.")

EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow update oak --release releases/RPI_PICO-3[/cyan]: that node, to that release.

[cyan]hedgerow update --all --canary 1[/cyan]: every node on a port of this machine, to the newest release for its
board; one first, and the others only once that one is well.
"""


@app.command(epilog=EXAMPLES)
def update_nodes(
    nodes: Annotated[list[str] | None, typer.Argument(metavar="[NODE]...", help="Names, short numbers or ids.")] = None,
    everyone: Annotated[bool, typer.Option("--all", help="Every node on these ports.")] = False,
    release: Annotated[
        list[Path] | None,
        typer.Option("--release", metavar="DIR", help="A release; repeat it for several boards. Default: the newest."),
    ] = None,
    canary: Annotated[
        int, typer.Option("--canary", metavar="N", min=0, help="So many first; if one of them fails, no other follows.")
    ] = 0,
    online_only: Annotated[bool, typer.Option("--online-only", help="Leave out nodes that do not answer.")] = False,
    port: PortOption = None,
    as_json: JsonOption = False,
    fleet: FleetOption = None,
) -> None:
    """Send what a node lacks, verify all of it, restart into it, confirm it. Run it again: it does what is left."""
    if bool(nodes) == everyone:
        raise UsageError("name the nodes, or say --all", next_step="`hedgerow update oak`, or `hedgerow update --all`")
    with FleetFolder(fleet_folder(fleet)) as opened:
        kept = [releases.read(path) for path in release] if release else releases.newest(opened.path / releases.FOLDER)
        if not kept:
            raise UsageError("there is no release", next_step="`hedgerow release build BOARD` makes one")
        for one in kept:
            if (lacks := one.lacks(opened.standing)) is not None:
                raise RefusedError(f"release {one.says.sequence} in {one.folder}: {lacks}")
        keys = credentials.of(opened)
        rows = run(_update(nodes or [], kept, canary, port, keys, online_only=online_only))
    if as_json:
        print_json(rows)
    else:
        for row in rows:
            console.print(_line(row), markup=False, soft_wrap=True)
        console.print(_end(rows), markup=False, soft_wrap=True)
    if any(row["result"] in ("FAIL", "WAITS") for row in rows):
        raise typer.Exit(EXIT_FINDINGS)


async def _update(
    names: list[str],
    kept: list[Kept],
    canary: int,
    port: list[str] | None,
    keys: Credentials,
    *,
    online_only: bool,
) -> list[dict[str, Any]]:
    """One row a node, in the order in which they were done. A failure stops nobody but those behind canaries."""
    rows: list[dict[str, Any]] = []
    async with reach.all_nodes(port, [] if online_only else names, credentials=keys) as (reached, errors):
        chosen = [one for one in reached if not names or any(one.is_called(name) for name in names)]
        for number, node in enumerate(chosen):
            if number >= canary and any(row["result"] == "FAIL" for row in rows[:canary]):
                rows.append({"node": node.name, "result": "WAITS", "error": "a node before it failed"})
                continue
            rows.append(await _one(node, kept, keys))
    if not online_only:
        rows += [{"node": where, "result": "FAIL", "error": str(error)} for where, error in errors.items()]
    return rows


async def _one(node: reach.Reached, kept: list[Kept], keys: Credentials) -> dict[str, Any]:
    fitting = [one for one in kept if node.hello["board"] in one.says.boards] or kept
    try:
        done = await update.update(
            node, fitting[-1], lambda doing: error_console.print(f"{node.name}: {doing}"), credentials=keys
        )
    except FleetError as error:
        return {"node": node.name, "result": "FAIL", "error": str(error)}
    return {
        "node": node.name,
        "result": "PASS",
        "release": fitting[-1].says.sequence,
        "changed": done.changed,
        "files_sent": done.files_sent,
        "bytes_sent": done.bytes_sent,
        "seconds": round(done.seconds, 2),
    }


def _line(row: dict[str, Any]) -> str:
    if row["result"] != "PASS":
        return f"{'✘' if row['result'] == 'FAIL' else '…'} {row['node']}: {row['error']}"
    if not row["changed"]:
        return f"✔ {row['node']} runs release {row['release']} already"
    sent = f"{row['files_sent']} files, {row['bytes_sent']:,} bytes sent in {row['seconds']} s"
    return f"✔ {row['node']} runs release {row['release']}: {sent}, confirmed and read back"


def _end(rows: list[dict[str, Any]]) -> str:
    left = [str(row["node"]) for row in rows if row["result"] != "PASS"]
    if not rows:
        return "No node answered; nothing was done."
    if not left:
        return f"All {len(rows)} run their release." if len(rows) > 1 else "Nothing is left to do."
    said = f"{len(rows) - len(left)} of {len(rows)} nodes run their release. Left: {', '.join(left)}."
    return f"{said} Mend what stands above, then run the same command again: it does what is left."
