"""Knows how `just pico-setup` prepares this machine for emulated Picos; knows nothing of running one."""

import sys

from hedgerow.errors import FleetError
from hedgerow.virtual.emulated_pico import parts


def main() -> int:
    try:
        print(f"rp2040js is installed in {parts.install_rp2040js()}.")
        found = parts.find_parts()
    except FleetError as problem:
        print(f"Error: {problem}", file=sys.stderr)
        return problem.exit_code
    print(f"The emulated Pico is ready: {found.uf2.name}, run by {found.node}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
