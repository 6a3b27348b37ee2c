"""Knows the prompt of a MicroPython board: friendly, paste, raw and raw-paste; knows nothing of hardware."""

import gc
import io
import sys

import _console
import _facts

_WINDOW = 128
_HERE = '/_repl.py", line'
_CTRL_A, _CTRL_B, _CTRL_C, _CTRL_D, _CTRL_E = b"\x01", b"\x02", b"\x03", b"\x04", b"\x05"
_write = _console.write
_read = _console.read


class Repl:
    def __init__(self, raw):
        self._raw = raw
        self._names = {"__name__": "__main__"}

    def boot(self):
        """boot.py, then main.py, unless boot.py failed or was interrupted, or the raw prompt asked for the restart."""
        if self._run_file("boot.py") and not self._raw:
            self._run_file("main.py")

    def serve(self):
        if self._raw:
            self._serve_raw()
        else:
            self._serve_friendly()

    def _run(self, source, kind="exec", announce=b""):
        """Run it; returns the exception that ended it. A SystemExit restarts the board softly.

        From the moment when `announce` is out a Ctrl-C ends the program, even before it has begun.
        """
        gc.collect()
        error = None
        try:
            try:
                # A file is compiled before Ctrl-C counts; what a prompt was given is announced first.
                code = None if announce else compile(source, "<stdin>", kind)
                _console.kbd_intr(3)
                _write(announce)
                exec(code or compile(source, "<stdin>", kind), self._names)
            finally:
                _console.settle()
        except SystemExit:
            self._restart()
        except BaseException as caught:
            error = caught
        return error

    def _restart(self):
        _facts.end("soft", "raw" if self._raw else "friendly")

    def _run_file(self, name):
        """Whether it went well; a file that is not there did."""
        try:
            with open(name) as file:
                source = file.read()
        except OSError:
            return True
        error = self._run(source)
        if error:
            _print_exception(error)
        return not error

    # the friendly prompt

    def _serve_friendly(self):
        version = sys.version.split("; ", 1)[1]
        _write(version + "; " + _facts.facts["machine"] + '\r\nType "help()" for more information.\r\n')
        while not self._raw:
            source = self._read_statement()
            if source is None:
                return
            if source.strip():
                error = self._run(source, "single")
                if error:
                    _print_exception(error)

    def _read_statement(self):
        """A statement, as many lines as it needs; None leaves this prompt, or starts it anew."""
        lines = []
        while True:
            _write("... " if lines else ">>> ")
            line = self._read_line(first=not lines)
            if line is None or isinstance(line, bytes):
                if line == _CTRL_C:
                    lines = []
                    continue
                if line == _CTRL_E:
                    pasted = self._read_paste()
                    error = self._run(pasted) if pasted else None
                    if error:
                        _print_exception(error)
                    continue
                return None
            lines.append(line)
            source = "\n".join(lines)
            if not _wants_more(source, line):
                return source + "\n"

    def _read_line(self, first):
        """The line as text, or the control character that ended it."""
        line = bytearray()
        while True:
            byte = _read()
            if byte == _CTRL_A and not line:
                self._raw = True
                _write("\r\n")
                return None
            if byte == _CTRL_B and not line:
                _write("\r\n")
                return None
            if byte == _CTRL_C:
                _write("\r\n")
                return byte
            if byte == _CTRL_D and not line:
                _write("\r\n")
                self._restart()
            if byte == _CTRL_E and not line and first:
                return byte
            if byte == b"\r" or byte == b"\n":
                _write("\r\n")
                return _text(line)
            if byte == b"\x08" or byte == b"\x7f":
                if line:
                    line = line[:-1]
                    _write("\x08 \x08")
            elif byte >= b" " or byte == b"\t":
                line += byte
                _write(byte)

    def _read_paste(self):
        _write("\r\npaste mode; Ctrl-C to cancel, Ctrl-D to finish\r\n=== ")
        pasted = bytearray()
        while True:
            byte = _read()
            if byte == _CTRL_C:
                _write("\r\n")
                return ""
            if byte == _CTRL_D:
                _write("\r\n")
                return _text(pasted)
            if byte == b"\r" or byte == b"\n":
                pasted += b"\n"
                _write("\r\n=== ")
            else:
                pasted += byte
                _write(byte)

    # the raw prompt

    def _serve_raw(self):
        _write("raw REPL; CTRL-B to exit\r\n")
        while True:
            _write(">")
            source, announce = self._read_raw()
            if announce is None:
                return
            if source is None:
                continue
            error = self._run(source, "exec", announce)
            _write(_CTRL_D)
            if error:
                _print_exception(error)
            _write(_CTRL_D)

    def _read_raw(self):
        """(program, what to say before it runs); (None, None) to leave the raw prompt, (None, b"") for no program."""
        program = bytearray()
        while True:
            byte = _read()
            if byte == _CTRL_A:
                _write("raw REPL; CTRL-B to exit\r\n>")
                program = bytearray()
            elif byte == _CTRL_B:
                self._raw = False
                _write("\r\n")
                return None, None
            elif byte == _CTRL_C:
                program = bytearray()
            elif byte == _CTRL_D:
                if not program:
                    _write("OK\r\n")
                    self._restart()
                return _text(program), b"OK"
            elif byte == _CTRL_E and not program:
                kind = _read()
                if kind == b"A":
                    _read()  # Ctrl-A, the last of the three
                    return self._read_raw_paste()
                _write("R\x00")
            else:
                program += byte

    def _read_raw_paste(self):
        _write(b"R\x01" + _WINDOW.to_bytes(2, "little") + b"\x01")
        program = bytearray()
        taken = 0
        while True:
            byte = _read()
            if byte == _CTRL_C:
                _write(b"\x04\x04\x04")
                return None, b""
            if byte == _CTRL_D:
                return _text(program), _CTRL_D
            program += byte
            taken += 1
            if taken == _WINDOW:
                taken = 0
                _write(b"\x01")


def _print_exception(error):
    """As a board prints it: without the frames of this file."""
    report = io.StringIO()
    sys.print_exception(error, report)
    for line in report.getvalue().split("\n")[:-1]:
        if _HERE not in line:
            print(line)


def _text(data):
    try:
        return bytes(data).decode()
    except UnicodeError:
        return "raise UnicodeError('not UTF-8')"


def _wants_more(source, line):
    """Does the prompt have to read on? As on a board: an open bracket or string, or a block until an empty line."""
    depth, quote, index = 0, "", 0
    while index < len(source):
        char = source[index]
        if quote:
            if char == "\\":
                index += 1
            elif source[index : index + len(quote)] == quote:
                index += len(quote) - 1
                quote = ""
            elif char == "\n" and len(quote) == 1:
                quote = ""
        elif char in "'\"":
            quote = char * 3 if source[index : index + 3] == char * 3 else char
            index += len(quote) - 1
        elif char == "#":
            while index < len(source) and source[index] != "\n":
                index += 1
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        index += 1
    if depth > 0 or len(quote) == 3 or source.endswith("\\"):
        return True
    first_word = source.split(None, 1)[0].rstrip(":") if source.strip() else ""
    compound = ("if", "for", "while", "with", "def", "class", "try", "async") if first_word else ()
    return (first_word in compound or source.startswith("@")) and line.strip() != ""
