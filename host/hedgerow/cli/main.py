"""Knows which commands exist; knows nothing of what they do or how a run ends.

A command's module is imported when the command is called, not before: `--version` needs neither Typer nor Rich, and
`--help` none of the commands. A command whose module is not there is not listed.
"""

import sys
from collections.abc import Coroutine, Sequence
from typing import Any, NamedTuple, TypeVar

from hedgerow import __version__
from hedgerow.errors import EXIT_GOOD, FleetError

Answer = TypeVar("Answer")


class Entry(NamedTuple):
    """One line of the command table. `help` is one sentence; it is shown without importing the module."""

    module: str
    help: str
    hidden: bool = False


COMMANDS: dict[str, Entry] = {
    "demo": Entry("hedgerow.cli.demo", "See the whole of it: six virtual boards, a message that survives, an audit."),
    "virtual": Entry("hedgerow.cli.virtual", "Start, list and stop virtual boards."),
    "devices": Entry("hedgerow.cli.devices", "List the serial ports and what is behind them."),
    "devs": Entry("hedgerow.cli.devices", "Short for `devices`.", hidden=True),
    "identify": Entry("hedgerow.cli.identify", "Blink a node, so that you find it among others."),
    "doctor": Entry("hedgerow.cli.doctor", "Find out why this machine cannot reach a board, and what to do."),
    "images": Entry("hedgerow.cli.images", "Keep firmware images, so that flashing needs no network."),
    "flash": Entry("hedgerow.cli.flash", "Put MicroPython onto boards, several at once, and read it back."),
    "fleet": Entry("hedgerow.cli.fleet", "Found a fleet, show it, join it from another laptop or from its nodes."),
    "charter": Entry("hedgerow.cli.charter", "Show, change and sign what the stewards decide together."),
    "laptop": Entry("hedgerow.cli.laptop", "Say what this laptop may do, ask for it, or answer another's request."),
    "revoke": Entry("hedgerow.cli.revoke", "Put out a captured node, a stolen laptop or a steward's key."),
    "rotate": Entry("hedgerow.cli.rotate", "Give every group a new key, with nobody put out."),
    "keys": Entry("hedgerow.cli.keys", "Lock the keys on this laptop, or turn one into words and back."),
    "prepare": Entry("hedgerow.cli.prepare", "Make boards into nodes that wait for whoever holds their label."),
    "plan": Entry("hedgerow.cli.plan", "Show what provisioning would change, and change nothing."),
    "provision": Entry("hedgerow.cli.provision", "Make boards into nodes of your fleet; run it again to resume."),
    "release": Entry("hedgerow.cli.release", "Build what nodes are to run, have it signed by your stewards."),
    "update": Entry("hedgerow.cli.update", "Bring nodes to a release; only what they lack travels."),
    "station": Entry("hedgerow.cli.station", "Plug boards in; it flashes, installs, tests, labels and records."),
    "dev": Entry("hedgerow.cli.dev", "Restart a node with its program and watchdog off, to work on it."),
    "rescue": Entry("hedgerow.cli.rescue", "Put files onto a board that speaks an old or odd MicroPython."),
    "audit": Entry("hedgerow.cli.audit", "Compare every node with what your fleet says it should be."),
    "leave": Entry("hedgerow.cli.leave", "End a visit: check everything, note it, and say GO or STAY and why."),
    "ledger": Entry("hedgerow.cli.ledger", "Show, collect and check the signed chains of nodes and laptops."),
    "status": Entry("hedgerow.cli.status", "One screen: who a node is, how it is, and what is wrong with it now."),
    "neighbours": Entry(
        "hedgerow.cli.neighbours", "List whom a node hears on its radio, and with --probe who hears it."
    ),
    "samples": Entry("hedgerow.cli.samples", "Fetch the sensor data that a node has logged."),
    "logs": Entry("hedgerow.cli.logs", "Read a node's log, or follow it live with -f."),
    "person": Entry("hedgerow.cli.person", "Addresses of people: make a key, show it, write it on paper."),
    "group": Entry("hedgerow.cli.group", "Groups: make one, let people and nodes in, show who reads together."),
    "send": Entry("hedgerow.cli.send", "Hand a message to a node, to be carried to another."),
    "inbox": Entry("hedgerow.cli.inbox", "Read what has arrived at a node; least-heard authors first."),
    "carry": Entry(
        "hedgerow.cli.carry", "Carry messages between nodes that never meet, by laptop, stick or telephone."
    ),
    "gather": Entry("hedgerow.cli.gather", "Everything to everyone: the nodes and sticks on one table."),
    "gateway": Entry("hedgerow.cli.gateway", "Join your fleet to other DTN daemons, over MTCP and UDP."),
    "label": Entry("hedgerow.cli.label", "Print labels for nodes: names, words and a QR code."),
    "kit": Entry("hedgerow.cli.kit", "Write a stick that installs and runs Hedgerow with no network."),
    "secede": Entry("hedgerow.cli.secede", "Leave a fleet with some of its nodes, and begin one of your own."),
    "merge": Entry("hedgerow.cli.merge", "Make one fleet of two, signed by the stewards of both."),
    "registry": Entry("hedgerow.cli.registry", "What was seen of your nodes: show, export, take in another's."),
    "report": Entry("hedgerow.cli.report", "Write one HTML page with pictures about your fleet."),
    "sim": Entry("hedgerow.cli.sim", "Simulate how messages travel, our routing beside that of others."),
    "rig": Entry("hedgerow.cli.rig", "For rigs: what changed from one run of tests to the next."),
    "bundle": Entry("hedgerow.cli.bundle", "Look inside a stored bundle."),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. The `hedgerow` script calls it; no exception leaves it."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given in (["--version"], ["-V"]):
        print(f"hedgerow {__version__}")
        return EXIT_GOOD
    from hedgerow.cli import ending, lazy  # only now: both import Typer

    return ending.finish(lambda: lazy.build(COMMANDS), given)


def run(coroutine: Coroutine[Any, Any, Answer]) -> Answer:
    """Run the asynchronous part of a command. A FleetError becomes its sentence on stderr and its exit code."""
    import asyncio

    import typer

    from hedgerow.cli import ending

    try:
        return asyncio.run(coroutine)
    except FleetError as error:
        raise typer.Exit(ending.report([error])) from error
    except ExceptionGroup as group:
        if not (errors := ending.fleet_errors_in(group)):
            raise
        raise typer.Exit(ending.report(errors)) from group
