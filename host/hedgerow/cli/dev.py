"""`hedgerow dev`: restart a node with its program and watchdog off, to work on it. Parses, calls, prints."""

from typing import Annotated

import typer

from hedgerow.cli.keyring import credentials_of
from hedgerow.cli.main import run
from hedgerow.cli.options import FleetOption, JsonOption, PortOption, console, new_app, print_json
from hedgerow.plans.dev_mode import restart_in_dev_mode

app = new_app("Restart a node with its program and watchdog off, to work on it.")

EXAMPLES = """[bold]Example[/bold]

[cyan]hedgerow dev beech[/cyan], then [cyan]mpremote connect /dev/ttyUSB0[/cyan]. Pull its power to end it.
"""


@app.command(epilog=EXAMPLES)
def dev(
    node: Annotated[str | None, typer.Argument(metavar="[NODE]", help="Name, short number or id.")] = None,
    port: PortOption = None,
    fleet: FleetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Restart a node without main.py and watchdog until its power is cut. What it stores stays as it is."""
    done = run(restart_in_dev_mode(node, port, credentials=credentials_of(fleet)))
    if as_json:
        print_json(done)
        return
    console.print(f"✔ {done.node} is at its MicroPython prompt on {done.port}.", markup=False)
    console.print("Its program and its watchdog stay off until you cut its power.")
