"""vfs as on a board: without the way to the computer's files."""

from vfs import VfsFat, VfsLfs2, mount, umount  # noqa: F401
