"""Knows what `revoke` and `rotate` have in common: bring papers to the nodes, say what came of it. Parses nothing."""

from typing import Any

from hedgerow.cli.main import run
from hedgerow.cli.options import console, error_console
from hedgerow.fleet.folder import FleetFolder
from hedgerow.fleet.revoking import Target
from hedgerow.plans import drill, seizure, seizure_report

MARKS = {
    seizure_report.CONFIRMED: "✔",
    seizure_report.ANSWERED: "✔",
    seizure_report.NO_ROOM: "·",
    seizure_report.CARRIED: "→",
    seizure_report.OUT_OF_REACH: "…",
}


def tell(opened: FleetFolder, gone: Target | None, port: list[str] | None) -> dict[str, Any]:
    """Bring what is in force to the nodes on these ports, and return what stands where then."""
    carried = run(drill.carry(opened, port, gone))
    facts = seizure_report.facts(opened, seizure.look(opened, gone))
    facts["told"] = carried.told
    facts["refused"] = carried.refused
    facts["failed"] = {name: str(error) for name, error in carried.failed.items()}
    return facts


def show(facts: dict[str, Any]) -> None:
    """For people."""
    for need in facts["needs"]:
        console.print(f"It needs {need}. Next: `hedgerow charter sign`, then the same command again.", soft_wrap=True)
    for one in facts["groups"]:
        size = " + ".join(str(count) for count in one["documents"])
        state = "" if one["in_force"] else ", not in force yet"
        console.print(
            f"Group [bold]{one['name']}[/bold]: a new key for {one['members']} from epoch {one['epoch']} on"
            f" ({size} B){state}.",
            soft_wrap=True,
        )
    if facts["groups"]:
        for node in facts["nodes"]:
            lacks = f": {', '.join(node['lacks'])}" if node["lacks"] else ""
            console.print(f"  {MARKS[node['state']]} {node['name']} {node['state']}{lacks}", soft_wrap=True)
        if facts["no_room_for_keys"]:
            names = ", ".join(facts["no_room_for_keys"])
            console.print(f"No keys of groups fit on {names}: they carry messages and read public ones.")
    if facts["holder"] is not None:
        _show_holder(facts["revoked"], facts["holder"])
    for line in facts.get("refused", ()):
        console.print(f"  {line}", soft_wrap=True)
    for name, why in facts.get("failed", {}).items():
        error_console.print(f"{name}: {why}", soft_wrap=True, markup=False)
    if facts["waiting"] and facts["in_force"] and facts["groups"]:
        console.print("Papers spread from node to node. Run the same command again beside one, or with --status.")


def _show_holder(gone: dict[str, Any], holder: dict[str, Any]) -> None:
    console.print(f"Whoever has the {gone['kind']} {gone['name']} can read:", soft_wrap=True)
    for line in holder["in_words"]:
        console.print(f"  {line}", soft_wrap=True, markup=False)
