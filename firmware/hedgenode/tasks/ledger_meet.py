"""What a node says of ledgers to its neighbours, and does with what they say. Loaded while there is something of that.

`task` is the LedgerTask. Nothing is shown before it is kept.
"""

from hedgenode.rules.ledger_pace import Asking, Budget
from hedgewire import link


async def take(task, said, exchange, now_s):
    """A link.Head or a link.Witness that was heard."""
    if isinstance(said, link.Head):
        await _on_head(task, said, exchange, now_s)
    elif Asking(task.asked).waits_for(said.source):
        await _on_witness(task, said, now_s)


def show(task, exchange, now_s):
    """Our signed head to who is near, if it is time for that."""
    head = task.head
    near = {short: peer.heard_s for short, peer in exchange.peers.items()}
    asking = Asking(task.asked)
    if asking.due(head[0], near, now_s):
        task.say(link.encode_head(exchange.tag, exchange.short, head[0], head[1], task.public, head[2]))
        asking.shown(near, now_s)


async def _on_head(task, said, exchange, now_s):
    """A neighbour's head: answer with a counter-signature, made now or before, or not at all."""
    ours, check = task.with_book(lambda book: book.on_head(said, now_s))
    if check is not None and await task.is_good(said.writer, check, said.signature):
        statement = task.with_book(lambda book: book.on_good_head(said))
        if statement is not None:
            made = await task.signature(statement)
            task.with_book(lambda book: book.on_vouched(said, made))
            task.journal.say("info", "ledger: vouched for %s" % said.writer.hex()[:8])
            ours = made
    if ours is not None:
        start = (exchange.tag, exchange.short, said.source, said.seq)
        task.say(link.encode_witness(*start, said.digest, task.public, ours))


async def _on_witness(task, said, now_s):
    budget = Budget(task.used)
    check = task.with_book(lambda book: book.on_witness(said, budget, now_s))
    if check is not None and await task.is_good(said.witness, check, said.signature):
        task.with_book(lambda book: book.on_good_witness(said))
        Asking(task.asked).answered(said.source)
