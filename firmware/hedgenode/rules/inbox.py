"""In which order people see messages: whoever has been heard least goes first. Knows authors and order of arrival."""


def _source(message):
    return message.source


def _seq(message):
    return message.seq


def least_heard_first(messages, source=_source, seq=_seq) -> list:
    """The messages of the author with the fewest first, each author's in order of arrival.

    `source` and `seq` take the author and the arrival number out of a message (default: its attributes).
    """
    heard = {}
    first = {}
    for message in messages:
        author = source(message)
        heard[author] = heard.get(author, 0) + 1
        first[author] = min(first.get(author, seq(message)), seq(message))

    # Ends in the arrival number, so that no two keys are equal: sorting is not stable on a board.
    return sorted(messages, key=lambda m: (heard[source(m)], first[source(m)], seq(m)))


def least_heard_part(rows, begin: int, count: int) -> list:
    """The arrival numbers of messages begin to begin + count of that same order, for a board that has no room for all.

    `rows` is a function that gives (author, arrival number) of every message, each time it is called.
    """
    heard = {}
    first = {}
    for author, seq in rows():
        heard[author] = heard.get(author, 0) + 1
        first[author] = min(first.get(author, seq), seq)
    part = []
    for author in sorted(heard, key=lambda author: (heard[author], first[author])):
        if begin >= heard[author]:
            begin -= heard[author]
            continue
        part += sorted([seq for writer, seq in rows() if writer == author])[begin : begin + count - len(part)]
        begin = 0
        if len(part) >= count:
            break
    return part
