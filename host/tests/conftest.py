"""Knows how hypothesis makes cases for all tests of the host, and where they may keep sessions; knows no test."""

import os
import tempfile

from hypothesis import settings

# The same cases on every run, and no deadline: a busy machine is no defect.
settings.register_profile("host", deadline=None, derandomize=True, database=None)
settings.load_profile("host")

# What a laptop keeps of sessions belongs to its user, not to these tests.
os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="hedgerow-state-")
