"""Knows a fleet of values for the labels of these tests; knows nothing of what is drawn."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "fleet")]  # for made_fleet
