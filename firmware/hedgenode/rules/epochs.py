"""When a group goes on to its next epoch. Knows numbers; the arithmetic of epochs is in hedgewire.group."""

from hedgewire import group

# As long as a message lives if nobody says otherwise: with three epochs read, one that is still under way is readable.
EPOCH_S = 7 * 24 * 3600


def is_due(epoch: int, since_s: int, now_s: int) -> bool:
    """Whether an epoch that began at since_s is over. Seconds of the store's clock, which counts no time without power.

    The last epoch of a generation goes on: only a rekey document leads out of it, after five years of weekly steps.
    """
    return now_s - since_s >= EPOCH_S and epoch < group.last_epoch(epoch)
