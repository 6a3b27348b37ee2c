"""Puts the firmware's test helpers on the path, and gives CPython the `cryptolib` that boards have."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "firmware" / "tests"))

import fake_cryptolib

fake_cryptolib.install()
