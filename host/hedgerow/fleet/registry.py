"""Knows documents by digest and what was observed of nodes, in a database. Refuses to know what they mean.

Both tables only grow, and their keys are hashes of what a row says: two copies merge by union, and two writers at
once cannot overwrite each other. SQLite in a file is the default; a PostgreSQL URL works where its driver is
installed, and nothing in the schema is SQLite's own.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Index,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    func,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError

from hedgerow.errors import EnvironmentProblem, StorageError, UsageError
from hedgerow.fleet.documents import Document
from hedgewire import cbor

SCHEMA_VERSION = "1"
BUSY_TIMEOUT_S = 30
CONNECT_WITHIN_S = 10
_MAKING_TABLES = 0x48656467  # the number of a lock in PostgreSQL, the same for every hedgerow

_INSERT = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}  # the engines that know ON CONFLICT

_metadata = MetaData()
_meta = Table("meta", _metadata, Column("key", String(32), primary_key=True), Column("value", String(255)))
_documents = Table(
    "documents",
    _metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("kind", String(32), nullable=False, index=True),
    Column("body", LargeBinary, nullable=False),
)
_signatures = Table(
    "signatures",
    _metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("signer", LargeBinary(32), primary_key=True),
    Column("signature", LargeBinary(64), primary_key=True),
)
_observations = Table(
    "observations",
    _metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("node", LargeBinary(8), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("time_s", BigInteger, nullable=False),
    Column("laptop", LargeBinary(8), nullable=False),
    Column("data", LargeBinary, nullable=False),
    Index("observations_by_node", "node", "kind", "time_s"),
)


@dataclass(frozen=True)
class Observation:
    """What a laptop saw of a node at a time of its own clock; `data` is a CBOR map in the shape of its kind."""

    node: bytes  # node id
    kind: str  # "seen", "audit", "provisioned"
    time_s: int
    laptop: bytes  # key id
    data: bytes

    @property
    def digest(self) -> bytes:
        fields = [self.node, self.kind, self.time_s, self.laptop, self.data]
        return hashlib.sha256(cbor.encode(fields)).digest()

    @property
    def fields(self) -> dict:
        found: Any = cbor.decode(self.data)
        return found


class Registry:
    """One copy of what a fleet knows. Every write is one transaction; reads never wait for each other."""

    def __init__(self, url: str) -> None:
        self._engine = _engine(url)
        self.url = self._engine.url.render_as_string(hide_password=True)
        found = self._schema() or self._make_tables()
        if found != SCHEMA_VERSION:
            raise StorageError(
                f"the registry {self.url} has schema {found}, and this hedgerow knows schema {SCHEMA_VERSION}",
                next_step="Use the newer hedgerow that wrote it",
            )

    @staticmethod
    def in_file(path: Path) -> "Registry":
        return Registry(f"sqlite:///{path}")

    def close(self) -> None:
        self._engine.dispose()

    def _schema(self) -> str | None:
        """What schema is there. Writes nothing: a copy may lie on a medium that is read-only."""
        with self._reading() as connection:
            if not inspect(connection).has_table(_meta.name):
                return None
            return connection.scalar(select(_meta.c.value).where(_meta.c.key == "schema"))

    def _make_tables(self) -> str | None:
        with self._writing() as connection:
            if self._engine.dialect.name == "postgresql":  # where two that make the same table at once would both fail
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_MAKING_TABLES})"))
            _metadata.create_all(connection)
            _insert_new(connection, _meta, [{"key": "schema", "value": SCHEMA_VERSION}, {"key": "lock", "value": ""}])
            return connection.scalar(select(_meta.c.value).where(_meta.c.key == "schema"))

    def add(self, documents: Iterable[Document]) -> None:
        """Take in documents and signatures that are not here yet."""
        with self._writing() as connection:
            _add_documents(connection, documents)

    def documents(self, kind: str | None = None) -> list[Document]:
        """All documents of a kind (or all), by digest, with the signatures known here."""
        with self._reading() as connection:
            return _read_documents(connection, kind)

    def digests(self) -> set[bytes]:
        with self._reading() as connection:
            return set(connection.scalars(select(_documents.c.digest)))

    def decide(self, rule: Callable[[list[Document]], Document]) -> Document:
        """Add the document that `rule` makes of all the others, with no other writer in between.

        This is how a short id or a serial is taken once, also by two processes at the same moment.
        """
        with self._writing() as connection:
            connection.execute(update(_meta).where(_meta.c.key == "lock").values(value=""))
            document = rule(_read_documents(connection, None))
            _add_documents(connection, [document])
        return document

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Meanwhile no other process writes here: for files beside the registry that only one at a time may add to.

        Nothing of this registry may be called inside.
        """
        with self._writing() as connection:
            connection.execute(update(_meta).where(_meta.c.key == "lock").values(value=""))
            yield

    def observe(self, observations: Iterable[Observation]) -> None:
        rows = [{"digest": seen.digest, **vars(seen)} for seen in observations]
        with self._writing() as connection:
            _insert_new(connection, _observations, rows)

    def observations(self, node: bytes | None = None, kind: str | None = None) -> list[Observation]:
        """What was observed, oldest first; of one node or kind if they are given."""
        query = select(_observations).order_by(_observations.c.time_s, _observations.c.digest)
        if node is not None:
            query = query.where(_observations.c.node == node)
        if kind is not None:
            query = query.where(_observations.c.kind == kind)
        with self._reading() as connection:
            return [_observation(row) for row in connection.execute(query)]

    def count(self) -> int:
        """How many observations there are."""
        with self._reading() as connection:
            return connection.scalar(select(func.count()).select_from(_observations)) or 0

    def summary(self) -> dict[str, Any]:
        """documents, nodes: how many; observations: kind -> (how many, first and last second since 1970)."""
        seconds = _observations.c.time_s
        by_kind = select(_observations.c.kind, func.count(), func.min(seconds), func.max(seconds))
        with self._reading() as connection:
            return {
                "documents": connection.scalar(select(func.count()).select_from(_documents)) or 0,
                "nodes": connection.scalar(select(func.count(_observations.c.node.distinct()))) or 0,
                "observations": {
                    kind: tuple(facts)
                    for kind, *facts in connection.execute(by_kind.group_by(_observations.c.kind).order_by("kind"))
                },
            }

    def latest(self, kind: str) -> dict[bytes, Observation]:
        """The newest observation of a kind for each node."""
        newest = (
            select(_observations.c.node, func.max(_observations.c.time_s).label("time_s"))
            .where(_observations.c.kind == kind)
            .group_by(_observations.c.node)
            .subquery()
        )
        query = (
            select(_observations)
            .join(newest, (_observations.c.node == newest.c.node) & (_observations.c.time_s == newest.c.time_s))
            .where(_observations.c.kind == kind)
            .order_by(_observations.c.digest)
        )
        with self._reading() as connection:
            return {row.node: _observation(row) for row in connection.execute(query)}

    def merge(self, other: "Registry") -> None:
        """Take in everything that another copy knows. In any order, any number of times, to the same state."""
        documents, observations = other.documents(), other.observations()
        self.add(documents)
        self.observe(observations)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with _said_plainly(self.url), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with _said_plainly(self.url), self._engine.connect() as plain:
            connection = plain.execution_options(hedgerow_writes=True)
            with connection.begin():
                yield connection


def _engine(url: str) -> Engine:
    try:
        engine = create_engine(url, connect_args=_bounds(url))
    except (ArgumentError, ImportError) as error:
        kind = EnvironmentProblem if isinstance(error, ImportError) else UsageError
        raise kind(
            f"the registry cannot be opened by its URL: {error}",
            next_step="Give a URL such as sqlite:///registry.sqlite; for PostgreSQL install hedgerow[postgresql]",
        ) from error
    if engine.dialect.name not in _INSERT:
        raise UsageError(f"the registry {engine.url!r} is neither SQLite nor PostgreSQL")
    if engine.dialect.name == "sqlite":
        _take_over_transactions(engine)
    return engine


def _bounds(url: str) -> dict[str, Any]:
    """Arguments by which PostgreSQL's driver waits no longer than we would for a file."""
    if make_url(url).drivername not in ("postgresql", "postgresql+psycopg"):
        return {}
    return {"connect_timeout": CONNECT_WITHIN_S, "options": f"-c lock_timeout={BUSY_TIMEOUT_S}s"}


def _take_over_transactions(engine: Engine) -> None:
    # Python's sqlite3 begins late and as a reader; two writers would then meet in the middle and one would fail.
    # BEGIN IMMEDIATE makes the second one wait at the door instead, for at most BUSY_TIMEOUT_S.
    @event.listens_for(engine, "connect")
    def leave_beginning_to_us(connection, _record) -> None:
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_S * 1000}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("hedgerow_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _said_plainly(url: str) -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise StorageError(
            f"the registry {url} cannot be used: {error.orig}",
            next_step="Check that its folder exists and is writable, and that no other program holds it open",
        ) from error
    except DatabaseError as error:
        raise StorageError(
            f"the registry {url} is damaged: {error.orig}",
            next_step="Move it away; documents/ beside it holds every enrolment, and a new registry is made from there",
        ) from error


def _add_documents(connection: Connection, documents: Iterable[Document]) -> None:
    documents = list(documents)
    bodies = [{"digest": item.digest, "kind": item.kind, "body": item.body} for item in documents]
    signatures = [
        {"digest": item.digest, "signer": signer, "signature": signature}
        for item in documents
        for signer, signature in item.signatures
    ]
    _insert_new(connection, _documents, bodies)
    _insert_new(connection, _signatures, signatures)


def _read_documents(connection: Connection, kind: str | None) -> list[Document]:
    signatures: dict[bytes, list] = {}
    for row in connection.execute(select(_signatures)):
        signatures.setdefault(row.digest, []).append((row.signer, row.signature))
    query = select(_documents.c.digest, _documents.c.body).order_by(_documents.c.digest)
    if kind is not None:
        query = query.where(_documents.c.kind == kind)
    rows = connection.execute(query)
    return [Document(row.body).with_signatures(tuple(signatures.get(row.digest, ()))) for row in rows]


def _insert_new(connection: Connection, table: Table, rows: list[dict]) -> None:
    """Insert the rows whose primary key is new; a row that exists says the same, because its key is its hash."""
    if not rows:
        return
    # In one order everywhere: two writers that bring the same rows in different ones would wait for each other.
    keys = [column.name for column in table.primary_key]
    ordered = sorted(rows, key=lambda row: [row[key] for key in keys])
    connection.execute(_INSERT[connection.dialect.name](table).on_conflict_do_nothing(), ordered)


def _observation(row) -> Observation:
    return Observation(row.node, row.kind, row.time_s, row.laptop, row.data)
