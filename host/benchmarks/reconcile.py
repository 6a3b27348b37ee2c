"""What two nodes pay to learn which bundles each lacks, beside telling all ids. Knows no radio: counts bytes and turns.

python host/benchmarks/reconcile.py [--json]
"""

import argparse
import hashlib
import json
import sys

from hedgewire import reconcile

MOST_BYTES = 1200  # both ways, for 1,000 bundles each that differ in 10
MOST_TURNS = 4
RUNS = 20


def ids(start: int, count: int) -> list[bytes]:
    return [hashlib.sha256(b"%d" % i).digest()[:8] for i in range(start, start + count)]


def meeting(held: int, differing: int, seed: int) -> tuple[int, int]:
    """(bytes both ways, turns) for two nodes with `held` bundles each, of which `differing` are on one side only."""
    half = differing // 2
    common = ids(seed << 20, held - half)
    mine, theirs = ids((seed << 20) + 500_000, half), ids((seed << 20) + 600_000, half)
    stores = [reconcile.sorted_ids(common + mine), reconcile.sorted_ids(common + theirs)]
    message: bytes | None = reconcile.begin(stores[0], seed.to_bytes(4, "big"))
    size = turns = 0
    gives: list[set[bytes]] = [set(), set()]
    while message is not None:
        size += len(message)
        turns += 1
        outcome = reconcile.answer(stores[turns % 2], message, 65536)
        if not isinstance(outcome, reconcile.Outcome):
            raise AssertionError(outcome)
        gives[turns % 2].update(outcome.give)
        message = outcome.reply
    if gives != [set(mine), set(theirs)]:
        raise AssertionError("not settled")
    return size, turns


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure reconciliation beside exchanging all ids.")
    parser.add_argument("--json", action="store_true", help="print JSON alone")
    wanted = parser.parse_args()
    rows = []
    for held, differing in ((100, 2), (1000, 0), (1000, 2), (1000, 10), (1000, 100), (2000, 10)):
        measured = [meeting(held, differing, seed) for seed in range(1, RUNS + 1)]
        row = {"held": held, "differing": differing, "most_bytes": max(size for size, _ in measured)}
        row |= {"mean_bytes": sum(size for size, _ in measured) // RUNS, "most_turns": max(t for _, t in measured)}
        row["all_ids_bytes"] = 2 * held * reconcile.ID_BYTES
        rows.append(row)
        if not wanted.json:
            print(
                f"{held:>6} bundles each, {differing:>3} differ: mean {row['mean_bytes']:>6,} B, at most "
                f"{row['most_bytes']:>6,} B, {row['most_turns']} turns; all ids {row['all_ids_bytes']:>7,} B"
            )
    if wanted.json:
        print(json.dumps(rows, indent=2))
    bar = next(row for row in rows if (row["held"], row["differing"]) == (1000, 10))
    good = bar["most_bytes"] <= MOST_BYTES and bar["most_turns"] <= MOST_TURNS
    if not wanted.json:
        print(f"1,000 that differ in 10: at most {MOST_BYTES:,} B, {MOST_TURNS} turns  {'PASS' if good else 'FAIL'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
