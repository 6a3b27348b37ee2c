"""rp2 as far as an application asks for it: the boot button and the country of the radio."""

_country = "XX"


def bootsel_button():
    return 0


def country(code=None):
    global _country
    if code is None:
        return _country
    _country = code
    return None
