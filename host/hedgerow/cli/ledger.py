"""`hedgerow ledger`: show, collect, verify and add to the signed chains of nodes, laptops and stewards."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from hedgerow.cli.main import run
from hedgerow.cli.options import (
    FleetOption,
    JsonOption,
    PortOption,
    console,
    error_console,
    fleet_folder,
    new_app,
    print_json,
)
from hedgerow.errors import EXIT_FINDINGS, EXIT_GOOD, UsageError
from hedgerow.fleet import ledger as ledgers
from hedgerow.fleet import verdict
from hedgerow.fleet.folder import FleetFolder
from hedgerow.fleet.keys import key_id
from hedgerow.fleet.verdict import Chain, Finding
from hedgerow.plans import ledger as plans
from hedgewire import ledger

app = new_app("Show, collect and check the signed chains of nodes, laptops and stewards.")

SHOW_EXAMPLE = "[bold]Example[/bold]: [cyan]hedgerow ledger show oak[/cyan]: what oak has noted of itself."
COLLECT_EXAMPLE = "[bold]Example[/bold]: [cyan]hedgerow ledger collect -p /dev/ttyACM0[/cyan]"
VERIFY_EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow ledger verify[/cyan]: all that your fleet's folder holds.

[cyan]hedgerow ledger verify /media/stick/ledger[/cyan]: a copy that somebody brought.

[cyan]hedgerow ledger verify --evidence found/[/cyan]: the records of each finding as files, for a third person.

Exit codes: 0 nothing is wrong, 1 findings.
"""
NOTE_EXAMPLE = '[bold]Example[/bold]: [cyan]hedgerow ledger note solder -2.5 kg "two rolls for the café"[/cyan]'
_AMOUNT = re.compile(r"[+-]?\d{1,9}(\.\d{1,3})?")
_SHAPE = {verdict.FORK: "✘", verdict.ROLLBACK: "✘", verdict.BROKEN: "✘", verdict.BAD_SIGNATURE: "✘"}


@app.callback()
def group() -> None:
    """Show, collect and check the signed chains of nodes, laptops and stewards."""


@app.command("show", epilog=SHOW_EXAMPLE)
def show(
    who: Annotated[
        str | None, typer.Argument(metavar="[NODE|LAPTOP|STEWARD]", help="A name, or digits of an id.")
    ] = None,
    fleet: FleetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the chains that this folder holds: one line each, or all entries of one."""
    with FleetFolder(fleet_folder(fleet)) as opened:
        names = opened.known_keys
        chains = verdict.judge(opened.ledger.copies, names).chains
    if who is not None:
        chains = {chain.writer: chain for chain in [_the_one(who, chains, names)]}
    if as_json:
        print_json([_chain_facts(chain, names, with_entries=who is not None) for chain in chains.values()])
        return
    if not chains:
        console.print("No ledger is here yet: `hedgerow ledger collect` fetches those of nodes in reach.")
    for chain in sorted(chains.values(), key=lambda chain: _name(names, chain.writer)):
        for line in _chain_lines(chain, names) if who is not None else [_chain_line(chain, names)]:
            console.print(line, markup=False, soft_wrap=True)


@app.command("collect", epilog=COLLECT_EXAMPLE)
def collect(
    nodes: Annotated[list[str] | None, typer.Argument(metavar="[NODE]...", help="These nodes alone.")] = None,
    port: PortOption = None,
    fleet: FleetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch what is new of the ledgers of nodes in reach, with what their neighbours vouch for."""
    with FleetFolder(fleet_folder(fleet)) as opened:
        names = opened.known_keys
        outcome = run(plans.from_ports(opened, port, nodes or ()))
    if as_json:
        print_json(_collection_facts(outcome, names))
    else:
        for one in outcome.collected:
            new = f"{one.new_entries} new" if one.new_entries else "nothing new"
            console.print(f"{one.name}: ledger up to entry {one.seq}, {new}", markup=False, soft_wrap=True)
            if one.false_records:
                console.print(f"  · {one.false_records} records with false signatures were not kept")
            _print_findings(one.findings, names)
        for error in outcome.errors.values():
            error_console.print(f"Error: {error}", markup=False, soft_wrap=True)
    code = max((error.exit_code for error in outcome.errors.values()), default=EXIT_GOOD)
    found = any(one.findings for one in outcome.collected)
    if code := max(code, EXIT_FINDINGS if found else EXIT_GOOD):
        raise typer.Exit(code)


@app.command("verify", epilog=VERIFY_EXAMPLES)
def verify(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="[DIR|FILE]...", help="Pages. Default: those of your fleet.")
    ] = None,
    evidence: Annotated[
        Path | None, typer.Option("--evidence", metavar="DIR", help="Write the records of every finding there.")
    ] = None,
    fleet: FleetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check copies of ledgers, offline: forks, rollbacks, gaps, false signatures, keys that nobody knows."""
    names, folder = _of_the_fleet(fleet, needed=not paths)
    read = ledgers.read(_files(paths or [folder / ledgers.FOLDER if folder else Path()]))
    found = verdict.judge(read.copies, names)
    if evidence is not None:
        for finding in found.findings:
            for page in finding.evidence:
                evidence.mkdir(parents=True, exist_ok=True)
                ledgers.write(evidence, page)
    if as_json:
        print_json(
            {
                "good": not found.findings and not read.damaged,
                "ledgers": [_chain_facts(chain, names or {}, with_entries=False) for chain in found.chains.values()],
                "findings": [_finding_facts(finding, names or {}) for finding in found.findings],
                "damaged_files": {str(path): reason for path, reason in read.damaged},
            }
        )
    else:
        _print_verdict(found, read, names or {}, keys_known=names is not None)
    if found.findings or read.damaged:
        raise typer.Exit(EXIT_FINDINGS)


@app.command("note", epilog=NOTE_EXAMPLE, context_settings={"ignore_unknown_options": True})  # -2.5 is a number
def note(
    what: Annotated[str, typer.Argument(help="What it is: solder, hours, panels.")],
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="How much came (2.5) or went (-2.5).")],
    unit: Annotated[str, typer.Argument(help="Of what unit: kg, h, pieces.")] = "",
    text: Annotated[str, typer.Argument(metavar="[NOTE]", help="A few words.")] = "",
    fleet: FleetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Note in this laptop's ledger what came in or went out. Everybody who has the fleet's folder can read it."""
    if not _AMOUNT.fullmatch(amount):
        raise UsageError(f"{amount!r} is no amount", next_step="Write a number such as 3, 2.5 or -0.125.")
    whole, _, rest = amount.partition(".")
    thousandths = int(whole) * 1000 + int(rest.ljust(3, "0") if rest else 0) * (-1 if amount.startswith("-") else 1)
    fields = {"what": what, "amount_x1000": thousandths, "unit": unit, "note": text}
    with FleetFolder(fleet_folder(fleet)) as opened:
        entry = opened.note("resource", fields)
    if entry is None:
        raise UsageError("this laptop has no key", next_step="Use a laptop that was certified for this fleet.")
    if as_json:
        print_json(_entry_facts(entry))
    else:
        console.print(f"Noted as entry {entry.seq}: {_told(entry, {})}", markup=False, soft_wrap=True)


# ---- parts


def _of_the_fleet(chosen: Path | None, *, needed: bool) -> tuple[dict[bytes, str] | None, Path | None]:
    """Whose keys are known, and where the fleet is; neither where no fleet is at hand and none is needed."""
    try:
        folder = fleet_folder(chosen)
    except UsageError:
        if needed or chosen is not None:
            raise
        return None, None
    with FleetFolder(folder) as opened:
        return opened.known_keys, folder


def _files(paths: list[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = ledgers.files_in(path) or ledgers.files_in(path / ledgers.FOLDER)
            found += inside
        elif path.is_file():
            found.append(path)
        elif path.name != ledgers.FOLDER:
            raise UsageError(f"there is no {path}", next_step="Name a folder with ledger pages, or such files.")
    return found


def _name(names: Mapping[bytes, str], public: bytes) -> str:
    return names.get(public) or key_id(public).hex()


def _the_one(who: str, chains: Mapping[bytes, Chain], names: Mapping[bytes, str]) -> Chain:
    called = [
        chain
        for writer, chain in chains.items()
        if names.get(writer) == who or (len(who) >= 4 and key_id(writer).hex().startswith(who.lower()))
    ]
    if len(called) == 1:
        return called[0]
    here = ", ".join(sorted(_name(names, writer) for writer in chains)) or "none yet"
    raise UsageError(
        f"{len(called)} ledgers are of {who}" if called else f"no ledger of {who} is here",
        state=f"Ledgers that are here: {here}",
        next_step="Give more digits of its id." if called else "`hedgerow ledger collect` fetches those of nodes.",
    )


def _chain_line(chain: Chain, names: Mapping[bytes, str]) -> str:
    parts = [f"{_name(names, chain.writer)}:"]
    parts.append(f"signed up to entry {chain.head[0]}" if chain.head else "nothing signed")
    parts += [f"entries {first} to {last} missing" for first, last in chain.gaps]
    if chain.behind:
        parts.append("entries {} to {} not fetched yet".format(*chain.behind))
    if chain.tail:
        parts.append(f"{len(chain.tail)} not signed yet")
    if chain.vouched:
        parts.append("vouched for by " + ", ".join(sorted(_name(names, key) for key in chain.vouched)))
    return parts[0] + " " + ", ".join(parts[1:])


def _chain_lines(chain: Chain, names: Mapping[bytes, str]) -> list[str]:
    ids = {key_id(public): name for public, name in names.items()}
    lines = [_chain_line(chain, names)]
    lines += [f"  {entry.seq:>5}  {_told(entry, ids)}" for entry in chain.entries]
    return lines + [f"  {entry.seq:>5}  {_told(entry, ids)} (not signed yet)" for entry in chain.tail]


def _told(entry: ledger.Entry, ids: Mapping[bytes, str]) -> str:
    """An entry in a line. What it says of times is its writer's word."""
    fields = dict(entry.fields)
    time_s = fields.pop("time_s", None)
    when = ""
    if isinstance(time_s, int) and 0 < time_s < 1 << 33:
        when = f"{datetime.fromtimestamp(time_s, UTC):%Y-%m-%d %H:%M} "
    amount = fields.pop("amount_x1000", None)
    if entry.kind == "resource" and isinstance(amount, int):
        words = (f"{amount / 1000:+g}", fields.get("unit"), fields.get("what"), fields.get("note"))
        return when + "resource " + " ".join(str(word) for word in words if word)
    told = [f"{key} {_plain(value, ids)}" for key, value in sorted(fields.items())]
    return when + " ".join([entry.kind, *told])


def _plain(value: Any, ids: Mapping[bytes, str]) -> str:
    if isinstance(value, bytes):
        return ids.get(value) or value.hex()[:16]
    return ", ".join(_plain(one, ids) for one in value) if isinstance(value, list) else str(value)


def _print_verdict(found: verdict.Verdict, read: ledgers.Read, names: Mapping[bytes, str], *, keys_known: bool) -> None:
    for path, reason in read.damaged:
        console.print(f"✘ {path} is no ledger page: {reason}", markup=False, soft_wrap=True)
    _print_findings(found.findings, names)
    if not keys_known:
        console.print("No fleet is at hand, so nobody can say whose keys these are (--fleet names one).")
    count = len(found.findings) + len(read.damaged)
    entries = sum(len(chain.entries) for chain in found.chains.values())
    good = "✔ nothing is wrong" if not count else f"✘ {count} finding{'s' if count > 1 else ''}"
    chains = len(found.chains)
    console.print(f"{good}: {entries} signed entries in {chains} ledger{'' if chains == 1 else 's'}")


def _print_findings(findings: tuple[Finding, ...], names: Mapping[bytes, str]) -> None:
    for finding in findings:
        shape = _SHAPE.get(finding.kind, "▲")
        console.print(
            f"{shape} {_name(names, finding.writer)}: {finding.kind}: {finding.what}", markup=False, soft_wrap=True
        )
        for row in _records(finding):
            if row["type"] == "head":
                proof = f"head {row['seq']} {row['digest'][:16]}… signed {row['signature'][:16]}…"
                console.print(f"    {proof} by key {row['writer'][:16]}…", markup=False, soft_wrap=True)


def _collection_facts(outcome: plans.Collection, names: Mapping[bytes, str]) -> dict[str, Any]:
    return {
        "nodes": [
            {
                "node": one.name,
                "id": one.node_id,
                "seq": one.seq,
                "new_entries": one.new_entries,
                "false_records": one.false_records,
                "findings": [_finding_facts(finding, names) for finding in one.findings],
            }
            for one in outcome.collected
        ],
        "errors": {name: error.as_dict() for name, error in outcome.errors.items()},
    }


def _chain_facts(chain: Chain, names: Mapping[bytes, str], *, with_entries: bool) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "writer": chain.writer,
        "id": key_id(chain.writer),
        "name": names.get(chain.writer),
        "signed_seq": chain.head[0] if chain.head else 0,
        "gaps": [list(gap) for gap in chain.gaps],
        "not_fetched": list(chain.behind) if chain.behind else None,
        "unsigned": len(chain.tail),
        "vouched_for_by": sorted(key_id(key).hex() for key in chain.vouched),
    }
    if with_entries:
        facts["entries"] = [_entry_facts(entry) for entry in [*chain.entries, *chain.tail]]
    return facts


def _entry_facts(entry: ledger.Entry) -> dict[str, Any]:
    return {"seq": entry.seq, "kind": entry.kind, "fields": entry.fields, "digest": entry.digest}


def _finding_facts(finding: Finding, names: Mapping[bytes, str]) -> dict[str, Any]:
    return {
        "writer": finding.writer,
        "name": names.get(finding.writer),
        "kind": finding.kind,
        "what": finding.what,
        "records": _records(finding),
        "pages": [page.hex() for page in finding.evidence],
    }


def _records(finding: Finding) -> list[dict[str, Any]]:
    """The records of a finding with all that a third person needs: what was signed, by which key, the signature."""
    rows: list[dict[str, Any]] = []
    for data in finding.evidence:
        page = ledger.decode_page(data)
        assert isinstance(page, ledger.Page)  # we have made it
        writer = page.writer.hex()
        rows += [
            {"type": "entry", "writer": writer, "seq": one.seq, "bytes": one.data.hex(), "digest": one.digest.hex()}
            for one in page.entries
        ]
        for seq, digest, signature in page.heads:
            statement = ledger.head_statement(seq, digest).hex()
            rows.append(
                {
                    "type": "head",
                    "writer": writer,
                    "seq": seq,
                    "digest": digest.hex(),
                    "signed": statement,
                    "signature": signature.hex(),
                }
            )
        for seq, digest, by, signature in page.witnesses:
            statement = ledger.witness_statement(page.writer, seq, digest).hex()
            row = {"type": "witness", "writer": writer, "seq": seq, "digest": digest.hex(), "witness": by.hex()}
            rows.append({**row, "signed": statement, "signature": signature.hex()})
    return rows
