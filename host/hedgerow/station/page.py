"""Draws the station's page: HTML of the whole and of one card. Knows no server; says what words.py says.

Everything works without a script: then the page reloads itself, and a button is a form.
"""

import json
from collections.abc import Sequence
from html import escape

from hedgerow.station import words
from hedgerow.station.card import STAGES, Card, Check, Phase, Verdict

_MARKS = {Verdict.GOOD: "✔", Verdict.BAD: "✘", Verdict.ABSENT: "–"}
RELOAD_S = 5


def whole(heading: str, cards: Sequence[Card]) -> str:
    """The page as it is now; page.js keeps it so."""
    title = escape(heading)
    articles = "\n".join(article(number, card) for number, card in enumerate(cards, 1))
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<noscript><meta http-equiv="refresh" content="{RELOAD_S}"></noscript>
<link rel="stylesheet" href="/page.css"><link rel="icon" href="data:,">
<title>{title}</title><script src="/page.js" defer></script></head>
<body><header class="top"><h1>{title}</h1>
<p id="tally">{escape(words.tally(cards))}</p>
<p class="tools"><label><input type="checkbox" id="sound"> Sound</label>
<a id="sheet" href="/labels.pdf"{"" if _have_labels(cards) else " hidden"}>Labels as PDF</a></p>
<p id="gone" role="alert" hidden>The station does not answer: this page is old. Is it still running?</p>
<p id="say" role="status" class="unseen"></p></header>
<main id="places">
<p id="none"{" hidden" if cards else ""}>Plug boards in: each becomes a card here.</p>
{articles}
</main></body></html>
"""


def change(number: int, card: Card, cards: Sequence[Card], *, is_told: bool) -> str:
    """What page.js gets about one card, as JSON. `is_told`: it has come to an end, and somebody should hear of it."""
    told = {
        "id": f"place-{number}",
        "html": article(number, card),
        "tally": words.tally(cards),
        "labels": _have_labels(cards),
        "phase": card.phase.value,
        "say": words.announced(card) if is_told else "",
    }
    return json.dumps(told, ensure_ascii=False)


def article(number: int, card: Card) -> str:
    """One place."""
    kind = card.phase.name.lower()
    title = escape(words.title(card))
    who = " · ".join(escape(one) for one in (card.node, card.board) if one)
    return (
        f'<article id="place-{number}" class="card {kind}" aria-labelledby="title-{number}">'
        f'<div class="head"><h2 id="title-{number}"><span class="number">{number}</span> {title}</h2>'
        f'<p class="state"><span aria-hidden="true">{words.SHAPES[card.phase]}</span> {card.phase.value}</p></div>'
        + (f'<p class="who">{who}</p>' if who else "")
        + _body(number, card)
        + "</article>"
    )


def _body(number: int, card: Card) -> str:
    if card.phase is Phase.WORKING:
        return _stages(card) + (
            f'<progress max="100" value="{words.done(card) * 100:.0f}" aria-label="All of it"></progress>'
            f'<p class="doing">{escape(words.doing(card))}</p>' + _paragraph("next", words.next_step(card))
        )
    out = _paragraph("problem", card.problem) + _paragraph("summary", card.summary)
    label = "What to do: " if card.phase is Phase.FAIL else ""
    out += _paragraph("next", label + words.next_step(card)) + _checks(number, card.checks)
    if card.phase is Phase.PASS and card.node:
        name = escape(card.node)
        out += f'<p><a href="/label/{name}.png" data-key="label-{number}">Label of {name}</a></p>'
    if card.can_retry:
        out += (
            '<form method="post" action="/retry">'
            f'<input type="hidden" name="place" value="{escape(card.place)}">'
            f'<button data-key="retry-{number}">{"Try" if card.phase is Phase.FAIL else "Test"}'
            f" {escape(words.title(card))} again</button></form>"
        )
    return out


def _stages(card: Card) -> str:
    """Where it is among all stages: ✔ behind it, ▶ now, ○ to come; in words for whoever does not see the shapes."""
    rows = []
    for at, stage in enumerate(STAGES):
        shape, said = ("✔", "done") if at < card.number else ("▶", "now") if at == card.number else ("○", "to come")
        now = ' aria-current="step"' if at == card.number else ""
        rows.append(
            f'<li{now}><span aria-hidden="true">{shape}</span> {stage.value}<span class="unseen">: {said}</span></li>'
        )
    return f'<ol class="stages">{"".join(rows)}</ol>'


def _checks(number: int, checks: Sequence[Check]) -> str:
    if not checks:
        return ""
    rows = "".join(
        f'<li class="{check.verdict.name.lower()}"><span aria-hidden="true">{_MARKS[check.verdict]}</span> '
        f"{escape(check.name)}: {escape(check.verdict.value)}, {escape(check.seen)}</li>"
        for check in checks
    )
    return f'<details data-key="checks-{number}"><summary>Self-test</summary><ul>{rows}</ul></details>'


def _paragraph(kind: str, text: str | None) -> str:
    return f'<p class="{kind}">{escape(text)}</p>' if text else ""


def _have_labels(cards: Sequence[Card]) -> bool:
    return any(card.phase is Phase.PASS for card in cards)
