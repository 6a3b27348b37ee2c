"""`hedgerow send`: hand a message to a node, to be carried to another. Parses, calls, prints."""

from typing import Annotated

import typer

from hedgerow.cli.keyring import credentials_of, keyring_of
from hedgerow.cli.main import run
from hedgerow.cli.options import FleetOption, JsonOption, PortOption, console, new_app, print_json
from hedgerow.errors import UsageError
from hedgerow.fleet.keyring import Keyring
from hedgerow.plans import letters, reach
from hedgerow.plans.letters import Letter
from hedgerow.session import Credentials
from hedgewire import message

app = new_app("Hand a message to a node, to be carried to another.")

EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow send Ana "The ladder is back" -p u0[/cyan]: sealed to Ana; the node on u0 takes it and cannot read it.

[cyan]hedgerow send --group bakers "The oven is on" -p u0[/cyan]: to a group; only its members read it.

[cyan]hedgerow send --public "Market on Sunday" -p u0[/cyan]: to everyone, signed with your key if there is one.
"""
LAYERS = {message.PUBLIC: "public", message.GROUP: "group", message.SEALED: "sealed"}


@app.command(epilog=EXAMPLES)
def send(
    words: Annotated[
        list[str],
        typer.Argument(metavar="[WHOM] TEXT", help="To whom (a person, or a node), and what."),
    ],
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="WHOM", help="A person or a node; the argument is the text alone."),
    ] = None,
    group: Annotated[str | None, typer.Option("--group", metavar="G", help="To the members of a group.")] = None,
    public: Annotated[bool, typer.Option("--public", help="To everyone.")] = False,
    as_person: Annotated[
        str | None, typer.Option("--as", metavar="PERSON", help="Whose key signs it, if several are on this laptop.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="NODE", help="Where the person reads: cheaper, but tells where."),
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="To a node, readable for all who carry it.")] = False,
    via: Annotated[str | None, typer.Option("--via", help="Which node takes it, if several are plugged in.")] = None,
    port: PortOption = None,
    fleet: FleetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Post a message at a node. It is safe there when this command ends well; it arrives when paths cross."""
    who, text = recipient_and_text(words, to, public, group)
    keyring = keyring_of(fleet)
    letter = letter_for(keyring, who, text, group=group, at=at, author=as_person, clear=clear)
    bundle_id, node = run(_post(letter, via, port, credentials_of(fleet)))
    if as_json:
        print_json(as_dict(letter, bundle_id, node))
        return
    for line in told(letter, bundle_id, node, keyring):
        console.print(line, soft_wrap=True, markup=False)


def recipient_and_text(words: list[str], to: str | None, public: bool, group: str | None = None) -> tuple[str, str]:
    """What a person meant by these words; UsageError if it could be two things."""
    if (to is not None) + public + (group is not None) > 1:
        raise UsageError("--to, --group and --public exclude each other", next_step="Give one of them.")
    whom = "everyone" if public or group is not None else to
    if whom is None:
        if len(words) != 2:
            raise UsageError(
                "a message needs a recipient and one text",
                next_step='Write `hedgerow send WHOM "TEXT"`, with the text in quotation marks.',
            )
        whom, text = words
    elif len(words) != 1:
        raise UsageError("this is more than one text", next_step="Put the text in quotation marks.")
    else:
        text = words[0]
    if not text.strip():
        raise UsageError("the text is empty")
    return whom, text


def letter_for(
    keyring: Keyring,
    who: str,
    text: str,
    *,
    group: str | None = None,
    at: str | None = None,
    author: str | None = None,
    clear: bool = False,
) -> Letter:
    """The letter that was meant. Sealed wherever the recipient has a key and nobody asked for `clear`."""
    signer = keyring.author(author)
    if group is not None:
        return Letter(text, group=keyring.groups.named(group), author=signer)
    if who == "everyone":
        return Letter(text, author=signer)
    reader = keyring.named(who)
    to = reach.recipient(at, keyring.names) if at is not None else None
    if reader is None or clear or (reader.too_small and not reader.lent_by):
        if reader is not None and reader.short is None:
            raise UsageError(f"{reader} is a person, and a person's message is sealed", next_step="Leave --clear away.")
        return Letter(text, reach.recipient(who, keyring.names) if reader is None else reader.short or 0, author=signer)
    where = to if to is not None else reader.short if reader.short is not None else letters.EVERYONE
    return Letter(text, where, reader=reader, author=signer)


def told(letter: Letter, bundle_id: bytes, node: str, keyring: Keyring) -> list[str]:
    """What a person has to know: where it is, for whom, and who can read it on the way."""
    to = "everyone" if letter.to == letters.EVERYONE else str(keyring.names.get(letter.to, letter.to))
    whom = f"group {letter.group.name}" if letter.group else letter.reader.name if letter.reader else to
    lines = [f"✔ message {bundle_id.hex()[:8]} to {whom} is safe at {node} and waits there to be carried."]
    by = f"signed by {letter.author.holder.name}" if letter.author else "unsigned"
    if letter.reader is not None:
        lines.append(f"  sealed, {by}: only {letter.reader} can read it.")
        if letter.reader.lent_by:
            lines.append(f"  Node {letter.reader.lent_by} lends that key: whoever holds the node can read it, too.")
    elif letter.group is not None:
        lines.append(f"  for members of {letter.group.name} only, {by}.")
    else:
        lines.append(f"  in clear, {by}: everybody who carries it can read it.")
        there = keyring.node(letter.to)
        if there is not None and there.too_small:
            lines.append(f"  The board of {there.name}, {there.too_small}, has no room to open a sealed message.")
    return lines


def as_dict(letter: Letter, bundle_id: bytes, node: str) -> dict:
    return {
        "id": bundle_id,
        "to": letter.to,
        "at": node,
        "layer": LAYERS[letter.layer],
        "group": letter.group.name if letter.group else None,
        "sealed_to": letter.reader.name if letter.reader else None,
        "signed_by": letter.author.holder.name if letter.author else None,
    }


async def _post(letter: Letter, via: str | None, port: list[str] | None, keys: Credentials | None) -> tuple[bytes, str]:
    async with reach.one_node(via, port, credentials=keys) as reached:
        return await letters.post(reached.session, letter), reached.name
