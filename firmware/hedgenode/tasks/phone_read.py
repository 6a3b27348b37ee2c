"""What the page for phones shows: the public layer, least heard first, a form, how the node is; or why something was
refused. In memory only while a page is sent, so that a plain ESP32 has the room for what posts."""

import asyncio
import gc

from hedgenode.rules import phone
from hedgenode.rules.inbox import least_heard_part
from hedgenode.rules.power import plan
from hedgenode.tasks import phone_page
from hedgewire import bundle, message

MESSAGES = 30  # looked at for one page: each is read from flash
_MOST_BEGUN = 9999  # no store has so many messages
_JUDGED_AT_ONCE = 16


async def show(visit, asked, write):
    """The page, from the message on that the query's `from` says."""
    view = await _begin(visit, asked, write)
    if "done" in asked.query:
        await _send(write, phone_page.notice(view.words["posted"], True))
    await _send(write, phone_page.lead(view))
    await _messages(visit, view, _number(asked.query.get("from")), write)
    await _send(write, phone_page.form(view, visit.key, visit.nonce()))
    await _send(write, phone_page.state(view, _state(visit, view)))
    await _send(write, phone_page.end(view))


async def refuse(visit, sentence, asked, write, text):
    """A page that says why; with the form, and what was written in it, where `text` is one."""
    view = await _begin(visit, asked, write)
    await _send(write, phone_page.refusal(view, sentence))
    if text is not None:
        text = text[: phone.MAX_TEXT_BYTES]
        await _send(write, phone_page.form(view, visit.key, visit.nonce(), text))
    await _send(write, phone_page.end(view))


async def _begin(visit, asked, write):
    """Up to the title. One thing after the other, for a plain ESP32 has no room for the style beside the words."""
    tag = visit.tag(asked)
    await _send(write, phone_page.begin(tag, visit.style()))
    gc.collect()
    view = phone_page.View(visit.words(tag), tag, visit.node.config["name"], visit.languages)
    await _send(write, phone_page.title(view))
    return view


async def _messages(visit, view, begin, write):
    await _judge(visit)
    wanted = least_heard_part(lambda: _rows(visit), begin, MESSAGES + 1)
    await _send(write, phone_page.messages(view, bool(wanted) or begin > 0))
    shown = used = 0
    for seq in wanted[:MESSAGES]:
        found = _read(visit.node, seq)
        if found is not None:
            size = phone_page.message_bytes(found[0])
            if used and used + size > phone_page.MESSAGES_BYTES:
                break
            used += size
            await _send(write, phone_page.message(view, *found))
        shown += 1
    if shown < len(wanted):
        await _send(write, phone_page.further(view, begin + shown, "more"))
    if begin:
        await _send(write, phone_page.further(view, 0, "first"))


def _rows(visit):
    """(source, arrival number) of each public text."""
    for entry in _for_everyone(visit.node):
        if entry.seq <= visit.judged and entry.seq not in visit.others:
            yield entry.source, entry.seq


def _for_everyone(node):
    everyone = node.config["ipn_base"] + message.EVERYONE
    for entry in node.bundles.entries():
        if entry.destination == everyone:
            yield entry


async def _judge(visit):
    """Find out what of the new arrivals for everybody is a public text, a few at a time."""
    while True:
        new = [entry.seq for entry in _for_everyone(visit.node) if entry.seq > visit.judged]
        if not new:
            return
        for seq in sorted(new)[:_JUDGED_AT_ONCE]:
            if _read(visit.node, seq) is None:
                visit.others.add(seq)
            visit.judged = max(visit.judged, seq)
            await asyncio.sleep_ms(0)


def _read(node, seq):
    """(text, short id of the source or None for this node, age_ms, is it signed) of a public text, else None."""
    for entry in node.bundles.entries():
        if entry.seq == seq:
            data, age_ms = node.bundles.get_aged(entry.id, node.clock.uptime_ms()) or (b"", None)
            held = bundle.decode(data)
            if isinstance(held, bundle.Damage) or held.destination.service != message.TEXT:
                return None
            said = message.decode(held.payload)
            if isinstance(said, message.Damage) or said.layer != message.PUBLIC:
                return None
            source = entry.source - node.config["ipn_base"]
            source = None if source == node.config["short"] else source
            return said.body, source, age_ms, said.author is not None
    return None


def _state(visit, view):
    node = visit.node
    battery_mv = node.hardware.battery_mv()
    if battery_mv is None:
        battery = view.words["cable"]
    else:
        name = view.words[plan(battery_mv, None, 1).name]
        battery = "%s (%d.%02d V)" % (name, battery_mv // 1000, battery_mv % 1000 // 10)
    rows = [("battery", battery), ("held", str(node.bundles.count()))]
    if node.exchange is not None:
        rows.append(("heard", str(len(node.exchange.peers))))
    rows.append(("awake", phone_page.time(view, node.clock.uptime_ms())))
    rows.append(("left", view.words["minutes"] % (max(0, visit.left_ms() + 59999) // 60000)))
    return rows


async def _send(write, pieces):
    for piece in pieces:
        await write(piece.encode())


def _number(text):
    try:
        return min(max(0, int((text or "0")[:5])), _MOST_BEGUN)
    except ValueError:
        return 0
