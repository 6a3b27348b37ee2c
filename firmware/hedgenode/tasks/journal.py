"""The node's last words: numbered lines in RAM, handed to whoever follows. Keeps nothing over a restart."""

LINES = 48


class Journal:
    def __init__(self, clock, write_text=None):
        self._clock = clock
        self._write_text = write_text
        self._lines = []
        self.next = 1
        self.followers = []

    def say(self, level, text):
        """Note one line; `level` is "info", "warning" or "error"."""
        line = (self.next, self._clock.wall_s(), level, text)
        self.next += 1
        if len(self._lines) >= LINES:
            self._lines.pop(0)
        self._lines.append(line)
        for follower in self.followers:
            follower(line)
        if self._write_text is not None:
            self._write_text("[%s] %s\r\n" % (level, text))

    def after(self, number):
        """The lines that came after that one, oldest first, as far as they are still kept."""
        return [line for line in self._lines if line[0] > number]
