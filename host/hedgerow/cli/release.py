"""`hedgerow release`: what nodes are to run, built, signed by the stewards, looked at. Parses, calls, prints."""

from pathlib import Path
from typing import Annotated, Any

import typer

from hedgerow.cli.options import FleetOption, JsonOption, console, fleet_folder, new_app, print_json
from hedgerow.errors import EXIT_FINDINGS, RefusedError
from hedgerow.fleet import boards, secrets_file
from hedgerow.fleet.folder import FleetFolder
from hedgerow.plans import release as releases
from hedgerow.plans.release import Kept

app = new_app("Build what nodes are to run, have it signed by your stewards, look at it.")

BUILD_EXAMPLE = """[bold]Example[/bold]

[cyan]hedgerow release build RPI_PICO[/cyan]: the next release for that board, in releases/ of your fleet's folder.
"""
SIGN_EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow release sign releases/RPI_PICO-3[/cyan]: with the stewards' keys that lie on this laptop.

[cyan]hedgerow release sign releases/RPI_PICO-3 --keys ben.toml[/cyan]: Ben signs the folder that he was given.
"""
SHOW_EXAMPLE = """[bold]Example[/bold]

[cyan]hedgerow release show releases/RPI_PICO-3[/cyan]: exit code 0 if it is complete and signed by enough stewards.
"""
ReleaseArgument = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a release.")]


@app.command(epilog=BUILD_EXAMPLE)
def build(
    board: Annotated[str, typer.Argument(metavar="BOARD", help="A board, a folder of boards/.")],
    sequence: Annotated[
        int | None, typer.Option("--sequence", metavar="N", min=1, help="Its number. Default: the next one.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="The folder to write.")] = None,
    source: Annotated[
        Path | None, typer.Option("--source", metavar="DIR", help="A folder of firmware instead of ours.")
    ] = None,
    as_json: JsonOption = False,
    fleet: FleetOption = None,
) -> None:
    """Compile the firmware for a board and write it down as a release of your fleet. It still needs signatures."""
    wanted = boards.load(board)
    with FleetFolder(fleet_folder(fleet)) as opened:
        shelf = opened.path / releases.FOLDER
        number = sequence or releases.next_sequence(shelf, wanted)
        into = out or shelf / f"{wanted.id}-{number}"
        kept = releases.build(wanted, opened.fleet_id, number, into, source)
        _answer(kept, opened, as_json=as_json)
    if not as_json:
        console.print(f"Next: `hedgerow release sign {into}`.", markup=False, soft_wrap=True)


@app.command(epilog=SIGN_EXAMPLES)
def sign(
    folder: ReleaseArgument,
    keys: Annotated[
        Path | None,
        typer.Option("--keys", metavar="FILE", help="Sign with the keys in this file instead of the fleet folder's."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Sign without asking.")] = False,
    as_json: JsonOption = False,
    fleet: FleetOption = None,
) -> None:
    """Sign a release with every steward's key here that counts. Its files are compared with what it says first."""
    with FleetFolder(fleet_folder(fleet)) as opened:
        _ = opened.charter  # raises where none is in force: nobody could say whose signature counts
        kept = releases.read(folder)
        held = secrets_file.read(keys).stewards if keys is not None else opened.secrets.stewards
        if not as_json:
            _tell(_facts(kept, opened))
            if not yes:
                typer.confirm("Sign?", abort=True)
        signed, signing = releases.sign(kept, held.values(), opened.standing)
        if not signing and signed.lacks(opened.standing) is not None:
            raise RefusedError(
                f"no key here counts for release {kept.says.sequence}: {signed.lacks(opened.standing)}",
                next_step="Give the folder to the stewards who are named; --keys FILE takes keys from elsewhere",
            )
        opened.note_signed(signed.paper, [key.seed for key in signing])
        _answer(signed, opened, as_json=as_json)


@app.command(epilog=SHOW_EXAMPLE)
def show(folder: ReleaseArgument, as_json: JsonOption = False, fleet: FleetOption = None) -> None:
    """Show a release: for which boards it is, who has signed, and whether every file is there as it says."""
    with FleetFolder(fleet_folder(fleet)) as opened:
        kept = releases.read(folder)
        good = _answer(kept, opened, as_json=as_json)
    if not good:
        raise typer.Exit(EXIT_FINDINGS)


def _answer(kept: Kept, opened: FleetFolder, *, as_json: bool) -> bool:
    facts = _facts(kept, opened)
    if as_json:
        print_json(facts)
    else:
        _tell(facts)
    return facts["fault"] is None and facts["lacks"] is None


def _facts(kept: Kept, opened: FleetFolder) -> dict[str, Any]:
    judged, says = opened.standing, kept.says
    council = judged.charters[-1].stewards if judged.charters else ()
    return {
        "folder": kept.folder,
        "sequence": says.sequence,
        "digest": kept.paper.digest,
        "version": says.version,
        "boards": says.boards,
        "chip": says.chip,
        "mpy": says.mpy,
        "files": len(says.files),
        "bytes": kept.size_bytes,
        "signed_by": [steward.name for steward in council if steward.public in kept.paper.signers],
        "lacks": kept.lacks(judged),
        "fault": kept.fault(),
    }


def _tell(facts: dict[str, Any]) -> None:
    names = ", ".join(facts["boards"])
    version, sub, arch = facts["mpy"]
    code = "bytecode, runs on every chip" if arch == 0 else f"with native code of arch {arch}, sub-version {sub}"
    lines = [
        f"Release {facts['sequence']} for {names} ({facts['chip']}): Hedgerow {facts['version']}",
        f"  {facts['files']} files, {facts['bytes']:,} bytes, .mpy {version} ({code})",
        f"  digest {facts['digest'].hex()[:16]}…",
        "✔ every file is there as it says" if facts["fault"] is None else f"✘ {facts['fault']}",
    ]
    if facts["signed_by"]:
        lines.append(f"  signed by {', '.join(facts['signed_by'])}")
    lines.append("✔ signed by enough stewards" if facts["lacks"] is None else f"▲ {facts['lacks']}")
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)
