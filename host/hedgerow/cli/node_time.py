"""Knows how nodes count time (DTN time: seconds since 2000-01-01 UTC) and how people read it; knows no command."""

from datetime import UTC, datetime

EPOCH_S = 946_684_800  # 2000-01-01 in Unix time
SET_S = 600_000_000  # before 2019 no node of ours ran: its clock was not set


def iso(time_s: int | None) -> str | None:
    """`2026-05-03T12:00:00Z`, or None where the clock was not set."""
    moment = _moment(time_s)
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def text(time_s: int | None) -> str | None:
    """The same for people."""
    moment = _moment(time_s)
    return None if moment is None else moment.strftime("%Y-%m-%d %H:%M:%S UTC")


def _moment(time_s: int | None) -> datetime | None:
    return None if time_s is None or time_s < SET_S else datetime.fromtimestamp(EPOCH_S + time_s, UTC)
