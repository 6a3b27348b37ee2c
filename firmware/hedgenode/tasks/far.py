"""The door over the mesh: a bundle brings what a cable would bring, whole frames, and a bundle takes the answer back.

Only at nodes that ask who somebody is. A frame in a bundle comes once, late or never; sessions bear that. What answers
cost on the air is bounded, whoever asks.
"""

from hedgenode.rules.allowance import Allowance
from hedgenode.tasks import outgoing
from hedgewire import admin, frame, message

MAX_PIECE_BYTES = 1800  # of frames in one bundle, which is to fit a frame of administration itself
LIFETIME_MS = 24 * 3600 * 1000  # as long as a session can be taken up again
BURST = 40  # bundles of answers at once
EVERY_S = 10  # and then one more in so many seconds


async def answer(node, held):
    """Answer the frames in a bundle that was sent to this node."""
    config = node.config
    to = held.source.node - config["ipn_base"]
    at_us = held.destination.node == config["ipn_base"] + config["short"]
    if not config["protected"] or not at_us or not 0 < to < message.EVERYONE:
        return
    if node.far is None:
        node.far = Allowance(BURST, EVERY_S)
    pieces = _Pieces(node, to)
    payload = held.payload
    for kind, asked in frame.Decoder(len(payload)).feed(payload):
        if kind == frame.REQUEST or kind == frame.SEALED:
            await node.door.handle(kind, asked, pieces.add)
    pieces.send()
    pieces.over = True


class _Pieces:
    """Frames on their way to one host, as many in a bundle as fit."""

    def __init__(self, node, to):
        self._node = node
        self._to = to
        self._frames = b""
        self.over = False

    def add(self, kind, payload):
        if self.over or _says_nothing(kind, payload):
            return
        framed = frame.encode(kind, payload)
        if len(self._frames) + len(framed) > MAX_PIECE_BYTES:
            self.send()
        self._frames += framed

    def send(self):
        frames, self._frames = self._frames, b""
        node = self._node
        if frames and node.far.take(node.clock.uptime_s()):
            outgoing.send(node, message.TO_HOST, frames, self._to, node.config["copies"], LIFETIME_MS)


def _says_nothing(kind, payload):
    """Whether it only says that an answer is on its way: over the mesh everybody knows patience."""
    if kind != frame.ANSWER:
        return False
    said = admin.parse_answer(payload)
    return not isinstance(said, admin.Damage) and said.code == admin.PART and not said.result
