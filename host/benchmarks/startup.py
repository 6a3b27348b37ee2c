"""Measures how long a person waits for the first word of a command, beside other tools. Knows no board.

    python host/benchmarks/startup.py

Each command runs as a person runs it, from the start of its process to its end; the median of some runs, after one that
does not count.
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 7
AT_MOST_S = 0.3
RUN_S = 30
SCRIPTS = Path(sys.executable).parent
COMMANDS = (
    ("mpremote", "version"),
    ("mpytool", "--version"),
    ("esptool", "version"),
    ("ampy", "--version"),
    ("hedgerow", "--help"),
    ("hedgerow", "--version"),
)


def seconds(command: tuple[str, ...]) -> float | None:
    """The median; None where the command is not installed or fails."""
    program = [str(SCRIPTS / command[0]), *command[1:]]
    took = []
    for _ in range(ROUNDS + 1):
        start = time.perf_counter()
        try:
            subprocess.run(program, capture_output=True, check=True, timeout=RUN_S)
        except (OSError, subprocess.SubprocessError):
            return None
        took.append(time.perf_counter() - start)
    return statistics.median(took[1:])


def main() -> int:
    print(f"seconds from start to end, median of {ROUNDS}")
    found = {}
    for command in COMMANDS:
        found[command] = seconds(command)
        shown = f"{found[command]:>7.3f}" if found[command] is not None else "missing"
        print(f"{' '.join(command):<20} {shown}", flush=True)
    ours = found[("hedgerow", "--version")]
    good = ours is not None and ours <= AT_MOST_S
    print(f"{'at most':<20} {AT_MOST_S:>7.3f}  {'PASS' if good else 'FAIL'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
