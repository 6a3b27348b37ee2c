"""Knows how commands get the keys and names of a fleet, and go without where none is at hand; knows no command."""

from pathlib import Path

from hedgerow.cli.options import fleet_folder
from hedgerow.errors import UsageError
from hedgerow.fleet.keyring import Keyring, at_hand
from hedgerow.session import Credentials


def keyring_of(chosen: Path | None) -> Keyring:
    """The keyring of the fleet's folder; an empty one where no fleet is at hand and none was asked for."""
    try:
        return at_hand(fleet_folder(chosen))
    except UsageError:
        if chosen is not None:
            raise
        return Keyring()


def credentials_of(chosen: Path | None) -> Credentials | None:
    """What the fleet's folder lets us be at a node; None where no fleet is at hand and none was asked for."""
    try:
        folder = fleet_folder(chosen)
    except UsageError:
        if chosen is not None:
            raise
        return None
    from hedgerow.plans import credentials  # it brings a database with it

    return credentials.at(folder)
