"""Who may read and write by phone, for how long, in which language."""

from hedgenode.rules import phone, power

KEY = "0123"


class Asked:
    def __init__(self, **facts):
        self.host = "192.168.4.1"
        self.origin = self.site = None
        self.form = {"k": KEY}
        for name, value in facts.items():
            setattr(self, name, value)


def test_the_battery_says_for_how_long():
    assert phone.open_ms(None) == phone.OPEN_MS == 600000
    assert phone.open_ms(power.SAVE_MV) == phone.OPEN_MS
    assert phone.open_ms(power.SAVE_MV - 1) == phone.SHORT_MS
    assert phone.open_ms(power.LOW_MV - 1) == 0
    assert phone.stays_open(None)
    assert phone.stays_open(power.SURVIVE_MV)
    assert not phone.stays_open(power.SURVIVE_MV - 1)


def test_without_memory_or_energy_it_stays_shut():
    assert phone.shut(power.LOW_MV - 1, 10**6) == "battery"
    assert phone.shut(None, phone.LEAST_FREE_WORDS - 1) == "memory"
    assert phone.shut(None, phone.LEAST_FREE_WORDS) is None


def test_only_the_nodes_own_page_may_post():
    assert phone.post_fault(Asked(), KEY, 0, None) is None
    assert phone.post_fault(Asked(origin="http://192.168.4.1", site="same-origin"), KEY, 0, None) is None
    for facts in ({"origin": "null"}, {"origin": "http://evil.example"}, {"site": "cross-site"}, {"site": "same-site"}):
        assert phone.post_fault(Asked(**facts), KEY, 0, None) == "foreign", facts
    assert phone.post_fault(Asked(form={}), KEY, 0, None) == "old_page"
    assert phone.is_own("192.168.4.1", "192.168.4.1")
    assert phone.is_own("192.168.4.1:80", "192.168.4.1")
    for host in (None, "", "evil.example", "192.168.4.11", "192.168.4.1.evil.example"):
        assert not phone.is_own(host, "192.168.4.1")


def test_a_flood_ends():
    assert phone.post_fault(Asked(), KEY, 1, phone.POST_EVERY_MS - 1) == "too_fast"
    assert phone.post_fault(Asked(), KEY, 1, phone.POST_EVERY_MS) is None
    assert phone.post_fault(Asked(), KEY, phone.MOST_POSTS, 10**6) == "too_many"


def test_what_the_form_lets_in_is_never_too_long():
    for widest in ("x", "ä", "中", "😀"):
        units = 2 if widest == "😀" else 1
        assert phone.tidy(widest * (phone.MAX_TEXT_UNITS // units)) == (widest * (phone.MAX_TEXT_UNITS // units), None)
    assert phone.tidy("x" * (phone.MAX_TEXT_BYTES + 1))[1] == "too_long"


def test_a_text_is_tidied_and_not_changed():
    assert phone.tidy(" a\r\nb\x00\x1b\x7fc\t ") == ("a\nb   c", None)
    assert phone.tidy(" \r\n") == ("", "empty")
    assert phone.tidy(None) == ("", "not_text")


def test_languages_come_in_the_readers_order_and_are_harmless_names():
    assert phone.languages(None, "de-AT,de;q=0.9,en;q=0.5") == ["de", "en"]
    assert phone.languages(None, "en;q=0.5, fr") == ["fr", "en"]
    assert phone.languages("es", "de") == ["es", "de"]
    assert phone.languages("../x", "..,a.b,e!,EN;q=x, *,verylong") == ["en"]
    assert phone.languages(None, None) == []
    assert len(phone.languages(None, "aa,bb,cc,dd,ee,ff")) == 4
    assert phone.languages(None, ",".join(["a"] * 1000)) == []


def test_times_are_said_as_people_do():
    assert phone.span(119 * 60000) == (119, "minutes")
    assert phone.span(120 * 60000) == (2, "hours")
    assert phone.span(3 * 86400000) == (3, "days")
