"""A node that belongs to nobody yet: it waits for whoever holds its label, and takes a charter from nobody else.

The label's secret is kept in a file of its own and stands for an agreement, which a session takes up. In that session
come the papers that a move to another fleet needs (tasks/moves.py); who brings them stands for the household that could
sign it. Once the node belongs to a fleet the file is gone. Whoever has the prompt needs none of this.
"""

from hedgenode.crypto import suite0
from hedgenode.rules.roles import CUSTODIAN, STRANGER
from hedgenode.store.counters import read_whole
from hedgenode.tasks import elsewhere
from hedgenode.tasks.admin import Refusal
from hedgenode.tasks.admin_node import NodeMethods
from hedgenode.tasks.moves import LABEL_PATH, MoveMethods
from hedgenode.tasks.sessions import Sessions
from hedgewire import admin, protection

SECRET_BYTES = 16
_HOLDER = b"label"  # in place of a public key: the one that holds it


class WaitingMethods:
    """The few things that such a node answers. `door` has the ways into a session; it takes one."""

    def __init__(self, node, door):
        self._node = node
        self.methods = {
            "hello": NodeMethods(node).hello,
            "session_resume": door.methods["session_resume"],
            "move": MoveMethods(node).move,
            "document_put": self.document_put,
        }

    async def document_put(self, params, rows):
        """Take in what makes this node one of a fleet, from who holds the label."""
        if rows.asker.role == STRANGER:
            raise Refusal(admin.NOT_ALLOWED, "this node belongs to nobody yet; it goes with whoever holds its label")
        if self._node.trust.busy:
            raise Refusal(admin.BUSY, "the node is looking at another document; ask again")
        considered = await elsewhere.consider(self._node, params.data("data"))
        refusal = "a move has to come first" if considered is None else considered[1]
        if refusal is not None:
            raise Refusal(admin.REFUSED, refusal)
        return {}


class _Holder:
    """Whom such a node lets in: the label, in the place of a household."""

    def role(self, public):
        return CUSTODIAN if public == _HOLDER else STRANGER

    def key_with_id(self, kid):
        return None


def sessions(node) -> Sessions:
    """What opens the frames of whoever holds the label; of nobody, where the secret is gone or damaged."""
    made = Sessions(_Holder(), node.clock, node.journal, None, None)
    secret, mine = read_whole(node.files, LABEL_PATH), node.layers.identity
    if secret is not None and mine is not None and len(secret) == SECRET_BYTES:
        made.expect(protection.labelled(suite0, bytes(secret), mine.public), _HOLDER)
    return made
