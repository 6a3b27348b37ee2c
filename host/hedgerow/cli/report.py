"""`hedgerow report`: one HTML page with pictures about the nodes at hand and the fleet they belong to."""

from datetime import UTC, datetime
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
from hedgerow.errors import EXIT_FINDINGS, EXIT_GOOD, FleetError
from hedgerow.fleet.folder import FleetFolder
from hedgerow.plans import collect, credentials, seizure_report
from hedgerow.plans import report as audits
from hedgerow.plans.findings import Severity, is_bad
from hedgerow.report import write

app = new_app("Write one HTML page with pictures about your fleet.")

EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow report -p /dev/ttyACM0 -p /dev/ttyACM1[/cyan]: curves of these nodes, and the audit of the whole fleet.

[cyan]hedgerow report -o today.html[/cyan]: the audit alone, by what the nodes last said.
"""


@app.command(epilog=EXAMPLES)
def report(
    port: PortOption = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Where the page goes. Default: reports/DATE.html of the fleet."),
    ] = None,
    as_json: JsonOption = False,
    fleet: FleetOption = None,
) -> None:
    """Fetch samples from the nodes on these ports, audit the fleet, and write both as one page that needs no network.

    The path of the page is the last line.
    """
    folder = fleet_folder(fleet)
    with FleetFolder(folder) as opened:
        outcome, nodes, errors = run(_gather(opened, port or []))
        facts = _facts(opened, outcome, nodes)
    made = datetime.now(UTC)
    page = write(facts, output or folder / "reports" / f"{made:%Y-%m-%d-%H%M%S}.html")
    for error in errors.values():
        error_console.print(f"Error: {error}", markup=False, soft_wrap=True)
    if as_json:
        print_json({**facts, "report": str(page)})
    else:
        count = sum(1 for finding in outcome.findings if finding.severity > Severity.NOTE)
        console.print(f"{len(nodes)} nodes, {count} {'finding' if count == 1 else 'findings'}. The page:")
        console.print(str(page), markup=False, soft_wrap=True, highlight=False)
    code = max((error.exit_code for error in errors.values()), default=EXIT_GOOD)
    if code := max(code, EXIT_FINDINGS if is_bad(outcome.findings) else EXIT_GOOD):
        raise typer.Exit(code)


async def _gather(
    fleet: FleetFolder, port_names: list[str]
) -> tuple[audits.Audit, list[dict[str, Any]], dict[str, FleetError]]:
    outcome = await audits.run(fleet, port_names)
    nodes, errors = await collect.from_ports(
        [name for name in port_names if name not in outcome.errors], credentials=credentials.of(fleet)
    )
    return outcome, nodes, {**outcome.errors, **errors}


def _facts(fleet: FleetFolder, outcome: audits.Audit, nodes: list[dict[str, Any]]) -> dict[str, Any]:
    inventory = fleet.inventory
    return {
        "seizures": seizure_report.all_facts(fleet),
        "fleet": {"name": fleet.charter.name, "id": inventory.fleet.hex()},
        "made_at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "nodes": nodes,
        "audited": len(outcome.reports),
        "audit": [finding.as_dict() for finding in outcome.findings],
    }
