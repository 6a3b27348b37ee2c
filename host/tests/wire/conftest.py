"""Puts the reference implementation and the firmware's mutation generator on the path."""

import sys
from pathlib import Path

from hypothesis import settings

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[2] / "firmware" / "tests")]

# The same cases on every run, and no deadline: a busy machine is no defect.
settings.register_profile("wire", deadline=None, derandomize=True, database=None)
settings.load_profile("wire")
