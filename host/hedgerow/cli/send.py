"""`hedgerow send`: hand a message to a node, to be carried to another. Parses, calls, prints."""

from typing import Annotated, Any

import typer

from hedgerow.cli.main import run
from hedgerow.cli.names import names_of_fleet
from hedgerow.cli.options import FleetOption, JsonOption, PortOption, console, new_app, print_json
from hedgerow.errors import UsageError
from hedgerow.plans import reach

app = new_app("Hand a message to a node, to be carried to another.")

EXAMPLES = """[bold]Examples[/bold]

[cyan]hedgerow send elder "The ladder is back" -p u0[/cyan]: to one node; the node on u0 takes it and passes it on.

[cyan]hedgerow send --public "Market on Sunday" -p u0[/cyan]: to everyone.
"""


@app.command(epilog=EXAMPLES)
def send(
    words: Annotated[
        list[str], typer.Argument(metavar="[NODE] TEXT", help="To whom (name or short number), and what.")
    ],
    to: Annotated[str | None, typer.Option("--to", help="To whom; then the argument is the text alone.")] = None,
    public: Annotated[bool, typer.Option("--public", help="To everyone.")] = False,
    via: Annotated[str | None, typer.Option("--via", help="Which node takes it, if several are plugged in.")] = None,
    port: PortOption = None,
    fleet: FleetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Post a message at a node. It is safe there when this command ends well; it arrives when paths cross."""
    who, text = recipient_and_text(words, to, public)
    names = names_of_fleet(fleet)
    answer = run(_post(reach.recipient(who, names), text, via, port))
    if as_json:
        print_json(answer)
        return
    whom = "everyone" if answer["to"] == reach.EVERYONE else names.get(answer["to"], answer["to"])
    console.print(
        f"✔ message {answer['id'].hex()[:8]} to {whom} is safe at {answer['at']} and waits there to be carried."
    )


def recipient_and_text(words: list[str], to: str | None, public: bool) -> tuple[str, str]:
    """What a person meant by these words; UsageError if it could be two things."""
    if to is not None and public:
        raise UsageError("--to and --public exclude each other", next_step="Give one of them.")
    whom = "everyone" if public else to
    if whom is None:
        if len(words) != 2:
            raise UsageError(
                "a message needs a recipient and one text",
                next_step='Write `hedgerow send NODE "TEXT"`, with the text in quotation marks.',
            )
        whom, text = words
    elif len(words) != 1:
        raise UsageError("this is more than one text", next_step="Put the text in quotation marks.")
    else:
        text = words[0]
    if not text.strip():
        raise UsageError("the text is empty")
    return whom, text


async def _post(to: int, text: str, via: str | None, port: list[str] | None) -> dict[str, Any]:
    async with reach.one_node(via, port) as reached:
        answer = await reached.session.ask("post", {"to": to, "text": text})
        return {"id": bytes(answer["id"]), "to": to, "at": reached.name}
