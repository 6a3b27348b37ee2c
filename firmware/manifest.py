# What goes on a board, in MicroPython's manifest language: `include()` it from a board's manifest to freeze Hedgerow.
package("hedgewire")
package("hedgenode")
module("main.py")
