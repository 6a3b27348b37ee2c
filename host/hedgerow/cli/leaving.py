"""Knows what `secede` and `merge` have in common: bring the nodes over, say what came of it. Parses nothing itself."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hedgerow.cli.main import run
from hedgerow.cli.options import console, error_console
from hedgerow.errors import EXIT_FINDINGS, EXIT_GOOD
from hedgerow.fleet import words
from hedgerow.fleet.folder import FleetFolder
from hedgerow.plans import credentials, moving, parting
from hedgerow.plans.moving import Carriage, Carrier, Report
from hedgerow.plans.parting import Journey


@dataclass
class Outcome:
    """What stands where at the end, for people and for `--json`."""

    made: dict[str, Any]
    moved: list[str] = field(default_factory=list)
    on_the_way: dict[str, str] = field(default_factory=dict)  # node: who carries its papers
    waiting: dict[str, str] = field(default_factory=dict)  # node: whose word is missing
    not_reached: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    new_key: dict[str, str] = field(default_factory=dict)  # fleet: where its new key stands

    @property
    def exit_code(self) -> int:
        return EXIT_FINDINGS if self.failed else EXIT_GOOD


def facts_of(made: FleetFolder) -> dict[str, Any]:
    charter = made.charter_at_hand
    return {
        "name": charter.name,
        "id": charter.fleet_id.hex(),
        "folder": str(made.path.resolve()),
        "charter": charter.version,
        "words": words.fingerprint(charter.digest),
    }


def bring_over(origins: Sequence[FleetFolder], made: FleetFolder, port: list[str] | None, *, quiet: bool) -> Outcome:
    """Carry everything to the nodes in reach, and note what they said."""
    outcome = Outcome(facts_of(made))

    def tell(line: str) -> None:
        if not quiet:
            error_console.print(line, soft_wrap=True)

    for origin in origins:
        going = parting.journeys(origin, made)
        carriage = Carriage(
            origin.fleet_id,
            tuple(going),
            tuple(parting.neighbour_papers(origin, made.fleet_id)),
            tuple(parting.neighbour_papers(made, origin.fleet_id)),
        )
        keys = credentials.of(origin, made)
        carrier = Carrier(moving.ports_of(port), credentials=keys)
        report = run(carrier.carry(carriage, tell))
        parting.note_moved(made, report.moved)
        _note(outcome, going, report, made)
        papers = parting.shut_out(origin, made)
        if papers:
            rest = run(
                Carrier(moving.ports_of(port), credentials=keys).carry(Carriage(origin.fleet_id, (), tuple(papers)))
            )
            outcome.failed |= {name: str(error) for name, error in rest.failed.items()}
            reached = ", ".join(rest.told) or "nobody in reach"
            outcome.new_key[origin.charter.name] = f"given to {reached}; from there it spreads"
    return outcome


def _note(outcome: Outcome, going: list[Journey], report: Report, made: FleetFolder) -> None:
    gone = parting.has_moved(made)
    for journey in going:
        node = journey.former.node_id
        if node in gone:
            outcome.moved.append(journey.name)
        elif journey.lacks is not None:
            outcome.waiting[journey.name] = journey.lacks
        elif node in report.sent:
            outcome.on_the_way[journey.name] = report.sent[node]
        else:
            outcome.not_reached.append(journey.name)
    outcome.failed |= {name: str(error) for name, error in report.failed.items()}


def show(outcome: Outcome) -> None:
    """For people."""
    made = outcome.made
    console.print(f"Fleet [bold]{made['name']}[/bold] ({made['id']}) is in {made['folder']}.", soft_wrap=True)
    console.print(f"Its charter in words: {made['words']}", soft_wrap=True)
    for name in outcome.moved:
        console.print(f"✔ {name} has moved")
    for name, carrier in outcome.on_the_way.items():
        console.print(f"→ {name} is out of reach; {carrier} carries its papers to it", soft_wrap=True)
    for name in outcome.not_reached:
        console.print(f"… {name} is out of reach: run the same command again beside it", soft_wrap=True)
    for name, lacks in outcome.waiting.items():
        console.print(f"… {name} stays where it is: {lacks}", soft_wrap=True)
    for name, where in outcome.new_key.items():
        console.print(f"{name} has a new key, which those who left do not have: {where}", soft_wrap=True)
    for name, why in outcome.failed.items():
        console.print(f"✘ {name}: {why}", soft_wrap=True)
    if outcome.not_reached or outcome.waiting or outcome.failed:
        console.print("Run the same command again: it does what is left.")
