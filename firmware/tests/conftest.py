"""Lets pytest import these tests the way MicroPython does: the folder itself is on the path."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

collect_ignore = ["run_micropython.py"]
