"""`hedgerow prepare`: boards for people who are not here: a node that waits, and its label. Parses, calls, prints."""

import time
from pathlib import Path
from typing import Annotated

import typer

from hedgerow.cli.label import Format, write
from hedgerow.cli.main import run
from hedgerow.cli.options import JsonOption, PortOption, console, error_console, new_app, print_json
from hedgerow.cli.provision import Bars, exit_code
from hedgerow.errors import UsageError
from hedgerow.fleet import boards
from hedgerow.plans.prepare import PrepareBench, Prepared
from hedgerow.report import label_files, labels

app = new_app("Make boards into nodes that wait for whoever holds their label.")

EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow prepare -p /dev/ttyACM0 -p /dev/ttyACM1[/cyan]: two nodes for anybody, and a PDF with their labels.

[cyan]hedgerow provision oak --label HEDGEROW-WAITING:1:…[/cyan]: whoever got one takes it in, without a cable.
"""


@app.command(epilog=EXAMPLES)
def prepare(
    port: PortOption = None,
    board: Annotated[
        str | None, typer.Option("--board", metavar="ID", help="Which board it is, where it does not tell.")
    ] = None,
    file_format: Annotated[
        Format, typer.Option("--format", help="pdf: sheets for a printer; png, svg: one picture each.")
    ] = Format.PDF,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="PATH", help="The PDF, or the folder of the pictures.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Install firmware and a key on boards of nobody's. Whoever holds the label takes one into a fleet, once, by air.

    A board that waits already gets a new label, and the old one opens nothing any more.
    """
    bench = PrepareBench(boards.load(board) if board else None)
    if output is not None and not output.absolute().parent.is_dir():  # before a label is made that nobody would get
        raise UsageError(f"there is no folder {output.absolute().parent}")
    if not as_json:
        error_console.print("A board takes about half a minute, all at once.", markup=False)
    with Bars(port or [], quiet=as_json) as bars:
        bench.tell, bench.finished = bars.tell, bars.finished
        prepared = run(bench.prepare(port or []))
    written = _labels(prepared, file_format, output)
    if as_json:
        print_json({"ports": [_as_dict(one) for one in prepared], "files": written})
    else:
        _print(prepared, written)
    if code := exit_code([one.result for one in prepared]):
        raise typer.Exit(code)


def _labels(prepared: list[Prepared], file_format: Format, output: Path | None) -> list[Path]:
    made = {
        f"waiting-{one.label.node_id.hex()}": labels.of_waiting(
            one.label, width=label_files.width, has=label_files.has_glyph
        )
        for one in prepared
        if one.label is not None
    }
    if not made:
        return []
    # A second evening must not write over the labels of the first: nobody could print those again.
    named = output or (Path(time.strftime("waiting-%Y-%m-%d-%H%M%S.pdf")) if file_format is Format.PDF else None)
    return write(made, file_format, named)


def _as_dict(one: Prepared) -> dict[str, object]:
    return {**one.result.as_dict(), "label": None if one.label is None else one.label.text()}


def _print(prepared: list[Prepared], written: list[Path]) -> None:
    for one in prepared:
        if one.label is None:
            console.print(f"✘ FAIL  {one.result.error}", markup=False, soft_wrap=True)
        else:
            console.print(
                f"✔ PASS  {one.result.port}  id {one.label.node_id.hex()}, {one.label.fingerprint}",
                markup=False,
                soft_wrap=True,
            )
    console.print(f"{sum(one.label is not None for one in prepared)} of {len(prepared)} boards wait.", markup=False)
    for path in written:
        console.print(f"Labels: {path}", markup=False, soft_wrap=True)
    if written:
        console.print("Put each on its box. Whoever reads one may take its node: delete the file once printed.")
