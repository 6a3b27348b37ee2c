"""`hedgerow doctor`: find out why this machine cannot reach a board, and what to do. Parses, calls, prints."""

import typer

from hedgerow import machine_facts
from hedgerow.cli.options import JsonOption, console, new_app, print_json
from hedgerow.doctor import Level, Verdict, examine
from hedgerow.errors import EXIT_FINDINGS

app = new_app("Find out why this machine cannot reach a board, and what to do.")

EXAMPLES = """[bold]Example[/bold]

[cyan]hedgerow doctor[/cyan]: each finding comes with its remedy. Exit codes: 0 nothing in the way, 1 something is.
"""
SHAPES = {Level.GOOD: "✔", Level.NOTE: "·", Level.PROBLEM: "✘"}


@app.command(epilog=EXAMPLES)
def doctor(as_json: JsonOption = False) -> None:
    """Look at ports, permissions, drivers and programs. Changes nothing and opens no port."""
    verdicts = examine(machine_facts.gather())
    good = not any(verdict.level is Level.PROBLEM for verdict in verdicts)
    if as_json:
        print_json({"good": good, "checks": verdicts})
    else:
        for verdict in verdicts:
            _print(verdict)
    if not good:
        raise typer.Exit(EXIT_FINDINGS)


def _print(verdict: Verdict) -> None:
    console.print(f"{SHAPES[verdict.level]} {verdict.name}: {verdict.what}", markup=False)
    if verdict.remedy:
        console.print(f"  → {verdict.remedy}", markup=False)
