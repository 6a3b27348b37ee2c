"""Puts the reference implementation and the firmware's mutation generator on the path."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[2] / "firmware" / "tests")]
