"""Knows what a wheel carries besides the Python packages: boards, and firmware as the files that go onto a node.

`hedgerow/resources.py` finds them in an installed wheel. An editable install has them in the source tree already.
"""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NOT_FOR_NODES = {"tests", "ruff.toml"}


class CarryFirmwareAndBoards(BuildHookInterface):
    """Called by hatchling before it builds."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the folders to every wheel but an editable one (`version` says which it is)."""
        if version == "editable":
            return
        root = Path(self.root)
        firmware = [path for path in (root / "firmware").iterdir() if path.name not in NOT_FOR_NODES]
        for path in [root / "boards", *firmware]:
            if path.is_dir() or path.suffix in (".py", ".json"):
                build_data["force_include"][str(path)] = f"hedgerow/_data/{path.relative_to(root)}"
