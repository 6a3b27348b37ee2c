"""The few primitives that MicroPython lacks, over hashlib, cryptolib and plain integers. Knows no key and no file."""
