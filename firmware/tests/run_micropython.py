"""Runs test modules under MicroPython as pytest does under CPython: every function test_*, each told of if it fails.

    micropython firmware/tests/run_micropython.py [--firmware FOLDER] [MODULE ...]

Without a module every test_*.py beside this file is run. FOLDER has the firmware as it goes onto a board; without one
its source is taken.
The last line is 'N passed, N failed'; the exit code is 1 if anything failed or nothing ran.
"""

import gc
import os
import sys

_HERE = __file__.rpartition("/")[0] or "."
_FIRMWARE = "--firmware"


def modules():
    found = [name[:-3] for name in os.listdir(_HERE) if name.startswith("test_") and name.endswith(".py")]
    return sorted(found)


def attempt(title, call):
    """True if call() came back; otherwise its traceback is printed under its title."""
    try:
        call()
        return True
    except Exception as error:  # noqa: BLE001 - a test may fail in any way; the run goes on
        print("FAILED " + title)
        sys.print_exception(error, sys.stdout)
        return False


def run(name):
    """(passed, failed) of one module."""
    holder = []
    if not attempt(name, lambda: holder.append(__import__(name))):
        return 0, 1
    passed = failed = 0
    for test in sorted(dir(holder[0])):
        call = getattr(holder[0], test)
        if test.startswith("test_") and callable(call):
            gc.collect()
            if attempt(name + "." + test, call):
                passed += 1
            else:
                failed += 1
    return passed, failed


def main():
    wanted, folder = sys.argv[1:], _HERE + "/.."
    if wanted and wanted[0] == _FIRMWARE:
        folder = wanted[1]
        wanted = wanted[2:]
    sys.path[:0] = [_HERE, folder]
    passed = failed = 0
    for name in wanted or modules():
        counts = run(name[:-3] if name.endswith(".py") else name)
        passed += counts[0]
        failed += counts[1]
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


sys.exit(main())
