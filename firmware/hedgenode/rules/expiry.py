"""When a message has lived long enough (RFC 9171, 4.3.1: lifetime counts from creation). Knows ages, no clock."""

MAX_LIFETIME_S = 90 * 24 * 3600  # a sender may ask for more; no node keeps anything longer


def end_s(born_s: int, lifetime_ms: int) -> int:
    """The second, on the clock that born_s is on, after which the message is of no use."""
    return born_s + min((lifetime_ms + 999) // 1000, MAX_LIFETIME_S)


def is_over(now_s: int, end: int, delivered: bool) -> bool:
    """Whether it may go. What reached its reader is theirs: the lifetime was for the way."""
    return not delivered and now_s > end
