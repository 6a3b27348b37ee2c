"""Knows the names of the fleet's nodes for commands that can do without; knows no command."""

from pathlib import Path

from hedgerow.cli.options import fleet_folder
from hedgerow.errors import UsageError


def names_of_fleet(chosen: Path | None) -> dict[int, str]:
    """Short number -> name of every enrolled node; empty where no fleet is at hand and none was asked for."""
    try:
        folder = fleet_folder(chosen)
    except UsageError:
        if chosen is not None:
            raise
        return {}
    from hedgerow.fleet.folder import FleetFolder  # it brings a database with it; most runs have no fleet at hand

    with FleetFolder(folder) as opened:
        return {enrolment.short: enrolment.name for enrolment in opened.roster.nodes}


def ipn_base_of(chosen: Path | None) -> int:
    """The node number that the fleet's short numbers are added to; everybody's usual one where no fleet is at hand."""
    from hedgerow.fleet import proposal

    try:
        folder = fleet_folder(chosen)
    except UsageError:
        if chosen is not None:
            raise
        return proposal.default("ipn_base")
    return proposal.read(folder / proposal.FILE_NAME).ipn_base
