"""`hedgerow dev`: restart a node with its program and watchdog off, to work on it. Parses, calls, prints."""

import asyncio
import contextlib
import time
from typing import Annotated, Any

import typer

from hedgerow.cli.main import run
from hedgerow.cli.options import JsonOption, PortOption, console, new_app, print_json
from hedgerow.errors import LinkError, VerificationError
from hedgerow.plans import reach
from hedgerow.session import Answering, Recognised, Session
from hedgerow.transports import ports

app = new_app("Restart a node with its program and watchdog off, to work on it.")

EXAMPLES = """[bold]Example[/bold]

[cyan]hedgerow dev beech[/cyan], then [cyan]mpremote connect /dev/ttyUSB0[/cyan]. Pull its power to end it.
"""
RESTART_S = 20.0
LOOK_EVERY_S = 0.5


@app.command(epilog=EXAMPLES)
def dev(
    node: Annotated[str | None, typer.Argument(metavar="[NODE]", help="Name, short number or id.")] = None,
    port: PortOption = None,
    as_json: JsonOption = False,
) -> None:
    """Restart a node without main.py and watchdog until its power is cut. What it stores stays as it is."""
    done = run(_restart(node, port))
    if as_json:
        print_json(done)
        return
    console.print(f"✔ {done['node']} is at its MicroPython prompt on {done['port']}: {done['banner'] or ''}")
    console.print("Its program and its watchdog stay off until you cut its power.")


async def _restart(who: str | None, port: list[str] | None) -> dict[str, Any]:
    async with reach.one_node(who, port) as reached:
        # The answer may be lost in the restart; what counts is what the port shows afterwards.
        with contextlib.suppress(LinkError):
            await reached.session.ask("dev", timeout_s=2.0)
        name, path = reached.name, reached.port
    found = await _wait_for_prompt(name, path)
    return {"node": name, "port": path, "banner": found.banner}


async def _wait_for_prompt(name: str, path: str) -> Recognised:
    """Look until the prompt answers; a board with USB of its own takes its port away while it restarts."""
    end = time.monotonic() + RESTART_S
    found = None
    while time.monotonic() < end:
        with contextlib.suppress(LinkError):
            async with Session(await ports.connect(path), name=name) as session:
                found = await session.recognise()
                if found.answering is Answering.PROMPT:
                    return found
        await asyncio.sleep(LOOK_EVERY_S)
    still = "its program still answers" if found and found.answering is Answering.HEDGEROW else "no prompt answers"
    raise VerificationError(
        f"{still} {RESTART_S:.0f} s after it was asked to restart", node=name, next_step="Run the same command again."
    )
