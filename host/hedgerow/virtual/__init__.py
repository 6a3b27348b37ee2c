"""Knows stand-ins for boards: processes of real MicroPython, the radio between them and the weather around them."""

from hedgerow.virtual.board import VirtualBoard
from hedgerow.virtual.interpreter import Interpreter
from hedgerow.virtual.pump import Disturbance

__all__ = ["Disturbance", "Interpreter", "VirtualBoard"]
