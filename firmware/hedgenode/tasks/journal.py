"""The node's last words: numbered lines in RAM, handed to whoever follows. Keeps nothing over a restart."""

LINES = 48
MAX_CHARACTERS = 160


class Journal:
    """`write_text` puts a line on the console for people. Nothing here raises: a node must not fail for its log."""

    def __init__(self, clock, write_text=None):
        self._clock = clock
        self._write_text = write_text
        self._lines = []
        self._follower = None
        self._follow_until_ms = 0
        self.next = 1

    def say(self, level: str, text: str) -> None:
        """Note one line; `level` is "info", "warning" or "error"."""
        line = (self.next, self._clock.wall_s(), level, text[:MAX_CHARACTERS])
        self.next += 1
        if len(self._lines) >= LINES:
            self._lines.pop(0)
        self._lines.append(line)
        try:
            self._pass_on(line)
        except MemoryError:
            pass  # the line is kept; who follows asks for it by its number

    def _pass_on(self, line):
        if self._follower is not None:
            if self._clock.uptime_ms() < self._follow_until_ms:
                self._follower(line)
            else:
                self._follower = None
        if self._write_text is not None:
            self._write_text("[%s] %s\r\n" % (line[2], line[3]))

    def follow(self, follower, for_ms: int) -> None:
        """Hand every new line to `follower` for that long. There is one at a time: the last who asked."""
        self._follower = follower
        self._follow_until_ms = self._clock.uptime_ms() + for_ms

    def after(self, number: int) -> list:
        """The lines that came after that one, oldest first, as far as they are still kept."""
        return [line for line in self._lines if line[0] > number]
