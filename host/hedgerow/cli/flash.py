"""`hedgerow flash`: put MicroPython onto boards, several at once, and read it back. Parses, calls, prints."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from hedgerow.cli.main import run
from hedgerow.cli.options import JsonOption, PortOption, console, error_console, new_app, print_json
from hedgerow.cli.provision import Bars, exit_code
from hedgerow.errors import EXIT_GOOD, LinkError, UsageError
from hedgerow.flash import bootsel, esp, store
from hedgerow.flash.image import Image
from hedgerow.flash.store import ImageStore
from hedgerow.fleet import boards
from hedgerow.plans import flash as plan
from hedgerow.plans.flash import FlashBench, FlashResult

app = new_app("Put MicroPython onto boards, several at once, and read it back.")

EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow flash -p /dev/ttyUSB0 -p /dev/ttyUSB1[/cyan]: chip and flash size decide which image of the store.

[cyan]hedgerow flash -p /dev/ttyACM0 --image RPI_PICO_W-20240222-v1.22.2.uf2[/cyan]: this image, or none.

[cyan]hedgerow flash --all --board RPI_PICO_W[/cyan]: everything that is plugged in, Picos in their boot loader too.
"""
BaudOption = Annotated[
    int | None,
    typer.Option(
        "--baud", min=9600, metavar="BAUD", help="Begin with this rate; what the cable does not hold is halved."
    ),
]


@app.command(epilog=EXAMPLES)
def flash(
    port: PortOption = None,
    drive: Annotated[
        list[Path] | None, typer.Option("--drive", metavar="DIR", help="The drive of a Pico in its boot loader.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every board and every Pico drive that is there.")] = False,
    image: Annotated[
        str | None, typer.Option("--image", metavar="IMAGE", help="A file, or a name in `hedgerow images list`.")
    ] = None,
    board: Annotated[
        str | None, typer.Option("--board", metavar="ID", help="Which board it is, where its chip does not tell.")
    ] = None,
    erase: Annotated[
        bool, typer.Option("--erase", help="ESP32: erase everything first, the files on the board too.")
    ] = False,
    baud: BaudOption = None,
    images: Annotated[Path | None, typer.Option("--store", metavar="DIR", help="Another folder of images.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Flash the boards at these ports, all at once, and verify them. Files on a board stay, unless --erase is given.

    A wrong or damaged image is refused before anything is erased. Whatever interrupts it, run the same command again.
    """
    names, drives = list(port or []), list(drive or [])
    if everything:
        names += [name for name in plan.plugged_in() if name not in names]
        drives += [path for path in bootsel.drives() if path not in drives]
        if not names and not drives:
            raise LinkError(
                "no board is plugged in that Hedgerow knows, and no Pico shows its drive",
                next_step="`hedgerow doctor` looks for the reason; a port can also be named with -p.",
            )
    bench = FlashBench(
        _images(image, images), board=boards.load(board) if board else None, bauds=_bauds(baud), erase=erase
    )
    plan.refuse_misuse(names, drives, bench.images)
    if not as_json:
        error_console.print(_forecast(len(names) + len(drives), bench), markup=False, soft_wrap=True)
    with Bars([*names, *map(str, drives)], quiet=as_json) as bars:
        bench.tell, bench.finished = bars.tell, bars.finished
        results = run(bench.flash(names, drives))
    if as_json:
        print_json({"passed": sum(one.passed for one in results), "ports": results})
    else:
        _print(results)
    if (code := exit_code(results)) != EXIT_GOOD:
        raise typer.Exit(code)


def _images(named: str | None, folder: Path | None) -> dict[str, Image]:
    """Those of the store, or the one that was named: a file, or one of the store."""
    if named is not None and Path(named).is_file():
        path = Path(named)
        return {path.name: store.sound(store.read_file(path), path)}
    kept = ImageStore(folder).sound_images()
    if named is None:
        return kept
    name = store.named(list(kept), named)
    if name is None:
        raise UsageError(
            f"{named} is neither a file nor one image of the store",
            next_step="`hedgerow images list` shows what is there.",
        )
    return {name: kept[name]}


def _bauds(first: int | None) -> Sequence[int]:
    if first is None:
        return esp.BAUDS
    return (first, *(rate for rate in esp.BAUDS if rate < first))


def _forecast(count: int, bench: FlashBench) -> str:
    boards_are = "1 board takes" if count == 1 else f"{count} boards, all at once, take"
    return f"{boards_are} about {bench.seconds_at_most()} s; longer where a cable does not hold {bench.bauds[0]} baud."


def _print(results: Sequence[FlashResult]) -> None:
    for result in results:
        if result.error is not None:
            console.print(f"✘ FAIL  {result.error}", markup=False, soft_wrap=True)
            continue
        done = f"{result.written_bytes // 1024} KiB written" if result.written_bytes else "it was there already"
        what = f"{result.image}, {done}, read back, {result.seconds:.0f} s"
        console.print(f"✔ PASS  {result.port}  {what}", markup=False, soft_wrap=True)
    console.print(f"{sum(one.passed for one in results)} of {len(results)} boards passed.")
