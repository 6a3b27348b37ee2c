# What goes on a board, in MicroPython's manifest language. `include()` it from a board's manifest to freeze Hedgerow
# into an image, which leaves a small heap to messages; freeze boards/<ID>/board.py beside it. A slot on the file
# system (`/a`) comes before what is frozen.
package("hedgewire")
package("hedgenode")
module("slots.py")
module("boot.py")
module("main.py")
