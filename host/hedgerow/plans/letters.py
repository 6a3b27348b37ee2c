"""Knows how a message is made for one of the three layers and handed to a node. Refuses to know options and ports.

Whoever signs or seals does it here, with the person's key: the node gives a place (the primary block of the bundle) and
takes the finished payload. A group message is encrypted by the node, which must be a member.
"""

import secrets
from dataclasses import dataclass

from hedgerow.errors import RefusedError, RemoteError
from hedgerow.fleet import keys, suite
from hedgerow.fleet.groups import Group
from hedgerow.fleet.keyring import Holder, Own
from hedgerow.fleet.suite import finish
from hedgerow.session import Session
from hedgewire import bundle, cbor, message, sealed
from hedgewire.cbor import Broken

EVERYONE = message.EVERYONE


@dataclass(frozen=True)
class Letter:
    """A text, in which layer and for whom. `to` is a node's short number or EVERYONE: where it travels.

    `reader` is set where it is sealed, `group` where it goes to a group; neither: everybody who carries it reads it.
    """

    text: str
    to: int = EVERYONE
    reader: Holder | None = None
    group: Group | None = None
    author: Own | None = None

    @property
    def layer(self) -> int:
        return message.SEALED if self.reader else message.GROUP if self.group else message.PUBLIC


async def post(session: Session, letter: Letter) -> bytes:
    """Hand it to the node; the id of the bundle, once it is safe there."""
    if letter.group is not None:
        params = await _group_params(session, letter, letter.group)
    elif letter.reader is None and letter.author is None:
        params = {"to": letter.to, "text": letter.text}  # what a node of the first release takes, too
    else:
        sequence, place = await _place(session, letter.to)
        params = {"sequence": sequence, "payload": payload(letter, place)}
    return bytes((await session.ask("post", params))["id"])


def payload(letter: Letter, place: bundle.Bundle) -> bytes:
    """A signed public message or a sealed one, for the bundle with that primary block."""
    if letter.reader is None:
        author, signature = _signed(letter, place, b"")
        return message.encode_signed(letter.text, author, signature)
    content = message.encode_content(letter.text)
    if letter.author is not None:
        content = message.encode_content(letter.text, *_signed(letter, place, letter.reader.public))
    agreement = keys.agreement_public(letter.reader.public)
    steps = sealed.seal_steps(
        suite, letter.reader.public, agreement or b"", secrets.token_bytes(keys.SEED_BYTES), place, content
    )
    body = None if agreement is None else finish(steps)
    if body is None:
        raise RefusedError(f"the key of {letter.reader} is nobody's, so nothing can be sealed to it")
    return message.encode_closed(message.SEALED, body)


async def _group_params(session: Session, letter: Letter, group: Group) -> dict:
    if group.group not in [bytes(row[0]) for row in await session.ask("groups")]:
        raise RefusedError(
            f"this node is no member of group {group.name}, so it has no key to write with",
            node=session.name,
            next_step=f"`hedgerow group add {group.name} NODE`, then `hedgerow provision`; or use a node that is one.",
        )
    if letter.author is None:
        return {"group": group.group, "text": letter.text}
    sequence, place = await _place(session, letter.to)
    author, signature = _signed(letter, place, group.group)
    return {
        "sequence": sequence,
        "group": group.group,
        "text": letter.text,
        "author": author,
        "signature": signature,
    }


async def _place(session: Session, to: int) -> tuple[int, bundle.Bundle]:
    answer = await session.ask("reserve", {"to": to})
    found = place_of(bytes(answer["primary"]))
    if found is None or found.sequence != answer["sequence"]:
        raise RemoteError("the node gave a place that is none", node=session.name)
    return answer["sequence"], found


def place_of(primary: bytes) -> bundle.Bundle | None:
    """The bundle with that primary block and nothing in it; None for bytes that are no primary block."""
    try:
        found, crc_good = bundle.read_primary(cbor.Reader(primary))
    except Broken:
        return None
    return found if crc_good is not False and found.primary == primary else None


def _signed(letter: Letter, place: bundle.Bundle, context: bytes) -> tuple[bytes, bytes]:
    """Key id of the author, and the signature."""
    assert letter.author is not None
    statement = message.statement(letter.layer, bundle.primary_block(place), letter.text, context)
    seed = letter.author.seed()
    return keys.key_id(keys.public_of(seed)), keys.sign(seed, statement)
