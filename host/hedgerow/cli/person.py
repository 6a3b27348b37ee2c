"""`hedgerow person`: addresses of people, each a key of their own. Parses, calls, prints."""

from pathlib import Path
from typing import Annotated

import typer

from hedgerow.cli.options import FleetOption, JsonOption, console, fleet_folder, new_app, print_json
from hedgerow.errors import UsageError
from hedgerow.fleet import keys, words
from hedgerow.fleet.folder import FleetFolder
from hedgerow.fleet.keyring import PERSON, Holder, Keyring
from hedgerow.fleet.people import Person
from hedgerow.fleet.secrets_file import PERSON as KEY_OF_A_PERSON
from hedgewire.cbor import Damage

app = new_app("Addresses of people: a key of their own, to write and to be written to.")

NEW_EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow person new Ana[/cyan]: a new key on this laptop; its public half goes to the others as a document.

[cyan]hedgerow person new Ana --words "abandon ability ... zoo"[/cyan]: the key that Ana has on paper.
"""
SHOW_EXAMPLE = "[bold]Example[/bold]: [cyan]hedgerow person show[/cyan]"
EXPORT_EXAMPLE = (
    "[bold]Example[/bold]: [cyan]hedgerow person export Ana[/cyan]: 24 words for a piece of paper, or for memory."
)


@app.command("new", epilog=NEW_EXAMPLES)
def new(
    name: Annotated[str, typer.Argument(help="What people call them.")],
    from_words: Annotated[
        str | None, typer.Option("--words", metavar="WORDS", help="The 24 words of a key that there is already.")
    ] = None,
    fleet: FleetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a person's key, and tell the fleet its public half."""
    name = name.strip()
    with FleetFolder(fleet_folder(fleet)) as opened:
        if not name or name in opened.secrets.persons or Keyring.of(opened).named(name) is not None:
            raise UsageError(
                f"{name or 'a person without a name'} cannot be made here: somebody is called so already"
                if name
                else "a person needs a name"
            )
        seed = keys.new_seed() if from_words is None else _seed_of(from_words)
        person = Person(name, keys.public_of(seed))
        opened.keep_secrets(opened.secrets.with_key(KEY_OF_A_PERSON, name, seed))
        opened.sign(person.to_document(), seed)
        locked = opened.secrets.is_locked
    if as_json:
        print_json(_facts(Holder(name, PERSON, person.public), here=True))
        return
    console.print(f"✔ {name} can write, and be written to: {words.fingerprint(person.public)}", soft_wrap=True)
    console.print(
        "The key is on this laptop"
        + (", under your passphrase." if locked else ", in clear: `hedgerow fleet lock` puts a passphrase on it.")
        + f" `hedgerow person export {name}` gives it as words for paper.",
        soft_wrap=True,
    )


@app.command("show", epilog=SHOW_EXAMPLE)
def show(
    name: Annotated[str | None, typer.Argument(help="Who; everybody if nobody is named.")] = None,
    fleet: FleetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show who can be written to, and which keys are on this laptop."""
    folder = fleet_folder(fleet)
    with FleetFolder(folder) as opened:
        keyring = Keyring.of(opened)
    found = [one for one in keyring.holders.values() if one.kind == PERSON and name in (None, one.name)]
    if name is not None and not found:
        raise _nobody(name, keyring)
    own = {one.holder.public for one in keyring.own.values()}
    rows = [_facts(one, here=one.public in own) for one in sorted(found, key=lambda one: one.name)]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        place = "key on this laptop" if row["key_here"] else "key elsewhere"
        console.print(f"[bold]{row['name']}[/bold] ({row['id']}), {place}: {row['fingerprint']}", soft_wrap=True)
        if row["lent_by"]:
            console.print(
                f"  node {row['lent_by']} lends its key: whoever holds that node can read what is sealed to it"
            )
    if not rows:
        console.print("Nobody yet: `hedgerow person new NAME` makes a key.")


@app.command("export", epilog=EXPORT_EXAMPLE)
def export(
    name: Annotated[str, typer.Argument(help="Whose key.")],
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="Write the words to a new file instead of the screen.")
    ] = None,
    fleet: FleetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a person's key as words. Whoever has them can read and write as that person."""
    with FleetFolder(fleet_folder(fleet)) as opened:
        key = opened.secrets.persons.get(name)
        if key is None:
            raise _nobody(name, Keyring.of(opened))
        said = " ".join(words.words_of(key.seed))
    if to is not None:
        try:
            with to.open("x", encoding="utf-8") as file:
                file.write(said + "\n")
        except OSError as error:
            raise UsageError(f"{to} cannot be made: {error.strerror}", next_step="Name a new file.") from error
        to.chmod(0o600)
    if as_json:
        print_json({"name": name, "words": said.split(" ") if to is None else None, "file": to})
    elif to is None:
        console.print(said, soft_wrap=True)
    else:
        console.print(f"✔ the words of {name} are in {to}; only you can read that file.", soft_wrap=True)


def _seed_of(said: str) -> bytes:
    found = words.bytes_of(said.split())
    if isinstance(found, Damage) or len(found) != keys.SEED_BYTES:
        why = found.reason if isinstance(found, Damage) else "a key has 24 words"
        raise UsageError(f"these words are no key: {why}", next_step="Compare them with the paper, and try again.")
    return found


def _facts(one: Holder, *, here: bool) -> dict:
    return {
        "name": one.name,
        "id": keys.key_id(one.public).hex(),
        "public": one.public.hex(),
        "fingerprint": words.fingerprint(one.public),
        "key_here": here,
        "lent_by": one.lent_by,
    }


def _nobody(name: str, keyring: Keyring) -> UsageError:
    known = sorted(one.name for one in keyring.holders.values() if one.kind == PERSON)
    return UsageError(
        f"no key of {name} is here",
        state="Persons here: " + (", ".join(known) or "none"),
        next_step="`hedgerow person new NAME` makes one.",
    )
