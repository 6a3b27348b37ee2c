"""`hedgerow charter`: what the stewards decide together. Parses, calls, prints."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from hedgerow.cli.options import FleetOption, JsonOption, console, fleet_folder, new_app, print_json
from hedgerow.cli.papers import (
    OutOption,
    PaperArgument,
    PngOption,
    QrOption,
    TextOption,
    hand_out,
    read_papers,
)
from hedgerow.errors import EXIT_FINDINGS, RefusedError, UsageError
from hedgerow.fleet import charter as charters
from hedgerow.fleet import council, founding, secrets_file, standing, words
from hedgerow.fleet.charter import Charter, Steward
from hedgerow.fleet.council import Task
from hedgerow.fleet.documents import Document, unite
from hedgerow.fleet.folder import FleetFolder
from hedgerow.fleet.secrets_file import Secrets

app = new_app("Show, change and sign what the stewards decide together.")

WAITING = "charter-to-sign.cbor"
NEW_EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow charter new --threshold 1[/cyan]: one steward is enough from the next charter on.

[cyan]hedgerow charter new --term Ana=5[/cyan]: Ana is steward up to charter 5.
"""
SHOW_EXAMPLE = "[bold]Example[/bold]: [cyan]hedgerow charter show[/cyan]: who decides, and what waits for signatures."
SIGN_EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow charter sign[/cyan]: sign what waits in your fleet's folder; the file for the others lies beside it.

[cyan]hedgerow charter sign charter-to-sign.cbor --keys ben.toml[/cyan]: Ben signs a file that he was given, without
a fleet folder, and gives it back.

[cyan]hedgerow charter sign --qr[/cyan]: the same as codes for another person's camera.
"""
VERIFY_EXAMPLE = "[bold]Example[/bold]: [cyan]hedgerow charter verify river.cbor[/cyan]: what in this file counts."
ADD_EXAMPLE = "[bold]Example[/bold]: [cyan]hedgerow charter add-steward Dora=… --threshold 2[/cyan]"
REMOVE_EXAMPLE = "[bold]Example[/bold]: [cyan]hedgerow charter remove-steward Ben[/cyan]: Ben leaves in peace."

KeysOption = Annotated[
    Path | None,
    typer.Option("--keys", metavar="FILE", help="Sign with the keys in this file instead of the fleet folder's."),
]
ThresholdOption = Annotated[
    int | None, typer.Option("--threshold", metavar="K", help="How many stewards decide from then on.")
]


@app.command("new", epilog=NEW_EXAMPLES)
def new(
    name: Annotated[str | None, typer.Option("--name", help="What people call the fleet from then on.")] = None,
    threshold: ThresholdOption = None,
    term: Annotated[
        list[str] | None, typer.Option("--term", metavar="NAME=N", help="Steward NAME's term ends with charter N.")
    ] = None,
    as_json: JsonOption = False,
    fleet: FleetOption = None,
) -> None:
    """Propose the next charter: another name, threshold, or terms. It counts once enough stewards have signed."""
    with FleetFolder(fleet_folder(fleet)) as opened:
        judged = _in_force(opened)
        now = judged.charters[-1]
        stewards = tuple(_with_term(steward, term or []) for steward in now.stewards)
        for given in term or []:
            if now.steward(given.partition("=")[0]) is None:
                raise UsageError(f"there is no steward {given.partition('=')[0]}")
        following = council.propose(
            judged, name=name or now.name, threshold=threshold or now.threshold, stewards=stewards
        )
        _propose(opened, [following.to_document()], as_json=as_json)


@app.command("add-steward", epilog=ADD_EXAMPLE)
def add_steward(
    steward: Annotated[str, typer.Argument(metavar="NAME=KEY", help="Their name and public key (64 digits).")],
    until: Annotated[int | None, typer.Option("--until", metavar="N", help="Their term ends with charter N.")] = None,
    threshold: ThresholdOption = None,
    as_json: JsonOption = False,
    fleet: FleetOption = None,
) -> None:
    """Propose a charter with one steward more. `hedgerow keys new NAME` makes their key and prints KEY."""
    name, public = founding.steward_from(steward)
    if public is None:
        raise UsageError(
            f"the key of {name} is missing", next_step=f"{name} runs `hedgerow keys new {name}` and gives you NAME=KEY"
        )
    with FleetFolder(fleet_folder(fleet)) as opened:
        following = council.with_steward(_in_force(opened), Steward(name, public, until), threshold)
        _propose(opened, [following.to_document()], as_json=as_json)


@app.command("remove-steward", epilog=REMOVE_EXAMPLE)
def remove_steward(
    name: Annotated[str, typer.Argument(help="The steward who leaves.")],
    threshold: ThresholdOption = None,
    revoke: Annotated[
        bool,
        typer.Option("--revoke", help="The key counts no more at all, as if stolen; others sign anew what it signed."),
    ] = False,
    as_json: JsonOption = False,
    fleet: FleetOption = None,
) -> None:
    """Propose a charter with one steward less."""
    with FleetFolder(fleet_folder(fleet)) as opened:
        following = council.without_steward(_in_force(opened), name, threshold, revoke=revoke)
        _propose(opened, [following.to_document()], as_json=as_json)


@app.command("show", epilog=SHOW_EXAMPLE)
def show(as_json: JsonOption = False, fleet: FleetOption = None) -> None:
    """Show the charter in force, its stewards with their keys as words, and what waits for signatures."""
    with FleetFolder(fleet_folder(fleet)) as opened:
        judged, now = opened.standing, opened.charter_at_hand
        facts = _facts(now, judged)
    if as_json:
        print_json(facts)
        return
    state = "in force" if judged.charters else "not signed yet"
    console.print(f"Charter {now.version} of [bold]{now.name}[/bold] ({now.fleet_id.hex()}), {state}", soft_wrap=True)
    console.print(f"Compare aloud: {facts['words']}", soft_wrap=True)
    console.print(f"{now.threshold} of {len(now.stewards)} decide:")
    for steward in facts["stewards"]:
        term = "" if steward["until_version"] is None else f", until charter {steward['until_version']}"
        console.print(f"  {steward['name']}{term}: {steward['words']}", soft_wrap=True)
    for line in (*facts["splits"], *facts["uncounted"]):
        console.print(line, soft_wrap=True)
    for paper in judged.pending:
        console.print(f"Waiting: {council.describe(paper, judged)}", soft_wrap=True)
        console.print(f"  needs {standing.lacks(paper, judged)}", soft_wrap=True)


@app.command("sign", epilog=SIGN_EXAMPLES)
def sign(
    file: PaperArgument = None,
    keys: KeysOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Sign without asking.")] = False,
    out: OutOption = None,
    qr: QrOption = False,
    png: PngOption = None,
    text: TextOption = False,
    as_json: JsonOption = False,
    fleet: FleetOption = None,
) -> None:
    """Sign what waits, with every key here that counts: charters, certificates, revocations, keys of groups, moves.

    A FILE that somebody gave you is signed and written back, for you to give on. What it says is shown first.
    """
    folder = _folder_if_any(fleet, needed=file is None)
    opened = FleetFolder(folder) if folder is not None else None
    try:
        given = read_papers(file) if file is not None else []
        known = opened.registry.documents() if opened is not None else []
        secrets = secrets_file.read(keys) if keys is not None else opened.secrets if opened is not None else Secrets()
        tasks = council.tasks([*given, *known], secrets.stewards)
        if file is not None:
            asked = {paper.digest for paper in given}
            tasks = [task for task in tasks if task.paper.digest in asked]
        mine = [task for task in tasks if task.signers and task.refused is None]
        if not as_json:
            _tell(tasks)
        _refuse_idle(tasks, mine, secrets, for_others=file is None)
        if mine and not yes and not as_json:
            typer.confirm("Sign?", abort=True)
        signed = council.sign(mine, secrets.stewards)
        if opened is not None:
            opened.add([*given, *signed])
            for task, paper in zip(mine, signed, strict=True):
                opened.note_signed(paper, [secrets.stewards[name].seed for name in task.signers])
        everything = unite([*known, *given, *signed])
        left = council.tasks(everything, {})
        target = out or (file if file is not None and str(file) != "-" else _beside(opened))
        hand_out(council.for_others(everything, left, given), target, qr=qr, png=png, text=text)
        if as_json:
            waiting = [task.says for task in left]
            print_json({"signed": [task.says for task in mine], "waiting": waiting, "file": target})
            return
        console.print(f"Signed {len(signed)}. " + _next_step(left, target), soft_wrap=True)
    finally:
        if opened is not None:
            opened.close()


@app.command("verify", epilog=VERIFY_EXAMPLE)
def verify(file: PaperArgument = None, as_json: JsonOption = False, fleet: FleetOption = None) -> None:
    """Check every signature in a file, or in your fleet's folder, and say what counts and what does not."""
    if file is not None:
        found = read_papers(file)
    else:
        with FleetFolder(fleet_folder(fleet)) as opened:
            found = opened.registry.documents()
    read = [charters.read_charter(paper) for paper in found if paper.kind == charters.CHARTER]
    fleets = sorted({one.fleet_id for one in read if isinstance(one, Charter)})
    judged = [standing.judge(found, one) for one in fleets]
    findings = [str(one) for one in _wrong_signatures(found)]
    findings += [str(one) for each in judged for one in each.uncounted]
    waiting = [f"{council.describe(p, each)}: needs {standing.lacks(p, each)}" for each in judged for p in each.pending]
    counting = [
        f"{each.charters[-1].name} ({each.fleet.hex()}): charter {each.version}, {len(each.certificates)} laptops"
        for each in judged
        if each.charters
    ]
    if as_json:
        print_json({"counts": counting, "waiting": waiting, "findings": findings})
    else:
        for line in (*counting, *(f"Waiting: {one}" for one in waiting), *(f"✘ {one}" for one in findings)):
            console.print(line, soft_wrap=True)
        if not fleets:
            console.print("There is no charter in it.")
    if findings or not fleets:
        raise typer.Exit(EXIT_FINDINGS)


def _propose(opened: FleetFolder, papers: Iterable[Document], *, as_json: bool) -> None:
    papers = list(papers)
    opened.add(papers)
    judged = opened.standing
    if as_json:
        print_json({"proposed": [council.describe(paper, judged) for paper in papers]})
        return
    for paper in papers:
        console.print(f"Proposed: {council.describe(paper, judged)}.", soft_wrap=True)
        console.print(f"It needs {standing.lacks(paper, judged)}. Next: `hedgerow charter sign`.", soft_wrap=True)


def _in_force(opened: FleetFolder) -> standing.Standing:
    """Raises RefusedError where no charter is in force: nothing can follow one that is not signed."""
    _ = opened.charter
    return opened.standing


def _with_term(steward: Steward, terms: list[str]) -> Steward:
    for given in terms:
        name, _, until = given.partition("=")
        if name == steward.name:
            if not until.isdecimal():
                raise UsageError(f"a term is NAME=N with the number of a charter, not {given!r}")
            return replace(steward, until_version=int(until))
    return steward


def _facts(now: Charter, judged: standing.Standing) -> dict:
    return {
        "name": now.name,
        "fleet": now.fleet_id.hex(),
        "version": now.version,
        "in_force": bool(judged.charters),
        "digest": now.digest.hex(),
        "words": words.fingerprint(now.digest),
        "threshold": now.threshold,
        "stewards": [
            {
                "name": steward.name,
                "public": steward.public.hex(),
                "words": words.fingerprint(steward.public),
                "until_version": steward.until_version,
            }
            for steward in now.stewards
        ],
        "revoked": [key.hex() for key in sorted(judged.revoked)],
        "splits": [str(split) for split in judged.splits],
        "uncounted": [str(one) for one in judged.uncounted],
        "waiting": [
            {"what": council.describe(paper, judged), "needs": standing.lacks(paper, judged)}
            for paper in judged.pending
        ],
    }


def _tell(tasks: list[Task]) -> None:
    for task in tasks:
        console.print(f"Waiting: {task.says}", soft_wrap=True)
        console.print(f"  needs {task.lacks}", soft_wrap=True)
        if task.refused is not None:
            console.print(f"  not signed here: {task.refused}", soft_wrap=True)
        elif task.signers:
            console.print(f"  would be signed by {', '.join(task.signers)}", soft_wrap=True)


def _refuse_idle(tasks: list[Task], mine: list[Task], secrets: Secrets, *, for_others: bool) -> None:
    if not tasks or mine:
        return
    if any(task.refused for task in tasks):
        return
    held = {key.public for key in secrets.stewards.values()}
    if for_others and any(held & task.paper.signers for task in tasks):
        return  # nothing to sign here any more, but the others need the file
    raise RefusedError(
        "no key here counts for what waits"
        + (f": {', '.join(secrets.stewards)} have signed, or are no stewards there" if secrets.stewards else ""),
        next_step="Give the file to the stewards who are named above; --keys FILE takes keys from elsewhere",
    )


def _folder_if_any(chosen: Path | None, *, needed: bool) -> Path | None:
    try:
        return fleet_folder(chosen)
    except UsageError:
        if needed or chosen is not None:
            raise
        return None


def _beside(opened: FleetFolder | None) -> Path | None:
    return None if opened is None else opened.path / WAITING


def _next_step(left: list[Task], target: Path | None) -> str:
    if not left:
        return "Nothing waits any more."
    names = f"Give {target} to" if target is not None else "Next are"
    return f"{names} the others: it still needs {left[0].lacks}."


def _wrong_signatures(found: list[Document]) -> list[str]:
    return [
        f"{paper.kind} {paper.digest[:4].hex()}: the signature of {signer[:4].hex()}… is wrong"
        for paper in found
        for signer, _ in paper.signatures
        if signer not in paper.signers
    ]
