"""`hedgerow fleet`: found a fleet, show it, join it, give nodes its documents. Parses, calls, prints."""

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from hedgerow.cli.main import run
from hedgerow.cli.options import (
    FLEET_FILE,
    FleetOption,
    JsonOption,
    PortOption,
    console,
    error_console,
    fleet_folder,
    new_app,
    print_json,
)
from hedgerow.errors import RefusedError, UsageError
from hedgerow.fleet import founding, joining, passphrase, secrets_file
from hedgerow.fleet.charter import Steward
from hedgerow.fleet.documents import Document
from hedgerow.fleet.folder import FleetFolder
from hedgerow.fleet.key_lock import Lock
from hedgerow.fleet.standing import Standing, lacks
from hedgerow.plans import credentials, drill, papers, reach, seizure
from hedgerow.session import Credentials

app = new_app("Found a fleet, show it, join it from another laptop or from its nodes.")

NEW_EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow fleet new river[/cyan]: a fleet in the folder river, with you as its only steward.

[cyan]hedgerow fleet new river --stewards Ana,Ben,Cy[/cyan]: any two of the three decide.
"""
JOIN_EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow fleet join /media/stick/river[/cyan]: from another laptop's folder.

[cyan]hedgerow fleet join -p /dev/ttyACM0 -p /dev/ttyACM1[/cyan]: a lost laptop's registry, from the nodes themselves.

[cyan]hedgerow fleet join cafe-certificate.cbor[/cyan]: take in what a steward gave you.
"""
GIVE_EXAMPLE = (
    "[bold]Example[/bold]: [cyan]hedgerow fleet give oak[/cyan]: oak learns of the new charter and tells others."
)
SHOW_EXAMPLE = "[bold]Example[/bold]: [cyan]hedgerow fleet show --fleet river[/cyan]"


@app.command("new", epilog=NEW_EXAMPLES)
def new(
    name: Annotated[str, typer.Argument(help="What people call the fleet.")],
    directory: Annotated[
        Path | None, typer.Option("--dir", metavar="DIR", help="Where to make it. Default: a folder of its name.")
    ] = None,
    stewards: Annotated[
        str,
        typer.Option(
            "--stewards",
            metavar="NAMES",
            help="Who decides together, separated by commas; NAME=HEX brings a public key along. Default: you alone.",
        ),
    ] = "",
    threshold: Annotated[
        int | None, typer.Option("--threshold", metavar="K", help="How many of them decide. Default: more than half.")
    ] = None,
    lock: Annotated[bool, typer.Option("--lock", help="Put a passphrase on the keys from the beginning.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a new fleet: fleet.toml, keys, first charter, registry."""
    path = directory or Path(name.strip().replace(" ", "-").replace("/", "-") or "fleet")
    names = [part for part in (part.strip() for part in stewards.split(",")) if part]
    what = str(path / secrets_file.FILE_NAME)
    locked = Lock.new(what, passphrase.ask_new(what)) if lock else None
    with founding.found(path, name, names, threshold, lock=locked) as fleet:
        if as_json:
            print_json(_facts(fleet))
            return
        charter = fleet.charter_at_hand
        console.print(f"Fleet [bold]{charter.name}[/bold] ({charter.fleet_id.hex()}) is in {path}.", soft_wrap=True)
        council = ", ".join(steward.name for steward in charter.stewards)
        console.print(f"Stewards: {council}; {charter.threshold} of {len(charter.stewards)} decide.", soft_wrap=True)
        if fleet.standing.pending:
            console.print("Some of it waits for the others: `hedgerow charter sign` writes a file for them to sign.")
        console.print(
            f"Keys are in {path / 'secrets.toml'}: they exist nowhere else, so keep a copy on paper or a stick."
        )
        console.print(
            f"Next: name its nodes in {path / 'fleet.toml'}, then `hedgerow provision -p PORT`.", soft_wrap=True
        )


@app.command("show", epilog=SHOW_EXAMPLE)
def show(as_json: JsonOption = False, fleet: FleetOption = None) -> None:
    """Show stewards, this laptop's certificate, nodes and conflicts."""
    with FleetFolder(fleet_folder(fleet)) as opened:
        if as_json:
            print_json(_facts(opened))
        else:
            _print(opened)


@app.command("join", epilog=JOIN_EXAMPLES)
def join(
    source: Annotated[
        str | None,
        typer.Argument(metavar="[DIR|FILE|NODE]", help="Where the documents are: a folder, a file, or a node's name."),
    ] = None,
    port: PortOption = None,
    directory: Annotated[
        Path | None, typer.Option("--dir", metavar="DIR", help="Where to make it. Default: a folder of its name.")
    ] = None,
    said: Annotated[
        str | None, typer.Option("--words", help="The six words that somebody of the fleet told you. Then nobody asks.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="You have compared the words with somebody of the fleet.")] = False,
    fleet_id: Annotated[
        str | None, typer.Option("--id", metavar="HEX", help="Which fleet, where there are two.")
    ] = None,
    as_json: JsonOption = False,
    fleet: FleetOption = None,
) -> None:
    """Make a copy of a fleet on this laptop, or take documents into the copy that is here.

    They come from another laptop's folder, from a stick, from a file that a steward gave you, or from the nodes.
    """
    brought, fleet_toml = _papers_from(source, port)
    here = _copy_here(fleet, directory)
    if here is not None:
        with FleetFolder(here) as opened:
            before = opened.registry.digests()
            opened.add(brought)
            new = len(opened.registry.digests() - before)
            if as_json:
                print_json(_facts(opened) | {"new_documents": new})
            else:
                console.print(f"{new} new documents.")
                _print(opened)
        return
    found = joining.understand(brought, bytes.fromhex(fleet_id) if fleet_id else None)
    if not yes:
        _compare_words(found, said, as_json=as_json)
    path = directory or Path(found.now.name.strip().replace(" ", "-").replace("/", "-"))
    with joining.join(path, found, fleet_toml) as opened:
        if as_json:
            print_json(_facts(opened))
            return
        console.print(f"This laptop has a copy of {found.now.name} in {path}: {len(found.roster.nodes)} nodes.")
        console.print("It can look but not enrol. Next: `hedgerow laptop request`, for the stewards.", soft_wrap=True)


@app.command("give", epilog=GIVE_EXAMPLE)
def give(
    node: Annotated[str | None, typer.Argument(metavar="[NODE]", help="Name, short number or id.")] = None,
    port: PortOption = None,
    as_json: JsonOption = False,
    fleet: FleetOption = None,
) -> None:
    """Give a node the charters, certificates, revocations and keys that it lacks; it passes them on to the others."""
    with FleetFolder(fleet_folder(fleet)) as opened:
        wanted = [*drill.for_every_node(opened), *seizure.for_nodes(opened)]
        done = run(_give(node, port, wanted, credentials.of(opened)))
    if as_json:
        print_json(done)
    else:
        console.print(f"{done.node}: {', '.join(done.taken) if done.taken else 'has all of it'}", soft_wrap=True)
        for line in done.refused:
            console.print(f"  refused {line}", soft_wrap=True)


async def _give(who: str | None, port: list[str] | None, wanted: list[Document], keys: Credentials) -> papers.Given:
    async with reach.one_node(who, port, credentials=keys) as reached:
        return await papers.give(reached.session, wanted)


def _papers_from(source: str | None, port: list[str] | None) -> tuple[list[Document], str | None]:
    """The documents, and the fleet.toml that lies beside them."""
    if source is not None and Path(source).exists():
        beside = Path(source) / FLEET_FILE
        return joining.read_place(Path(source)), beside.read_text("utf-8") if beside.is_file() else None
    if source is None and not port:
        raise UsageError("say where the documents are", next_step="Name a folder, a file or a node, or a port with -p")
    found, errors = run(papers.from_nodes(source, port or []))
    for error in errors:
        error_console.print(str(error), soft_wrap=True)
    return found, None


def _copy_here(chosen: Path | None, directory: Path | None) -> Path | None:
    if directory is not None:
        return None
    try:
        return fleet_folder(chosen)
    except UsageError:
        if chosen is not None:
            raise
        return None


def _compare_words(found: joining.Found, said: str | None, *, as_json: bool) -> None:
    """Whoever joins is told by a person which charter is the right one; no computation can know it."""
    if said is not None:
        if said.lower().split() != found.words.split():
            raise RefusedError(
                f"the charter there is not the one you were told of: its words are {found.words}",
                state="Nothing was made",
                next_step="Ask somebody of the fleet to read theirs from `hedgerow charter show`",
            )
        return
    console.print(
        f"Charter {found.anchor.version} of {found.anchor.name}, stewards"
        f" {', '.join(steward.name for steward in found.anchor.stewards)}: {found.words}",
        soft_wrap=True,
    )
    if as_json:
        raise UsageError("with --json nobody can be asked", next_step=f"Give the words with --words {found.words!r}")
    typer.confirm("Does somebody of the fleet read the same words from `hedgerow charter show`?", abort=True)


def _print(fleet: FleetFolder) -> None:
    charter = fleet.charter_at_hand
    console.print(
        f"Fleet [bold]{charter.name}[/bold] ({charter.fleet_id.hex()}), charter {charter.version}", soft_wrap=True
    )
    council = ", ".join(_in_words(steward, charter.version) for steward in charter.stewards)
    console.print(f"Stewards: {council}; {charter.threshold} of {len(charter.stewards)} decide", soft_wrap=True)
    facts = _facts(fleet)
    console.print(_KEYS_AT_REST[facts["keys_locked"]])
    if facts["laptop"] is None:
        console.print("This laptop has no certificate: it can look, but not enrol")
    else:
        laptop = facts["laptop"]
        console.print(
            f"This laptop: {laptop['name']}, {laptop['used']} of {laptop['enrolments']} enrolments used,"
            f" short ids {laptop['first_short']} to {laptop['last_short']}"
        )
    table = Table(box=None, pad_edge=False)
    for column in ("node", "short", "id", "board", "custodian", "last seen"):
        table.add_column(column)
    for node in facts["nodes"]:
        table.add_row(
            node["name"],
            str(node["short"] or "–"),
            node["id"] or "not enrolled yet",
            node["board"],
            node["custodian"] or "–",
            _ago(node["last_seen_s"]),
        )
    if facts["nodes"]:
        console.print()
        console.print(table)
    else:
        console.print("fleet.toml names no nodes yet")
    for split in facts["splits"]:
        console.print(f"Split: {split}", soft_wrap=True)
    for waiting in facts["waiting_for_signatures"]:
        console.print(f"Waiting: {waiting}", soft_wrap=True)
    for uncounted in facts["uncounted"]:
        console.print(f"Not counted: {uncounted}", soft_wrap=True)
    for conflict in facts["conflicts"]:
        console.print(f"Conflict: {conflict}", soft_wrap=True)
    for path in facts["damaged_documents"]:
        console.print(f"Damaged document, left alone: {path}", soft_wrap=True)


_KEYS_AT_REST = {
    True: "The keys on this laptop are locked with a passphrase",
    False: "The keys on this laptop lie in clear; `hedgerow keys lock` puts a passphrase on them",
}


def _in_words(steward: Steward, version: int) -> str:
    if steward.until_version is None:
        return steward.name
    ended = " (ended)" if steward.until_version < version else ""
    return f"{steward.name} until charter {steward.until_version}{ended}"


def _facts(fleet: FleetFolder) -> dict:
    charter, inventory, judged = fleet.charter_at_hand, fleet.inventory, fleet.standing
    certified = [
        item for item in judged.certificates.values() if item.laptop == fleet.secrets.laptop and judged.may_act(item)
    ]
    mine = fleet.certificate if certified else None
    last_seen = {
        node: seen.time_s for kind in ("provisioned", "audit") for node, seen in fleet.registry.latest(kind).items()
    }
    nodes = []
    for spec in inventory.nodes:
        known = spec.enrolment
        nodes.append(
            {
                "name": spec.name,
                "board": spec.board.id,
                "custodian": spec.custodian_name,
                "short": known.short if known else None,
                "id": known.node_id.hex() if known else None,
                "last_seen_s": last_seen.get(known.node_id) if known else None,
            }
        )
    return {
        "name": charter.name,
        "id": charter.fleet_id.hex(),
        "folder": str(fleet.path.resolve()),
        "charter": {
            "version": charter.version,
            "threshold": charter.threshold,
            "stewards": [
                {"name": steward.name, "public": steward.public.hex(), "until_version": steward.until_version}
                for steward in charter.stewards
            ],
        },
        "laptop": None
        if mine is None
        else {
            "name": mine.name,
            "enrolments": mine.enrolments,
            "used": sum(1 for claim in inventory.roster.claims if claim.certificate == mine.digest),
            "first_short": mine.first_short,
            "last_short": mine.first_short + mine.short_count - 1,
        },
        "nodes": nodes,
        "not_in_fleet_toml": [enrolment.name for enrolment in inventory.unproposed],
        "keys_locked": fleet.secrets.is_locked,
        "splits": [str(split) for split in judged.splits],
        "waiting_for_signatures": [_waiting(paper, judged) for paper in judged.pending],
        "uncounted": [str(one) for one in judged.uncounted],
        "conflicts": [str(conflict) for conflict in inventory.conflicts],
        "damaged_documents": [str(path) for path, _ in fleet.damaged],
    }


def _waiting(paper: Document, judged: Standing) -> str:
    name = paper.fields.get("name") or paper.digest[:4].hex()
    return f"{paper.kind} {name} needs {lacks(paper, judged)}; `hedgerow charter sign` signs it"


def _ago(time_s: int | None) -> str:
    if time_s is None:
        return "never"
    passed_s = max(0, int(time.time()) - time_s)
    for size_s, name in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if passed_s >= 2 * size_s:
            return f"{passed_s // size_s} {name} ago"
    return "just now"
