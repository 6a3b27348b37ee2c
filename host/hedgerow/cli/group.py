"""`hedgerow group`: make groups, let people and nodes in, show them. Parses, calls, prints."""

from typing import Annotated

import typer

from hedgerow.cli.options import FleetOption, JsonOption, console, fleet_folder, new_app, print_json
from hedgerow.errors import UsageError
from hedgerow.fleet import group_work, groups, keys
from hedgerow.fleet.folder import FleetFolder
from hedgerow.fleet.groups import FLEET_NAME, Group
from hedgerow.fleet.keyring import Holder, Keyring

app = new_app("Groups: who reads together.")

NEW_EXAMPLE = "[bold]Example[/bold]: [cyan]hedgerow group new bakers[/cyan]"
ADD_EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow group add bakers pear Ana[/cyan]: the node pear, at its next `hedgerow provision`, and the person Ana.

[cyan]hedgerow group add fleet anas-laptop[/cyan]: another laptop, so that it can give nodes the fleet's own key.
"""
SHOW_EXAMPLE = "[bold]Example[/bold]: [cyan]hedgerow group show[/cyan]"


@app.command("new", epilog=NEW_EXAMPLE)
def new(
    name: Annotated[str, typer.Argument(help="What people call it.")],
    fleet: FleetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a group; this laptop is its first member."""
    with FleetFolder(fleet_folder(fleet)) as opened:
        keyring = Keyring.of(opened)
        if any(one.name == name for one in keyring.groups.by_id.values()):
            raise UsageError(f"there is a group {name} already")
        made = group_work.found(opened, groups.new_group(opened.charter.fleet_id, name))
        if as_json:
            print_json(_facts(made, Keyring.of(opened)))
            return
    console.print(
        f"✔ group {name} ({made.group.hex()}). Let people and nodes in with `hedgerow group add {name} WHO...`.",
        soft_wrap=True,
    )


@app.command("add", epilog=ADD_EXAMPLES)
def add(
    name: Annotated[str, typer.Argument(help="Which group.")],
    who: Annotated[list[str], typer.Argument(help="Nodes, persons or laptops, by name.")],
    fleet: FleetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let nodes, people and laptops into a group: they read what is written from now on, and what is still kept."""
    with FleetFolder(fleet_folder(fleet)) as opened:
        keyring = Keyring.of(opened)
        chosen = keyring.groups.named(name)
        found = [_holder(one, keyring) for one in who]
        group_work.add(opened, chosen, [one.public for one in found])
        facts = _facts(chosen, Keyring.of(opened))
    if as_json:
        print_json(facts)
        return
    console.print(f"✔ in group {chosen.name} now: {', '.join(str(one) for one in found)}.", soft_wrap=True)
    if any(one.kind == "node" for one in found):
        console.print("A node gets the key at its next `hedgerow provision`.")


@app.command("show", epilog=SHOW_EXAMPLE)
def show(
    name: Annotated[str | None, typer.Argument(help="Which group; all of them if none is named.")] = None,
    fleet: FleetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show groups and who is in them."""
    with FleetFolder(fleet_folder(fleet)) as opened:
        keyring = Keyring.of(opened)
    known = keyring.groups
    chosen = sorted(known.by_id.values()) if name is None else [known.named(name)]
    rows = [_facts(one, keyring) for one in chosen]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        console.print(f"[bold]{row['name']}[/bold] ({row['id']}): {', '.join(row['members'])}", soft_wrap=True)


def _holder(name: str, keyring: Keyring) -> Holder:
    found = keyring.named(name) or next((one for one in keyring.holders.values() if one.name == name), None)
    if found is None:
        raise UsageError(
            f"nobody here is called {name!r}",
            state="Known: " + ", ".join(sorted(one.name for one in keyring.holders.values())),
            next_step="`hedgerow person show` and `hedgerow fleet show` list who there is.",
        )
    return found


def _facts(one: Group, keyring: Keyring) -> dict:
    members = [
        str(keyring.holders[key]) if (key := keys.key_id(public)) in keyring.holders else key.hex()
        for public in keyring.groups.members.get(one.group, ())
    ]
    everybody = ["every node of the fleet"] if one.name == FLEET_NAME and one.group == one.fleet else []
    return {"name": one.name, "id": one.group.hex(), "members": [*everybody, *sorted(members)]}
