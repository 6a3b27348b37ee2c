"""`hedgerow audit`: compare every node with what the fleet says it should be."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

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
from hedgerow.errors import EXIT_FINDINGS, EXIT_GOOD
from hedgerow.fleet.folder import FleetFolder
from hedgerow.plans import estimate, report
from hedgerow.plans.findings import Finding, NodeReport, Severity, is_bad
from hedgerow.plans.report import Audit
from hedgerow.report import junit

app = new_app("Compare every node with what your fleet says it should be.")

EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow audit -p /dev/ttyACM0 -p /dev/ttyACM1[/cyan]: ask these nodes, then judge the whole fleet.

[cyan]hedgerow audit[/cyan]: judge by what the nodes last said.

[cyan]hedgerow audit --junit audit.xml[/cyan]: for a build server, one test a node.
"""
WORD = (
    "These are the nodes' own words: they show accidents and neglect. A node that somebody took over can say the same, "
    "so they prove nothing about one that was in strange hands."
)
SHAPES = {Severity.NOTE: "· note", Severity.WARNING: "▲ warning", Severity.ERROR: "✘ error"}


@app.command(epilog=EXAMPLES)
def audit(
    nodes: Annotated[list[str] | None, typer.Argument(metavar="[NODE]...", help="Show these nodes alone.")] = None,
    port: PortOption = None,
    junit_path: Annotated[
        Path | None, typer.Option("--junit", metavar="XML", help="Also write it as a JUnit file: one test a node.")
    ] = None,
    as_json: JsonOption = False,
    fleet: FleetOption = None,
) -> None:
    """Ask the nodes on these ports to report, and list every difference from fleet.toml, roster and firmware.

    Nodes that are not at hand are judged by their last report. A report is the node's own word: it finds accidents and
    neglect, but proves nothing about a node in an attacker's hands.
    """
    if port and not as_json:
        about = estimate.words(estimate.REPORT_S) + estimate.slower(port)
        error_console.print(f"The nodes hash each of their files, all at once: {about}.", style="dim", soft_wrap=True)
    with FleetFolder(fleet_folder(fleet)) as opened:
        outcome = run(report.run(opened, port or []))
    findings = [finding for finding in outcome.findings if not nodes or finding.node in nodes]
    if junit_path is not None:
        shown = [seen for seen in outcome.reports if not nodes or seen.name in nodes]
        junit.write(junit.of_audit(findings, shown, outcome.errors), junit_path)
    if as_json:
        print_json(_facts(outcome, findings))
    else:
        _print(outcome, findings)
    code = max((error.exit_code for error in outcome.errors.values()), default=EXIT_GOOD)
    if code := max(code, EXIT_FINDINGS if is_bad(findings) else EXIT_GOOD):
        raise typer.Exit(code)


def _facts(outcome: Audit, findings: list[Finding]) -> dict:
    nodes = [
        {
            "node": seen.name,
            "id": seen.node_id.hex(),
            "port": seen.port,
            "time_s": seen.time_s,
            "board": seen.board,
            "app": seen.app,
            "micropython": seen.mp,
            "slots": None if seen.slots is None else {key: _plain(value) for key, value in seen.slots.items()},
            "status": dict(seen.status),
        }
        for seen in sorted(outcome.reports, key=lambda seen: seen.name)
    ]
    return {
        "good": not is_bad(findings) and not outcome.errors,
        "nodes": nodes,
        "findings": [finding.as_dict() for finding in findings],
        "errors": {port: error.as_dict() for port, error in outcome.errors.items()},
    }


def _plain(value: object) -> object:
    return value.hex() if isinstance(value, bytes) else value


def _releases(reports: Iterable[NodeReport]) -> str:
    """`Release 3: elm, oak. By cable: pico.`; empty where no node runs a release."""
    runs: dict[int, list[str]] = {}
    for seen in reports:
        runs.setdefault((seen.slots or {}).get("sequence", 0), []).append(seen.name)
    if not any(runs):
        return ""
    named = [(f"Release {number}" if number else "By cable", sorted(runs[number])) for number in sorted(runs)[::-1]]
    return " ".join(f"{what}: {', '.join(names)}." for what, names in named)


def _print(outcome: Audit, findings: list[Finding]) -> None:
    if findings:
        table = Table(box=None, pad_edge=False)
        table.add_column("node", no_wrap=True)
        table.add_column("finding", no_wrap=True)
        table.add_column("what it is, what to do, until when it can wait", overflow="fold")
        for finding in findings:
            advice = f"{finding.what}\n→ {finding.next_step}; {finding.waits}."
            table.add_row(finding.node, f"{SHAPES[finding.severity]}: {finding.kind}", Text(advice))
        console.print(table)
    asked = sum(1 for seen in outcome.reports if seen.port is not None)
    bad = sum(1 for finding in findings if finding.severity > Severity.NOTE)
    verdict = "✔ no findings" if not bad else f"✘ {bad} findings" if bad > 1 else "✘ 1 finding"
    earlier = len(outcome.reports) - asked
    console.print(
        f"{verdict}: {asked} {'node' if asked == 1 else 'nodes'} asked"
        + (f", {earlier} judged by an earlier report" if earlier else "")
    )
    if releases := _releases(outcome.reports):
        console.print(releases, style="dim", markup=False, soft_wrap=True)
    if asked:
        error_console.print(WORD, style="dim", soft_wrap=True)
    for error in outcome.errors.values():
        error_console.print(f"Error: {error}", markup=False, soft_wrap=True)
