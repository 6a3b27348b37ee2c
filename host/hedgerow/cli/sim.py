"""`hedgerow sim`: simulate routers over a contact trace or a made-up world. Parses, calls, prints."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from hedgerow.cli.options import JsonOption, console, error_console, json_wanted, new_app, print_json
from hedgerow.errors import UsageError
from hedgerow.report import simulation
from hedgerow.sim import amounts, run, sweep, worlds

MOST_RUNS = 1000

app = new_app("Simulate how messages travel.")

EXAMPLE = """[bold]Examples[/bold]

[cyan]hedgerow sim town --router all --page town.html[/cyan]: every router on one made-up town, with pictures.

[cyan]hedgerow sim contacts.txt.gz --router hedgerow --buffer 16kB --ttl 300min --json[/cyan]: ours on a trace.
"""


@app.command(epilog=EXAMPLE)
def sim(
    trace: Annotated[
        str, typer.Argument(metavar="TRACE|WORLD", help=f"A trace in the ONE's format, or {', '.join(worlds.WORLDS)}.")
    ],
    router: Annotated[
        str, typer.Option(help=f"{', '.join(run.ROUTERS)}; several with commas between them, or all.")
    ] = "hedgerow",
    buffer: Annotated[str, typer.Option(help="Room for messages on each node.")] = "16kB",
    ttl: Annotated[str, typer.Option(help="How long a message is of use.")] = "300min",
    rate: Annotated[str, typer.Option(help="Bytes a second over a link.")] = "50kB/s",
    messages: Annotated[str, typer.Option(help="Sizes, and the gaps between messages.")] = "200-1000B/25-35s",
    until: Annotated[str | None, typer.Option(help="Default: the end of the trace; of a world, a day.")] = None,
    seed: Annotated[str, typer.Option(help="A number, or several as 1-5: one run each.")] = "1",
    nodes: Annotated[int, typer.Option(help="How many nodes a made-up world has.")] = 100,
    page: Annotated[Path | None, typer.Option(help="Write an HTML page with pictures here.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Simulate how messages travel: the node's own rules, and reference routers beside them."""
    jobs = [
        run.Job(
            source=trace,
            router=name,
            buffer_bytes=amounts.size_bytes(buffer),
            ttl_s=amounts.duration_s(ttl),
            rate_bytes_s=amounts.rate_bytes_s(rate),
            traffic=amounts.traffic(messages),
            until_s=None if until is None else amounts.duration_s(until),
            seed=number,
            nodes=nodes,
        )
        for number in _seeds(seed)
        for name in _routers(router)
    ]
    if len(jobs) > MOST_RUNS:
        raise UsageError(f"these are {len(jobs)} runs", next_step=f"Ask for at most {MOST_RUNS} at once.")
    outcomes = _simulate(jobs)
    if page is not None:
        _write_page(outcomes, page)
    if as_json:
        print_json(outcomes[0] if len(outcomes) == 1 else outcomes)
        return
    console.print(_table(outcomes))
    if page is not None:
        console.print(f"Pictures: {page}", soft_wrap=True)


def _write_page(outcomes: list[run.Outcome], page: Path) -> None:
    try:
        simulation.write([{**one.as_dict(), "latencies_s": one.latencies_s} for one in outcomes], page)
    except OSError as error:
        raise UsageError(f"cannot write {page}: {error.strerror}", next_step="Give another file.") from error


def _routers(text: str) -> list[str]:
    names = list(run.ROUTERS) if text == "all" else [name.strip() for name in text.split(",")]
    for name in names:
        if name not in run.ROUTERS:
            raise UsageError(f"there is no router {name!r}", next_step=f"Known are {', '.join(run.ROUTERS)}, and all.")
    return names


def _seeds(text: str) -> range:
    low, dash, high = text.partition("-")
    if low.isdecimal() and (high.isdecimal() or not dash):
        found = range(int(low), int(high or low) + 1)
        if found and len(found) <= MOST_RUNS:
            return found
    raise UsageError(f"{text!r} names no seeds", next_step="Give a number, or a range like 1-5.")


def _simulate(jobs: list[run.Job]) -> list[run.Outcome]:
    if json_wanted.get() or not error_console.is_terminal:
        return [run.run(jobs[0])] if len(jobs) == 1 else sweep.sweep(jobs)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=error_console, transient=True) as progress:
        if len(jobs) > 1:
            task = progress.add_task(f"{len(jobs)} runs", total=len(jobs))
            return sweep.sweep(jobs, lambda count: progress.update(task, completed=count))
        task = progress.add_task(f"{jobs[0].router} on {Path(jobs[0].source).name}", total=None)
        return [run.run(jobs[0], _reporter(progress, task))]


def _reporter(progress: Progress, task) -> Callable[[float, float], None]:
    return lambda now_s, until_s: progress.update(task, completed=now_s, total=until_s)


def _table(outcomes: list[run.Outcome]) -> Table:
    several = len({outcome.job.seed for outcome in outcomes}) > 1
    table = Table(box=None, pad_edge=False)
    table.add_column("router")
    for name in (["seed"] if several else []) + [
        "created",
        "delivered",
        "ratio",
        "relayed",
        "overhead",
        "mean",
        "median",
    ]:
        table.add_column(name, justify="right")
    for outcome in outcomes:
        row = outcome.as_dict()
        cells = [str(row["created"]), str(row["delivered"]), f"{outcome.delivery_ratio:.3f}", str(row["relayed"])]
        cells += [_number(row["overhead_ratio"], ".1f"), _number(row["latency_mean_s"], ",.0f", " s")]
        cells.append(_number(row["latency_median_s"], ",.0f", " s"))
        table.add_row(outcome.job.router, *([str(outcome.job.seed)] if several else []), *cells)
    return table


def _number(value: object, form: str, unit: str = "") -> str:
    return "-" if value is None else format(value, form) + unit
