"""Which roles there are, and which one a method asks for. Whose role is which, hedgenode.rules.trust says.

A method that stands nowhere here is nobody's: what is new is closed until somebody opens it.
"""

STRANGER = 0
PERSON = 1
CUSTODIAN = 2
LAPTOP = 3
STEWARD = 4

NAMED = CUSTODIAN  # custodians, laptops and stewards
NOBODY = STEWARD + 1

# What anybody may who has found the cable or the radio: who the node is, the documents that count by their signatures,
# and the public layer. A neighbour with a phone has no key that a node knows.
_LEAST = {
    "hello": STRANGER,
    "identify": STRANGER,
    "session_open": STRANGER,
    "session_prove": STRANGER,
    "session_resume": STRANGER,
    "documents": STRANGER,
    "document": STRANGER,
    "document_put": STRANGER,
    "inbox": STRANGER,  # of the public layer
    "post": STRANGER,  # in the public layer, or sealed; never in a group or under the node's own signature
    "reserve": STRANGER,  # a place for a message that its author signs or seals
    "bundles": PERSON,
    "bundle": PERSON,
    "accept": PERSON,
}
# What tells of the node or changes it. One text, for a table of so many entries takes a small board's memory.
_FOR_NAMED = (
    "audited compare config configure dev document_send far_read far_send files follow"
    " group_advance group_put group_remove groups ledger ledger_head ledger_kept log move neighbours"
    " probe put_begin put_data put_end put_pieces remove restart samples set_time slot_confirm slot_prepare"
    " slot_try slots status"
)


def least(method: str) -> int:
    """The least role that may ask for it."""
    return _LEAST.get(method, NAMED if method in _FOR_NAMED.split(" ") else NOBODY)


def opening_refusal(now: dict, new: dict, role: int) -> "str | None":
    """Why somebody of that role may not write these settings over the present ones, or None.

    A laptop is lent and stolen more easily than a steward's or a household's key: it locks a door, and opens none.
    """
    if role in (STEWARD, CUSTODIAN):
        return None
    for key, shut in (("protected", True), ("console", "locked")):
        if now[key] == shut and new.get(key, shut) != shut:
            return "only a steward or the custodian may open what is shut by %s" % key
    return None


def refusal(method: str, role: int) -> "str | None":
    """Why somebody of that role is refused the method, or None."""
    if role >= least(method):
        return None
    if least(method) == NOBODY:
        return "%s is for nobody: no role of this node has it" % method
    if role == STRANGER:
        return "%s is not for everybody: this node answers it to its fleet's laptops and to its custodian" % method
    return "this key may not ask for %s" % method
