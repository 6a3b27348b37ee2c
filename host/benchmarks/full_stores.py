"""Knows how to fill a node's stores to the brim on this machine, with the node's own code; knows no board.

A board would need half an hour of flash time for it. The files are what the node itself would have written.
"""

import random
from pathlib import Path

from hedgenode.store import bundles as bundle_store
from hedgenode.store import samples as sample_store
from hedgenode.store.files import Flash
from hedgerow.repl.copy import FileToCopy
from hedgewire import bundle

TEXT_BYTES = 160
IPN_BASE = 974848
DAY_MS = 86_400_000


class _HastyFlash(Flash):
    """Here a power cut costs nothing."""

    def sync(self, file) -> None:
        file.flush()


def full_stores(folder: Path, filesystem_bytes: int) -> tuple[list[FileToCopy], int, int]:
    """The files of /store, how many bundles and how many samples they hold."""
    for name in ("bundles", "samples"):
        (folder / name).mkdir(parents=True)
    bundles = _fill_with_bundles(folder / "bundles", bundle_store.share_bytes(filesystem_bytes))
    samples = _fill_with_samples(folder / "samples", sample_store.share_bytes(filesystem_bytes))
    files = [
        FileToCopy(f"/store/{path.relative_to(folder)}", path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    return files, bundles, samples


def _fill_with_bundles(folder: Path, capacity_bytes: int) -> int:
    store = bundle_store.BundleStore(_HastyFlash(), str(folder), capacity_bytes)
    chance = random.Random(1)
    number = 0
    while store.count() == number:  # until one has to go for another
        number += 1
        source, destination = (bundle.Eid(IPN_BASE + 1 + chance.randrange(40), 1) for _ in range(2))
        made = bundle.make(source, destination, chance.randbytes(TEXT_BYTES), number, 7 * DAY_MS)
        data = bundle.encode(made)
        store.add(data, bundle.bundle_id(made), source.node, destination.node, 6, 0, 7 * DAY_MS, number * 1000)
    store.close()
    return store.count()


def _fill_with_samples(folder: Path, capacity_bytes: int) -> int:
    log = sample_store.SampleLog(_HastyFlash(), str(folder), capacity_bytes)
    reading = {"temperature_c100": 2150, "humidity_pc100": 5000, "battery_mv": 3900, "panel_mv": 5000}
    used = -1
    while log.used_bytes() > used:  # until the oldest go
        used = log.used_bytes()
        log.append(1_800_000_000 + log.next_seq, log.next_seq * 1000, 1, reading)
    return log.next_seq - 1
