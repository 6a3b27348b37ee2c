"""Both sides of an EDHOC exchange from vectors/edhoc.json, for tests of boards and of the host. Knows no test."""

from hedgenode.crypto import suite0
from hedgenode.crypto.steps import finish
from hedgewire import edhoc
from hedgewire.cbor import Damage


class TableSuite:
    """Suite 2 for a board, which has no P-256: the agreements of a trace come from the trace. The rest is real.

    Any other agreement gives bytes that depend on both keys, so that a changed key is another key and no error.
    """

    hash = staticmethod(suite0.hash)
    extract = staticmethod(suite0.extract)
    expand = staticmethod(suite0.expand)
    encrypt = staticmethod(suite0.encrypt)
    decrypt = staticmethod(suite0.decrypt)

    def __init__(self, case):
        self.number = case["suite"]
        self._known = {}
        for secret, public, shared in (
            ("x", "g_y", "g_xy"),
            ("y", "g_x", "g_xy"),
            ("x", "g_r", "g_rx"),
            ("r", "g_x", "g_rx"),
            ("i", "g_y", "g_iy"),
            ("y", "g_i", "g_iy"),
        ):
            self._known[case[secret] + case[public]] = bytes.fromhex(case[shared])

    def agree_steps(self, secret, public):
        yield
        return self._known.get(secret.hex() + public.hex(), suite0.hash(secret + public))


def sides(case, suite=None):
    """(initiator, responder) of a vector."""
    raw = {}
    for name in case:
        if isinstance(case[name], str) and name != "name":
            raw[name] = bytes.fromhex(case[name])
    book = {raw["kid_i"]: (raw["g_i"], raw["cred_i"]), raw["kid_r"]: (raw["g_r"], raw["cred_r"])}
    suite = suite or TableSuite(case)
    return (
        edhoc.Initiator(suite, (raw["i"], raw["kid_i"], raw["cred_i"]), (raw["x"], raw["g_x"]), book.get),
        edhoc.Responder(suite, (raw["r"], raw["kid_r"], raw["cred_r"]), (raw["y"], raw["g_y"]), book.get),
    )


def run(case, initiator, responder, changed=None):
    """The four messages, or the first Damage. `changed`: (number, what arrives in the place of that message)."""

    def way(number, message):
        return changed[1] if changed and changed[0] == number else message

    message = initiator.message_1(bytes.fromhex(case["c_i"]), case["more_preferred"])
    told = [message]
    for number in (1, 2, 3):
        arrived = way(number, message)
        if number == 1:
            message = finish(responder.message_2_steps(arrived, bytes.fromhex(case["c_r"])))
        elif number == 2:
            message = finish(initiator.message_3_steps(arrived))
        else:
            message = finish(responder.message_4_steps(arrived))
        if isinstance(message, Damage):
            return message
        told.append(message)
    return initiator.take_message_4(way(4, message)) or told
