"""`hedgerow registry`: what this laptop has seen of its nodes, to look at, give on, take in. Parses, calls, prints."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from hedgerow.cli.options import FleetOption, JsonOption, console, error_console, fleet_folder, new_app, print_json
from hedgerow.errors import EXIT_FINDINGS, RefusedError, StorageError, UsageError
from hedgerow.fleet import observation_files as files
from hedgerow.fleet.folder import FleetFolder
from hedgerow.fleet.observation_files import BadRow
from hedgerow.fleet.registry import Observation, Registry

app = new_app("What this laptop has seen of its nodes: show it, export it, take in another laptop's.")
_AT_ONCE = 5000  # rows in one transaction
_SHOWN = 5  # bad rows that are named

EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow registry show[/cyan]: how much is known, of how many nodes, since when.

[cyan]hedgerow registry export seen.jsonl[/cyan], [cyan]seen.csv[/cyan], or [cyan]-[/cyan] for the terminal.

[cyan]hedgerow registry import their-seen.jsonl[/cyan]: twice does no harm.

[cyan]hedgerow registry merge ../their-copy/registry.sqlite[/cyan]: a whole other copy, documents too.
"""

FormatOption = Annotated[
    str | None, typer.Option("--format", metavar="|".join(files.FORMATS), help="Default: by the file's name.")
]


@app.callback(epilog=EXAMPLES)
def registry() -> None:
    """What this laptop has seen of its nodes: show it, export it, take in another laptop's."""


@app.command()
def show(as_json: JsonOption = False, fleet: FleetOption = None) -> None:
    """How much is known, of how many nodes, since when."""
    with FleetFolder(fleet_folder(fleet)) as folder:
        facts: dict[str, Any] = {"url": folder.registry.url, **folder.registry.summary()}
    if as_json:
        print_json(facts)
        return
    console.print(f"{facts['url']}: {facts['documents']:,} documents, {facts['nodes']:,} nodes observed")
    for kind, (count, first_s, last_s) in facts["observations"].items():
        since, until = files.readable_time(first_s) or "?", files.readable_time(last_s) or "?"
        console.print(f"  {kind}: {count:,}, from {since} to {until}")


@app.command("export")
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file, or - for the terminal.")],
    form: FormatOption = None,
    node: Annotated[str | None, typer.Option("--node", metavar="NAME|ID", help="Of one node only.")] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="Of one kind only.")] = None,
    fleet: FleetOption = None,
) -> None:
    """Write all observations as lines of JSON or as CSV, oldest first."""
    with FleetFolder(fleet_folder(fleet)) as folder:
        seen = folder.registry.observations(_node_id(folder, node), kind)
    if str(file) == "-":
        files.write(seen, sys.stdout, form or files.FORMATS[0])
        return
    chosen = files.format_of(file, form)
    part = file.with_name(file.name + ".part")
    try:
        with part.open("w", encoding="utf-8", newline="") as out:
            count = files.write(seen, out, chosen)
        part.replace(file)
    except OSError as error:
        raise StorageError(f"{file} cannot be written: {error.strerror}") from error
    error_console.print(f"✔ {count:,} observations are in {file}")


@app.command("import")
def take_in(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE...", help="What `registry export` made.")],
    form: FormatOption = None,
    as_json: JsonOption = False,
    fleet: FleetOption = None,
) -> None:
    """Take in what another laptop has seen. What is here already does no harm; a row that was changed is left out."""
    chosen = [(path, files.format_of(path, form)) for path in paths]
    with FleetFolder(fleet_folder(fleet)) as folder:
        before = folder.registry.count()
        bad = [(path, row) for path, one in chosen for row in _take_in(folder.registry, path, one)]
        new = folder.registry.count() - before
    if as_json:
        print_json({"new": new, "bad": [{"file": str(path), **vars(row)} for path, row in bad]})
    else:
        console.print(f"✔ {new:,} observations are new here")
        for path, row in bad[:_SHOWN]:
            console.print(f"✘ {path}, line {row.line}: {row.why}")
        if len(bad) > _SHOWN:
            console.print(f"✘ and {len(bad) - _SHOWN:,} more rows that were left out")
    if bad:
        raise typer.Exit(EXIT_FINDINGS)


@app.command()
def merge(
    other: Annotated[str, typer.Argument(metavar="FILE|URL", help="A registry.sqlite, or the URL of a database.")],
    as_json: JsonOption = False,
    fleet: FleetOption = None,
) -> None:
    """Take in everything of another copy of this fleet's registry. Whose documents count is judged as ever."""
    if "://" not in other and not Path(other).is_file():
        raise UsageError(f"there is no registry {other}", next_step="Name a file, or a URL such as postgresql://...")
    with FleetFolder(fleet_folder(fleet)) as folder:
        before = folder.registry.count(), len(folder.registry.digests())
        theirs = Registry(other) if "://" in other else Registry.in_file(Path(other))
        try:
            if not _is_of(folder, theirs):
                raise RefusedError("that registry knows nothing of this fleet", next_step="It may be of another one.")
            folder.merge(theirs)
        finally:
            theirs.close()
        new = folder.registry.count() - before[0], len(folder.registry.digests()) - before[1]
    if as_json:
        print_json({"new_observations": new[0], "new_documents": new[1]})
    else:
        console.print(f"✔ {new[0]:,} observations and {new[1]:,} documents are new here")


def _take_in(registry: Registry, path: Path, form: str) -> list[BadRow]:
    bad: list[BadRow] = []
    good: list[Observation] = []
    for row in files.read(path, form):
        if isinstance(row, BadRow):
            bad.append(row)
            continue
        good.append(row)
        if len(good) >= _AT_ONCE:
            registry.observe(good)
            good = []
    registry.observe(good)
    return bad


def _is_of(folder: FleetFolder, theirs: Registry) -> bool:
    """Whether both hold a charter in common: the first one of a fleet never goes."""
    charters = {document.digest for document in folder.registry.documents("charter")}
    return any(document.digest in charters for document in theirs.documents("charter"))


def _node_id(folder: FleetFolder, who: str | None) -> bytes | None:
    if who is None:
        return None
    known = folder.roster.named(who)
    if known is not None:
        return known.node_id
    try:
        found = bytes.fromhex(who)
    except ValueError:
        found = b""
    if len(found) != 8:
        raise UsageError(f"no node is called {who!r}", next_step="`hedgerow fleet show` lists their names.")
    return found
