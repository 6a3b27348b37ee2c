"""Knows how people write sizes, durations and rates (`16kB`, `300min`, `50kB/s`, `200-1000B/25-35s`). Nothing else."""

import math
import re

from hedgerow.errors import UsageError
from hedgerow.sim.traffic import Traffic

_BYTES = {"": 1, "B": 1, "kB": 1000, "KB": 1000, "MB": 1000_000, "GB": 1000_000_000, "KiB": 1024, "MiB": 1024**2}
_SECONDS = {"": 1, "s": 1, "min": 60, "h": 3600, "d": 86400}
_AMOUNT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*")
_TRAFFIC = re.compile(
    r"\s*([\d.]+)\s*(?:-\s*([\d.]+))?\s*([A-Za-z]*)\s*/\s*([\d.]+)\s*(?:-\s*([\d.]+))?\s*([A-Za-z]*)\s*"
)
_LARGEST = 1e12


def size_bytes(text: str) -> int:
    """`16kB` is 16,000 bytes. UsageError if it is none."""
    return round(_amount(text, _BYTES, "a size", "16kB"))


def duration_s(text: str) -> float:
    return _amount(text, _SECONDS, "a duration", "300min")


def rate_bytes_s(text: str) -> float:
    size, slash, per = text.rpartition("/")
    if not slash or per.strip() != "s":
        raise UsageError(f"{text!r} is not a rate", next_step="Write it like 50kB/s.")
    return _amount(size, _BYTES, "a rate", "50kB/s")


def traffic(text: str) -> Traffic:
    """`200-1000B/25-35s`: messages of 200 to 1,000 bytes, one every 25 to 35 s."""
    found = _TRAFFIC.fullmatch(text)
    wrong = UsageError(
        f"{text!r} says no sizes and gaps of messages", next_step="Write them like 200-1000B/25-35s, or 300B/60s."
    )
    if found is None:
        raise wrong
    low, high, size_unit, gap_low, gap_high, gap_unit = found.groups()
    try:
        sizes = [round(float(part or low) * _BYTES[size_unit]) for part in (low, high)]
        gaps = [float(part or gap_low) * _SECONDS[gap_unit] for part in (gap_low, gap_high)]
    except (KeyError, ValueError):
        raise wrong from None
    if not 1 <= sizes[0] <= sizes[1] <= _LARGEST or not 0 < gaps[0] <= gaps[1] <= _LARGEST:
        raise wrong
    return Traffic(sizes[0], sizes[1], gaps[0], gaps[1])


def _amount(text, units, what, example):
    found = _AMOUNT.fullmatch(text)
    factor = units.get(found[2]) if found else None
    if found is None or factor is None:
        raise UsageError(f"{text!r} is not {what}", next_step=f"Write it like {example}.")
    value = float(found[1]) * factor
    if not 0 < value <= _LARGEST or not math.isfinite(value):
        raise UsageError(f"{text!r} is out of bounds for {what}", next_step=f"Write it like {example}.")
    return value
