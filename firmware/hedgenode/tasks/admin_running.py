"""Administration of the slots: which one runs and which stands, and that a release on trial is to stand.

Apart from what brings a release (admin_slots.py), which a small board has no room for beside an audit.
"""

import sys

from hedgenode.tasks.admin import Refusal
from hedgewire import admin


class RunningMethods:
    def __init__(self, node):
        self._node = node
        self.methods = {"slots": self.slots, "slot_confirm": self.slot_confirm}

    async def slots(self, params, rows):
        """Which slot runs and which stands; `tries` are the starts that one on trial has left, None without a trial."""
        state, running = slots_state()
        held, other = state.releases[running], state.releases[1 - running]
        said = {
            "running": slots_module().SLOTS[running],
            "stands": slots_module().SLOTS[state.stands],
            "tries": state.tries,
            "sequence": int.from_bytes(held[:4], "big"),
            "digest": held[4:],
        }
        if params.flag("other", False):
            said["other_sequence"] = int.from_bytes(other[:4], "big")
            said["other_digest"] = other[4:]
        return said

    async def slot_confirm(self, params, rows):
        """The release on trial stands. Asked again, it says so again."""
        state, running = slots_state()
        if state.tries is not None:
            if running == state.stands:
                raise Refusal(admin.REFUSED, "the release on trial has not started yet")
            if "slots" in sys.modules:
                self._node.confirm_release()
        return await self.slots(params, rows)


def slots_module():
    """The module that boot.py has, too; a node that was provisioned before there was one is updated by provisioning."""
    if "slots" in sys.modules:
        return sys.modules["slots"]
    try:
        import slots
    except ImportError:
        raise Refusal(admin.REFUSED, "this node has one slot only; `hedgerow provision` gives it two")  # noqa: B904
    del sys.modules["slots"]  # there during a trial only, by which main.py and app.py know
    return slots


def slots_state():
    """(state in flash, index of the running slot)."""
    return slots_module().load(), 1 if "/b" in sys.path else 0
