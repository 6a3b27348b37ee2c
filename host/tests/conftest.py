"""Knows how hypothesis makes cases for all tests of the host; knows no test."""

from hypothesis import settings

# The same cases on every run, and no deadline: a busy machine is no defect.
settings.register_profile("host", deadline=None, derandomize=True, database=None)
settings.load_profile("host")
