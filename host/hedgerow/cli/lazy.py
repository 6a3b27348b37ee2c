"""Knows how to list commands without importing them and to import the one that is called; knows no command by name."""

import importlib
import importlib.util
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup

from hedgerow import __version__

if TYPE_CHECKING:
    from hedgerow.cli.main import Entry

PURPOSE = "Flash, provision, update and audit fleets of solar store-and-forward nodes, without a server."
EXAMPLES = """
[bold]Examples[/bold]

[cyan]hedgerow demo[/cyan]: see everything once, on virtual boards.

[cyan]hedgerow devices[/cyan]: what is plugged in.

[cyan]hedgerow provision -p /dev/ttyACM0[/cyan]: make that board a node.

Exit codes: 0 good, 1 findings, 2 usage; docs/reference/exit-codes.md has the others.
"""


class LazyGroup(TyperGroup):
    """A group whose commands are names and help lines until one of them is called."""

    modules: Mapping[str, str] = {}

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Called for the one command that runs, and for shell completion below a command."""
        name, stub, rest = super().resolve_command(ctx, args)
        if stub is None or name is None:
            return name, stub, rest
        return name, load(name, self.modules[name]), rest


def build(commands: "Mapping[str, Entry]") -> TyperGroup:
    """The root command. Only commands whose module is present are in it."""
    present = {name: entry for name, entry in commands.items() if importlib.util.find_spec(entry.module)}
    app = typer.Typer(cls=LazyGroup, help=PURPOSE, epilog=EXAMPLES, rich_markup_mode="rich")

    @app.callback()
    def root(
        version: bool = typer.Option(False, "--version", "-V", is_eager=True, help="Print the version and end."),
    ) -> None:
        if version:
            typer.echo(f"hedgerow {__version__}")
            raise typer.Exit

    group = typer.main.get_command(app)
    assert isinstance(group, LazyGroup)  # because the app has a callback
    group.modules = {name: entry.module for name, entry in present.items()}
    for name, entry in present.items():
        group.add_command(TyperCommand(name, help=entry.help, short_help=entry.help, hidden=entry.hidden))
    return group


def load(name: str, module: str) -> Any:
    """Import a command's module and turn its `app` into a command of that name."""
    command = typer.main.get_command(importlib.import_module(module).app)
    command.name = name
    # Completion is installed once, for `hedgerow`; below a command these two options would be noise.
    command.params = [one for one in command.params if one.name not in ("install_completion", "show_completion")]
    return command
