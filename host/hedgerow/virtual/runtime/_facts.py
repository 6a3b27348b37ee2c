"""Knows what the host told this board at power-on and how to speak with the host; knows nothing of any module's API.

The line (an open file descriptor, told in $HEDGEROW_LINE) carries JSON, one value a line: first the facts down; then
`[word, ...]` up, and `[number, answer]` down for what was asked,
`["level", pin, level]` down for what somebody does to a pin.
It stands for what a board has around it: the weather, the pins' other ends, the power supply.
"""

import json
import os
import select

ANSWER_WITHIN_MS = 2000

facts = {}
_line = None
_poller = None
_number = 0
_last_world = {
    "temperature_c": 20.0,
    "humidity_pc": 50.0,
    "pressure_hpa": 1013.25,
    "panel_mv": 0,
    "panel_ma": 0.0,
    "battery_mv": 3900,
}


def open_line():
    global _line, _poller
    _line = open(int(os.getenv("HEDGEROW_LINE")), "r+b")
    facts.update(json.loads(_line.readline()))
    _poller = select.poll()
    _poller.register(_line, select.POLLIN)


def level(pin):
    """What lies on a pin from outside: 0, 1, or None where nobody does anything to it."""
    while _line and _poller.poll(0):
        if _heard() is None:
            break
    return facts["levels"].get(str(pin))


def _heard():
    """One line of the host's, None where there will be no more; what it does to pins is noted."""
    text = _line.readline()
    if not text:
        return None
    said = json.loads(text)
    if said[0] == "level":
        facts["levels"][said[1]] = said[2]
    return said


def tell(*words):
    if _line:
        _line.write(json.dumps(words) + "\n")


def ask(*words):
    """The host's answer, or None when it has none within two seconds."""
    global _number
    if not _line:
        return None
    _number += 1
    tell("ask", _number, *words)
    while _poller.poll(ANSWER_WITHIN_MS):
        said = _heard()
        if said is None:
            return None
        if said[0] == _number:
            return said[1]
    return None


def world():
    """What is around the board now: temperature_c, humidity_pc, pressure_hpa, panel_mv, panel_ma, battery_mv."""
    answer = ask("world")
    if answer:
        _last_world.update(answer)
    return _last_world


def end(how, *words):
    """This process is over: the host takes it down and says what comes next. Never returns."""
    tell("end", how, *words)
    while True:
        try:
            select.poll().poll(1000)
        except KeyboardInterrupt:
            pass
