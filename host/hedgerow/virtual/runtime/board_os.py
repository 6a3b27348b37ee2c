"""os as on a board: files and names of the board, nothing of the computer's environment."""

import sys as _sys

import _facts
from ucollections import namedtuple
from uos import (  # noqa: F401
    VfsFat,
    VfsLfs2,
    chdir,
    getcwd,
    ilistdir,
    listdir,
    mkdir,
    mount,
    remove,
    rename,
    rmdir,
    stat,
    statvfs,
    umount,
    unlink,
    urandom,
)

_Uname = namedtuple("uname", ("sysname", "nodename", "release", "version", "machine"))


def uname():
    release = "%d.%d.%d" % tuple(_sys.implementation.version[:3])
    version = "v" + release + " on a virtual board"
    platform = _facts.facts["platform"]
    return _Uname(platform, platform, release, version, _facts.facts["machine"])


def sync():
    """Every write has reached the image already."""


def dupterm(stream, index=0):
    """No second console here; returns the previous stream, which is none."""
    return None
