"""Every language says all that the page says, with the same gaps."""

import os

from hedgenode import words
from hedgenode.words.en import WORDS


def tags():
    path = words.__path__
    names = os.listdir(path if isinstance(path, str) else path[0])
    return sorted({name.partition(".")[0] for name in names if not name.startswith("__")})


def test_each_has_every_sentence_and_none_more():
    assert {"de", "en", "es", "fr"} <= set(tags())
    for tag in tags():
        said = __import__("hedgenode.words." + tag, None, None, ("WORDS",)).WORDS
        assert set(said) == set(WORDS), tag
        for key in WORDS:
            assert said[key].strip() == said[key] != "", (tag, key)
            for gap in ("%s", "%d", "%"):
                assert said[key].count(gap) == WORDS[key].count(gap), (tag, key)
            assert "<" not in said[key], (tag, key)
