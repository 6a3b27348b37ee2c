"""Knows what has to be done so that a board becomes the wanted node, as values. Does none of it.

A plan is made from what was seen, never from what was done before: after an interruption the same rules find what is
left to do, and nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from hedgerow.errors import RefusedError, StorageError
from hedgerow.fleet.inventory import NodeSpec
from hedgerow.plans import trust_files
from hedgerow.plans.firmware import FirmwareSet
from hedgerow.plans.look import LABEL_PATH, NOBODY, RECORDS, NodeFacts
from hedgerow.repl.copy import FileThere, FileToCopy, missing_bytes


@dataclass(frozen=True)
class Consent:
    """What the person at the keyboard has said yes to."""

    take_over: bool = False  # a node of another fleet, or one that has another name here
    replace: bool = False  # this board takes the place of a lost one under its name
    custodians: frozenset[bytes] = frozenset()  # ids of custodians whose keys lie on this laptop


@dataclass(frozen=True)
class InstallFiles:
    """Write files whose content differs; each is whole or as before."""

    files: tuple[FileToCopy, ...]
    changes: ClassVar[bool] = True

    def __str__(self) -> str:
        size = sum(len(file.data) for file in self.files)
        return f"install {_count(len(self.files), 'file')} ({size / 1000:.1f} kB)"


@dataclass(frozen=True)
class RemoveFiles:
    """Remove program files that the firmware does not have: an old module must not shadow a new one."""

    paths: tuple[str, ...]
    changes: ClassVar[bool] = True

    def __str__(self) -> str:
        return "remove " + ", ".join(self.paths)


@dataclass(frozen=True)
class CreateIdentity:
    """Have the node make its key, with randomness of ours mixed in."""

    changes: ClassVar[bool] = True

    def __str__(self) -> str:
        return "make an identity on the node"


@dataclass(frozen=True)
class Enrol:
    """Take the node's key into the roster under its name, with a short id."""

    name: str
    changes: ClassVar[bool] = True

    def __str__(self) -> str:
        return f"enrol it as {self.name}"


@dataclass(frozen=True)
class WriteConfig:
    """Write /config.cbor; `fields` are the keys that change."""

    fields: tuple[str, ...]
    changes: ClassVar[bool] = True

    def __str__(self) -> str:
        return "write its configuration" + (f" ({', '.join(self.fields)})" if self.fields else "")


@dataclass(frozen=True)
class GiveDocuments:
    """Write the documents by which the node knows whom to trust, and that it belongs to the fleet."""

    changes: ClassVar[bool] = True

    def __str__(self) -> str:
        return "give it the documents of the fleet"


@dataclass(frozen=True)
class GiveGroupKeys:
    """Give the running node the keys of the groups that it is a member of."""

    changes: ClassVar[bool] = True

    def __str__(self) -> str:
        return "give it the keys of its groups"


@dataclass(frozen=True)
class LetItWait:
    """Write the secret of its label and the configuration of a node that belongs to nobody."""

    secret: bytes = field(repr=False)
    changes: ClassVar[bool] = True

    def __str__(self) -> str:
        return "let it wait for whoever holds its label"


@dataclass(frozen=True)
class ShowLabel:
    """Ask the running node whether its label opens it."""

    secret: bytes = field(repr=False)
    changes: ClassVar[bool] = False

    def __str__(self) -> str:
        return "try its label"


@dataclass(frozen=True)
class Restart:
    """Reset the board, so that it runs what stands in its flash."""

    changes: ClassVar[bool] = False

    def __str__(self) -> str:
        return "restart it"


@dataclass(frozen=True)
class Verify:
    """Ask the running node who it is and compare its files and configuration with what was wanted."""

    changes: ClassVar[bool] = False

    def __str__(self) -> str:
        return "ask the running node and compare"


Step = (
    InstallFiles
    | RemoveFiles
    | CreateIdentity
    | Enrol
    | GiveDocuments
    | WriteConfig
    | LetItWait
    | Restart
    | ShowLabel
    | GiveGroupKeys
    | Verify
)


def plan(wanted: NodeSpec, seen: NodeFacts, firmware: FirmwareSet, consent: Consent = Consent()) -> list[Step]:
    """The steps that make this board the wanted node; none if it is that already and runs.

    Raises RefusedError for a board that must not become this node, StorageError if its flash is too small.
    """
    refuse_wrong_board(wanted, seen)
    refuse_old_micropython(wanted, seen, firmware)
    refuse_other_fleet(wanted, seen, consent)
    refuse_other_key(wanted, seen, consent)
    steps: list[Step] = []
    differing = tuple(file for file in firmware.files if seen.sha256.get(file.path) != file.sha256)
    if differing:
        refuse_full_flash(wanted, seen, differing)
        steps.append(InstallFiles(differing))
    if extra := superfluous(seen, firmware):
        steps.append(RemoveFiles(extra))
    if seen.node_id is None:
        steps.append(CreateIdentity())
    enrolment = wanted.enrolment
    if enrolment is None or enrolment.node_id != seen.node_id or not wanted.is_settled:
        steps += [Enrol(wanted.name), GiveDocuments(), WriteConfig(())]
    elif lacks_documents(wanted, seen):
        changed = changed_fields(wanted.config(enrolment), seen.config)
        steps += [GiveDocuments(), *([WriteConfig(changed)] if changed else [])]
    elif changed := changed_fields(wanted.config(enrolment), seen.config):
        steps.append(WriteConfig(changed))
    keys = [GiveGroupKeys()] if lacks_groups(wanted, seen) else []
    if steps or not seen.was_running:
        return [*steps, Restart(), *keys, Verify()]
    return [*keys, Verify()] if keys else []


def superfluous(seen: NodeFacts, firmware: FirmwareSet) -> tuple[str, ...]:
    """Paths of files that the firmware does not have. What lies in /b a node that was updated may run.

    Without a record /a boots, which is what is installed; and a node of a fleet has no label to wait with.
    """
    beside = {path for path in seen.sha256 if path.startswith("/a/") or path in (*RECORDS, LABEL_PATH)}
    return tuple(sorted(beside - set(firmware.sha256)))


def changed_fields(wanted: Mapping[str, object], seen: Mapping[str, object] | None) -> tuple[str, ...]:
    """Names of the settings in which a node's configuration is not the wanted one. What we do not set is its own."""
    return tuple(sorted(key for key, value in wanted.items() if seen is None or _plain(seen.get(key)) != _plain(value)))


def lacks_documents(wanted: NodeSpec, seen: NodeFacts) -> bool:
    """Whether the node is to hold a document that it does not hold. What it holds beside them is its own affair."""
    return not trust_files.wanted(wanted).digests <= seen.documents


def lacks_groups(wanted: NodeSpec, seen: NodeFacts) -> bool:
    """Whether the node is to be in a group that it is not in. At a prompt that is not known: then it is asked later."""
    return not wanted.groups <= (seen.groups or frozenset())


def refuse_wrong_board(wanted: NodeSpec, seen: NodeFacts) -> None:
    """fleet.toml says which board a node is; pins of another board may burn something."""
    if not seen.may_be(wanted.board):
        raise RefusedError(
            f"{wanted.name} is to be a {wanted.board.name} ({wanted.board.id}), but this says it is {seen.is_what}",
            node=seen.port,
            state="Nothing was changed",
            next_step=f"Plug in the right board, or correct board = … of {wanted.name} in fleet.toml",
        )


def refuse_old_micropython(wanted: NodeSpec, seen: NodeFacts, firmware: FirmwareSet) -> None:
    """A board that cannot load our .mpy files would only print errors."""
    if seen.mpy != firmware.mpy:
        raise RefusedError(
            f"its MicroPython {seen.version} loads .mpy files of version {seen.mpy or 'none'}, and the firmware has"
            f" {firmware.mpy}",
            node=seen.port,
            state="Nothing was changed",
            next_step=f"Flash MicroPython 1.22 or later with `hedgerow flash`. {wanted.board.bootloader_help}",
        )


def refuse_other_fleet(wanted: NodeSpec, seen: NodeFacts, consent: Consent) -> None:
    """A node of another fleet is somebody's. It moves only by an explicit word, and never against its custodian."""
    config = seen.config or {}
    fleet = config.get("fleet")
    if not isinstance(fleet, bytes) or fleet in (wanted.fleet, NOBODY):
        return
    name = config.get("name", "without a name")
    custodian = config.get("custodian")
    if isinstance(custodian, bytes) and custodian not in consent.custodians:
        raise RefusedError(
            f"this is node {name} of the fleet {fleet.hex()}, and it has a custodian whose key is not on this laptop",
            node=seen.port,
            state="Nothing was changed: no node moves against its custodian",
            next_step="Ask the household that it belongs to. Their key on this laptop lets you take the node over",
        )
    if not consent.take_over:
        raise RefusedError(
            f"this is node {name} of another fleet ({fleet.hex()})",
            node=seen.port,
            state="Nothing was changed",
            next_step=(
                "If it is to leave that fleet, run the same command with --take-over: its key and the messages that it"
                " holds stay, its name, fleet and configuration become yours. Tell the people it came from"
            ),
        )


def refuse_other_key(wanted: NodeSpec, seen: NodeFacts, consent: Consent) -> None:
    """A name belongs to one key. Another board gets it only when somebody says that the first one is gone."""
    config, enrolment = seen.config or {}, wanted.enrolment
    if enrolment is not None and enrolment.node_id != seen.node_id and not consent.replace:
        raise RefusedError(
            f"the name {wanted.name} belongs to node {enrolment.node_id.hex()} already, and this board is another one",
            node=seen.port,
            state="Nothing was changed",
            next_step=(
                f"Give this board a [[node]] of its own in fleet.toml; or, if the board that was {wanted.name} is lost"
                " or erased, run the same command with --replace"
            ),
        )
    known_as = config.get("name")
    of_us = config.get("fleet") == wanted.fleet
    if of_us and isinstance(known_as, str) and known_as != wanted.name and not consent.take_over:
        raise RefusedError(
            f"this board is {known_as} of your own fleet, not {wanted.name}",
            node=seen.port,
            state="Nothing was changed",
            next_step=f"Provision it as {known_as}, or give it the new name for good with --take-over",
        )


def refuse_full_flash(wanted: NodeSpec, seen: NodeFacts, files: tuple[FileToCopy, ...]) -> None:
    """Better to say so before the first byte than in the middle."""
    there = {path: FileThere(size, seen.sha256[path]) for path, size in seen.sizes.items()}
    missing = missing_bytes(
        files,
        {file.path: there.get(file.path) for file in files},
        block_bytes=seen.block_bytes,
        free_blocks=seen.free_bytes // seen.block_bytes,
    )
    if missing > 0:
        raise StorageError(
            f"the flash has no room: {seen.free_bytes} of {seen.total_bytes} bytes are free,"
            f" and {_count(len(files), 'file')} need {missing} more",
            node=seen.port,
            state="Nothing was changed",
            next_step=f"Remove files that {wanted.name} does not need, or erase the board and provision it anew",
        )


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
