"""`hedgerow rig`: compare two runs of tests. Parses, calls, prints."""

from pathlib import Path
from typing import Annotated

import typer

from hedgerow.cli.options import JsonOption, console, new_app, print_json
from hedgerow.errors import EXIT_FINDINGS, UsageError
from hedgerow.report import rig as runs
from hedgerow.report.rig import Difference

app = new_app("For rigs: what changed from one run of tests to the next.")

EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow rig diff before.xml after.xml[/cyan]: two runs, as `pytest --junitxml` writes them.

[cyan]hedgerow rig diff run.xml --from v1.22 --to v1.25[/cyan]: two images in one run.

Exit codes: 0 nothing got worse, 1 something fails newly, is gone, or a figure got worse.
"""


@app.callback()
def group() -> None:
    """For rigs: what changed from one run of tests to the next."""


@app.command(epilog=EXAMPLES)
def diff(
    before: Annotated[Path, typer.Argument(metavar="XML", help="A JUnit file.")],
    after: Annotated[Path | None, typer.Argument(metavar="[XML]", help="The one to compare it with.")] = None,
    old: Annotated[str | None, typer.Option("--from", metavar="IMAGE", help="Tests on this image alone.")] = None,
    new: Annotated[str | None, typer.Option("--to", metavar="IMAGE", help="Compared with those on this one.")] = None,
    worse: Annotated[float, typer.Option("--worse", min=0.1, metavar="PERCENT", help="What counts as worse.")] = 10.0,
    as_json: JsonOption = False,
) -> None:
    """List what fails newly, what passes newly, and which figures got worse by a tenth or more."""
    if (old is None) != (new is None) or (after is None and old is None):
        raise UsageError("two runs are compared", next_step="Give two files, or one file with --from and --to.")
    found = runs.difference(runs.read(before, old), runs.read(after or before, new), worse)
    if as_json:
        print_json({name: value for name, value in vars(found).items() if name != "worse"} | {"worse": found.worse})
    else:
        for line in told(found):
            console.print(line, markup=False, soft_wrap=True)
    if found.breaks_something:
        raise typer.Exit(EXIT_FINDINGS)


def told(found: Difference) -> list[str]:
    """The difference in lines, what hurts first."""
    lines = [f"✘ fails now: {name}" for name in found.newly_failing]
    lines += [
        f"▲ {one.percent:g} % worse: {one.name}, {one.before:g} -> {one.after:g} {one.unit} ({one.test})"
        for one in found.worse
    ]
    lines += [f"▲ gone: {name}" for name in found.gone]
    lines += [f"✔ passes now: {name}" for name in found.newly_passing]
    lines += [f"· new: {name}" for name in found.added]
    tests = f"{found.compared} test{'s' * (found.compared != 1)} compared"
    lines.append(f"{tests}; nothing got worse." if not found.breaks_something else f"{tests}.")
    return lines
