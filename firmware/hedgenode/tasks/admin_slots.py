"""Administration of an update: what the slot that does not run lacks of a release, and the start of its trial.

Whoever brings a release, it counts by its signatures. Files that the running slot has already are copied from there.
"""

import asyncio
import gc
import hashlib
import os
import time

from hedgenode.crypto.steps import finish_politely
from hedgenode.rarely import Rarely
from hedgenode.rules import releases, roles
from hedgenode.store.walk import digest, walk
from hedgenode.tasks.admin import Refusal
from hedgenode.tasks.admin_files import make_folders
from hedgenode.tasks.admin_running import slots_module, slots_state
from hedgewire import admin, document, release, trust

PATH = "/release.cbor"
_KEPT_FREE_BYTES = 16384
_PIECE_BYTES = 512
_SHORT = 8  # bytes of a digest in the record
_ALIVE_MS = 1000
_AT_ONCE = 16  # paths


class SlotMethods:
    def __init__(self, node):
        self._node = node
        self._buffer = bytearray(_PIECE_BYTES)
        self._said_ms = None
        self.methods = {
            "slot_prepare": self.slot_prepare,
            "slot_try": self.slot_try,
        }

    async def slot_prepare(self, params, rows):
        """Make the other slot ready for the release in /release.cbor; the answer lists the paths that it lacks."""
        said, _ = await self._judged(rows)
        state, running = _idle()
        here, there = slots_module().SLOTS[running], slots_module().SLOTS[1 - running]
        self._check_room(said, there)
        if state.tries is not None:  # what is written to is not to boot
            slots_module().save(slots_module().FLASH, slots_module().given_up(state))
        while True:  # a few at a time: neither is a folder changed while it is read, nor a long list held
            extra = _strange(said, there, _AT_ONCE)
            for path in extra:
                os.remove(there + "/" + path)
            if len(extra) < _AT_ONCE:
                break
        for path, size, sha256 in said.files:
            await self._breathe(rows)
            if self._is(there + "/" + path, size, sha256):
                continue
            if self._is(here + "/" + path, size, sha256):
                self._copy(here + "/" + path, there + "/" + path)
                continue
            if _size(there + "/" + path) is not None:
                os.remove(there + "/" + path)
            await rows.add(path)

    async def slot_try(self, params, rows):
        """Verify the whole of the other slot, and put it on trial: it boots at the next start."""
        said, name = await self._judged(rows)
        state, running = _idle()
        there = slots_module().SLOTS[1 - running]
        for file in said.files:
            await self._breathe(rows)
            size = _size(there + "/" + file[0])
            _refuse(
                releases.file_fault(file, None if size is None else (size, digest(there + "/" + file[0], self._buffer)))
            )
        for path in _strange(said, there, 1):
            _refuse(releases.extra_fault(path))
        held = said.sequence.to_bytes(4, "big") + name[:_SHORT]
        slots_module().save(slots_module().FLASH, slots_module().begun(state, held))
        self._node.journal.say("info", "release %d goes on trial" % said.sequence)
        return {"slot": there, "sequence": said.sequence, "digest": name[:_SHORT]}

    async def _judged(self, rows):
        """(release, its digest) of /release.cbor; Refusal with a sentence where this node may not run it."""
        node = self._node
        gc.collect()  # the body needs a long free stretch
        try:
            file = node.files.open(PATH, "rb")
        except OSError:
            raise Refusal(admin.REFUSED, "there is no " + PATH)  # noqa: B904
        try:
            opened = release.open_envelope(file)
        finally:
            file.close()
        said = opened if isinstance(opened, document.Damage) else release.unroll(opened[0])
        if isinstance(said, document.Damage):
            raise Refusal(admin.REFUSED, "/release.cbor is no release: %s" % said.reason)
        assert isinstance(opened, tuple)  # because it was read
        body, signatures = opened
        name = hashlib.sha256(body).digest()
        state, running = slots_state()
        held = state.releases[running]
        known = None if held == slots_module().NO_RELEASE else held[4:]
        _refuse(
            releases.fleet_fault(said, node.config["fleet"])
            or releases.board_fault(said, node.hardware.board.ID)
            or releases.chip_fault(said, os.uname()[4])
            or releases.mpy_fault(said, node.hardware.versions()[1])
            or releases.sequence_fault(said, name[:_SHORT], int.from_bytes(held[:4], "big"), known)
        )
        _refuse(await self._signature_fault(body, signatures))
        return said, name

    async def _signature_fault(self, body, signatures):
        """Stewards are whom the charter in force names and nobody has revoked; of others nothing is verified."""
        charter = self._charter()
        if charter is None:
            return "this node holds no charter by which it could judge"
        signers = set()
        with Rarely():
            from hedgenode.crypto.ed25519 import verify_steps

            for public, signature in signatures:
                if self._node.trust.role(public) != roles.STEWARD or len(signers) >= charter.threshold:
                    continue
                if await finish_politely(verify_steps(public, body, signature)):
                    signers.add(public)
        return releases.signature_fault(charter, signers)

    def _charter(self):
        newest = None
        for held, kind in self._node.trust.documents():
            if kind == trust.CHARTER:
                found = document.decode(self._node.trust.get(held) or b"")
                said = found if isinstance(found, document.Damage) else trust.read(found.fields, trust.CHARTER)
                if isinstance(said, trust.Statement) and said.version == self._node.trust.version:
                    newest = said
        return newest

    def _check_room(self, said, there):
        stat = os.statvfs("/")
        block = stat[1]
        free = self._node.hardware.flash_bytes()[0] + sum(-(-size // block) * block for _, size in _below(there))
        fault = releases.size_fault(said, free - _KEPT_FREE_BYTES, block)
        if fault is not None:
            raise Refusal(admin.STORAGE_FULL, fault)

    async def _breathe(self, rows):
        """Let the others run, and say now and then that an answer is on its way: words take room on the cable."""
        now_ms = time.ticks_ms()
        if self._said_ms is None:
            self._said_ms = now_ms
        if time.ticks_diff(now_ms, self._said_ms) > _ALIVE_MS:
            self._said_ms = now_ms
            rows.alive()
        await asyncio.sleep_ms(0)

    def _is(self, path, size, sha256):
        return _size(path) == size and digest(path, self._buffer) == sha256

    def _copy(self, old, new):
        make_folders(new)
        view = memoryview(self._buffer)
        with open(old, "rb") as source, open(new, "wb") as target:
            while True:
                count = source.readinto(self._buffer)
                if not count:
                    break
                target.write(view[:count])


def _idle():
    state, running = slots_state()
    if running != state.stands:
        raise Refusal(admin.BUSY, "a release is on trial; confirm it, or wait until it goes back")
    return state, running


def _below(slot):
    """(path below it, size) of every file in a slot; none where there is no such folder."""
    try:
        for path, size in walk(slot):
            yield path[len(slot) + 1 :], size
    except OSError:
        pass


def _size(path):
    try:
        return os.stat(path)[6]
    except OSError:
        return None


def _strange(said, slot, most):
    """The paths of up to so many files in a slot that belong to no such release."""
    found = []
    for path, _ in _below(slot):
        if not said.has(path):
            found.append(path)
            if len(found) == most:
                break
    return found


def _refuse(fault):
    if fault is not None:
        raise Refusal(admin.REFUSED, fault)
