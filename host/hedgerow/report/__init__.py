"""HTML reports that open anywhere, without a network: facts in, one file out."""

from hedgerow.report.page import render, write

__all__ = ["render", "write"]
