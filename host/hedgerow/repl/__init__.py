"""Knows MicroPython's own prompt as a way to work on a board; knows nothing of fleets or of Hedgerow's frames.

async with Repl(transport) as repl:
    print(await repl.exec("print(1 + 1)"))
    await copy_files(repl, [FileToCopy("/main.py", data)])
"""

from hedgerow.repl.raw import BoardException, Repl

__all__ = ["BoardException", "Repl"]
