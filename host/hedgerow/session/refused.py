"""Knows a node's no as it came: its code and its sentence. Judges neither."""


class Refused(Exception):
    """What a node answered instead of a result; `code` is one of hedgewire.admin."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
