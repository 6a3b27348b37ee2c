"""`hedgerow laptop`: what this laptop may do, a request for more, and the stewards' answer. Parses, calls, prints."""

from pathlib import Path
from typing import Annotated

import typer

from hedgerow.cli.options import FleetOption, JsonOption, console, fleet_folder, new_app, print_json
from hedgerow.cli.papers import OutOption, PngOption, QrOption, TextOption, hand_out, read_papers
from hedgerow.errors import UsageError
from hedgerow.fleet import charter as charters
from hedgerow.fleet import laptops, standing, words
from hedgerow.fleet.folder import FleetFolder

app = new_app("Say what this laptop may do, ask for it, or answer another's request.")

SHOW_EXAMPLE = "[bold]Example[/bold]: [cyan]hedgerow laptop show[/cyan]: how many nodes this laptop may still take in."
REQUEST_EXAMPLE = (
    "[bold]Example[/bold]: [cyan]hedgerow laptop request[/cyan]: give the file that it writes to a steward."
    " No secret is in it."
)
CERTIFY_EXAMPLE = """[bold]Example[/bold]

[cyan]hedgerow laptop certify cafe-request.cbor --enrolments 20[/cyan]: laptop cafe may take in 20 nodes, in a block of
short ids of its own. The file that this writes goes back: `hedgerow fleet join FILE` takes it in.
"""


@app.command("show", epilog=SHOW_EXAMPLE)
def show(as_json: JsonOption = False, fleet: FleetOption = None) -> None:
    """Show the laptops of the fleet, which of them is this one, and what each may do."""
    with FleetFolder(fleet_folder(fleet)) as opened:
        rows = laptops.overview(opened)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        mine = " (this one)" if row["this_one"] else ""
        until = "" if row["until_version"] is None else f", until charter {row['until_version']}"
        console.print(
            f"{row['name']}{mine}: {row['state']}, {row['used']} of {row['enrolments']} enrolments used,"
            f" short ids {row['first_short']} to {row['last_short']}{until}",
            soft_wrap=True,
        )
        console.print(f"  {row['words']}")
    if not rows:
        console.print("No laptop has a certificate yet.")


@app.command("request", epilog=REQUEST_EXAMPLE)
def request(
    name: Annotated[
        str | None, typer.Option("--name", help="What to call this laptop. Default: its host name.")
    ] = None,
    out: OutOption = None,
    qr: QrOption = False,
    png: PngOption = None,
    text: TextOption = False,
    as_json: JsonOption = False,
    fleet: FleetOption = None,
) -> None:
    """Write a request for a certificate, for the stewards to answer with `hedgerow laptop certify`."""
    with FleetFolder(fleet_folder(fleet)) as opened:
        paper = laptops.request(opened, name)
        called, public = opened.secrets.laptop_name, opened.secrets.laptop or b""
        target = out or Path(f"{called}-request.cbor")
    hand_out([paper], target, qr=qr, png=png, text=text)
    if as_json:
        print_json({"file": target, "name": called, "public": public, "words": words.fingerprint(public)})
        return
    console.print(f"The request of laptop {called} is in {target}: give it to a steward.", soft_wrap=True)
    console.print(f"Say these words to them, so that they know it is yours: {words.fingerprint(public)}")


@app.command("certify", epilog=CERTIFY_EXAMPLE)
def certify(
    file: Annotated[Path, typer.Argument(metavar="REQUEST", help="The file that the laptop's owner gave you.")],
    enrolments: Annotated[
        int, typer.Option("--enrolments", metavar="N", help="How many nodes it may take in.", min=0)
    ] = charters.BLOCK_SHORTS,
    until: Annotated[
        int | None, typer.Option("--until", metavar="N", help="It ends with charter N. Default: it does not end.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    out: OutOption = None,
    qr: QrOption = False,
    png: PngOption = None,
    text: TextOption = False,
    as_json: JsonOption = False,
    fleet: FleetOption = None,
) -> None:
    """Answer a laptop's request with a certificate, signed with the stewards' keys that are here."""
    papers = read_papers(file)
    asked = laptops.read_request(papers[0]) if len(papers) == 1 else None
    if asked is None:
        raise UsageError(
            f"{file} is no request of a laptop", next_step="`hedgerow laptop request` makes one, over there"
        )
    with FleetFolder(fleet_folder(fleet)) as opened:
        _ = opened.charter
        if not yes and not as_json:
            console.print(f"Laptop {asked.name} says: {words.fingerprint(asked.laptop)}", soft_wrap=True)
            typer.confirm("Are these the words that its owner says?", abort=True)
        paper = laptops.certify(opened, asked, enrolments, until)
        judged = opened.standing
        waits = [one for one in judged.pending if one.digest == paper.digest]
        needs = standing.lacks(paper, judged) if waits else None
        target = out or Path(f"{asked.name}-certificate.cbor")
        hand_out(laptops.answer(opened, paper), target, qr=qr, png=png, text=text)
    if as_json:
        print_json({"file": target, "name": asked.name, "digest": paper.digest, "needs": needs})
        return
    if needs is not None:
        console.print(f"{target} needs {needs}: `hedgerow charter sign {target}` signs it.", soft_wrap=True)
    console.print(f"Give {target} back: `hedgerow fleet join {target}` over there takes it in.", soft_wrap=True)
