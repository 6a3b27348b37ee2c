"""sys as on a board: its platform and its name, and an output that ends lines as a board does.

`implementation._mpy` stays this interpreter's: it says which .mpy files can be loaded here.
"""

from sys import *  # noqa: F403
from sys import argv, path  # noqa: F401  (a star leaves out what sys keeps changeable)
from sys import implementation as _own

import _console
import _facts
from ucollections import namedtuple

platform = _facts.facts["platform"]
implementation = namedtuple("implementation", ("name", "version", "_machine", "_mpy"))(
    _own.name, _own.version, _facts.facts["machine"], getattr(_own, "_mpy", 0)
)
stdout = _console.TextOut()
