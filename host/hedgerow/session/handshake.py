"""Knows how a protected session with a node begins: taken up again, or agreed anew. Knows no transport and no fleet."""

import secrets
from collections.abc import Awaitable, Callable, Generator
from typing import Any

from hedgenode.rules.replay import ReplayWindow
from hedgerow.errors import RemoteError
from hedgerow.session import suite0
from hedgerow.session.credentials import Credentials, OwnKey
from hedgerow.session.refused import Refused
from hedgewire import admin, edhoc, protection
from hedgewire.cbor import Damage
from hedgewire.protection import Protection, Resumption

EXCHANGE_WITHIN_S = 10.0  # of silence: a node says several times a second that it is still at it

Ask = Callable[[str, dict[str, Any], float], Awaitable[Any]]


class NotAllowed(Exception):
    """The node, or we, cannot be somebody to the other; the sentence says what to do about it."""


async def protect(ask: Ask, credentials: Credentials, timeout_s: float, hello: Any = None) -> Protection:
    """A protected session with whatever node answers `ask`, which is given `timeout_s` for what is quick.

    `hello` is its greeting, if it was heard already. Raises NotAllowed, Refused, and what `ask` raises; RemoteError
    where the fleet wants a node to ask who somebody is, and what answers does not: somebody may want to listen.
    """
    hello = hello or await ask("hello", {}, timeout_s)
    node_id = _bytes(hello, "id")
    if not hello.get("protected"):
        if credentials.insists(node_id):
            raise RemoteError(
                "fleet.toml says that it is protected, but whoever answers asks nobody for a key",
                state="Nothing was told to it",
                next_step="`hedgerow provision` gives it its settings; if it has them, somebody answers in its place",
            )
        raise NotAllowed("It asks nobody for a key")
    node_key = credentials.node_key(node_id)
    if node_key is None:
        raise NotAllowed(f"Node {node_id.hex()} is not enrolled in this fleet, so its key is not known here.")
    kept = credentials.kept.get(node_id)
    if kept is not None:
        try:
            return await _resume(ask, kept, timeout_s)
        except Refused as no:
            credentials.kept.forget(node_id)
            if no.code not in (admin.NOT_FOUND, admin.NOT_ALLOWED):
                raise
    why_not = NotAllowed("No key lies here that could open it: neither this laptop's, nor a steward's or custodian's.")
    for own in credentials.own(node_id):
        try:
            made, resumption = await _agree(ask, own, node_id, node_key)
        except NotAllowed as no:
            why_not = no
            continue
        credentials.kept.put(node_id, resumption)
        return made
    raise why_not


async def _resume(ask: Ask, kept: Resumption, timeout_s: float) -> Protection:
    nonce = secrets.token_bytes(protection.NONCE_BYTES)
    said = await ask(
        "session_resume", {"name": kept.name, "nonce": nonce, "proof": kept.proof(suite0, nonce)}, timeout_s
    )
    session = _bytes(said, "session")
    keys, proof = kept.keys(suite0, nonce, _bytes(said, "nonce"), session)
    if not protection.same(proof, _bytes(said, "proof")):
        raise Refused(admin.NOT_FOUND, "the node does not know what was agreed")
    return Protection(suite0, session, keys, ReplayWindow(), is_node=False)


async def _agree(ask: Ask, own: OwnKey, node_id: bytes, node_key: bytes) -> tuple[Protection, Resumption]:
    def find(kid: bytes) -> tuple[bytes, bytes] | None:
        return (node_key, edhoc.raw_key(kid, node_key)) if kid == node_id else None

    ephemeral = secrets.token_bytes(edhoc.KEY_BYTES)
    side = (own.secret(), own.kid, edhoc.raw_key(own.kid, own.public))
    exchange = edhoc.Initiator(suite0, side, (ephemeral, suite0.public_of(ephemeral)), find)
    said = await ask("session_open", {"message": exchange.message_1()}, EXCHANGE_WITHIN_S)
    message_3 = _whole(_finish(exchange.message_3_steps(_bytes(said, "message"))))
    try:
        named = {"message": message_3, "session": exchange.connection}
        said = await ask("session_prove", named, EXCHANGE_WITHIN_S)
    except Refused as no:
        if no.code != admin.NOT_ALLOWED:
            raise
        raise NotAllowed(
            f"Our key is {own.kid.hex()}, and {no.sentence}. Bring it your fleet's documents, or a certificate"
        ) from no
    _whole(exchange.take_message_4(_bytes(said, "message")))
    keys, resumption = protection.agreed(exchange)
    return Protection(suite0, exchange.connection, keys, ReplayWindow(), is_node=False), resumption


def _whole(result: Any) -> Any:
    """The result, unless it is Damage: then whoever answers does not hold the key of that node."""
    if isinstance(result, Damage):
        raise RemoteError(
            f"whoever answers there does not show that it is this node ({result.reason})",
            next_step="Nothing was told to it. If nobody else is on that line, look at the board: it may be a copy.",
        )
    return result


def _bytes(said: Any, name: str) -> bytes:
    found = said.get(name) if isinstance(said, dict) else None
    if not isinstance(found, bytes):
        raise RemoteError(f"the node's answer lacks {name}")
    return found


def _finish(steps: Generator[None, None, Any]) -> Any:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value
