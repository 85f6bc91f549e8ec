"""The service's database and `transact()`, the only place that commits."""

import random
import time
from collections.abc import Callable, Mapping
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

Transaction = Connection
"""An open transaction: what store functions take first."""

MAX_TRIES = 8
"""How often one piece of work is tried when PostgreSQL asks for it to be done again."""
FIRST_PAUSE_SECONDS = 0.005
STATEMENT_TIMEOUT_MS = 30_000
LOCK_TIMEOUT_MS = 10_000
POOL_SIZE = 8
CONNECT_TIMEOUT_SECONDS = 5

SERIALIZATION_FAILURE = "40001"
DEADLOCK_DETECTED = "40P01"
INTEGRITY_VIOLATION_CLASS = "23"

P = ParamSpec("P")
T = TypeVar("T")


class DatabaseUnavailable(Exception):
    """The database does not answer; nothing was committed that was answered with success."""


class Database:
    """One service's schema on one server.

    `constraints` maps the name of a constraint to the domain error that a violation of it means; a violation
    of any other constraint is a fault of ours and stays what it is.
    """

    def __init__(self, url: str, schema: str, constraints: Mapping[str, Callable[[], Exception]] | None = None) -> None:
        self.schema = schema
        self.engine = _engine(url, schema)
        self._constraints = dict(constraints or {})

    def transact(self, work: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work(tx, ...)` in one transaction and commit it; the only commit there is.

        Serialisation failures and deadlocks are tried again, at most MAX_TRIES times. Raises the domain error
        that a violated constraint's name stands for, and DatabaseUnavailable when the server is away.
        """
        for attempt in range(MAX_TRIES):
            try:
                with self.engine.begin() as tx:
                    return work(tx, *args, **kwargs)
            except DBAPIError as error:
                if not _may_be_tried_again(error) or attempt == MAX_TRIES - 1:
                    raise self._meaning_of(error) from error
                time.sleep(FIRST_PAUSE_SECONDS * 2**attempt * (1 + random.random()))
        raise AssertionError("unreachable: the loop returns or raises")

    def read(self, query: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `query(tx, ...)` in a read-only transaction of one snapshot, which is rolled back."""
        try:
            with self.engine.connect() as connection:
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                with connection.begin() as transaction:
                    answer = query(connection, *args, **kwargs)
                    transaction.rollback()
                    return answer
        except DBAPIError as error:
            raise self._meaning_of(error) from error

    def ping(self) -> None:
        """Raise DatabaseUnavailable unless the server answers now."""
        self.read(lambda tx: tx.execute(text("select 1")).scalar_one())

    def close(self) -> None:
        """Give back every pooled connection."""
        self.engine.dispose()

    def _meaning_of(self, error: DBAPIError) -> Exception:
        name = violated_constraint(error)
        if name in self._constraints:
            return self._constraints[name]()
        if error.connection_invalidated or (isinstance(error, OperationalError) and _sqlstate(error) is None):
            return DatabaseUnavailable(f"schema {self.schema} cannot be reached")
        return error


def violated_constraint(error: DBAPIError) -> str | None:
    """The name of the constraint that `error` reports as violated, if it reports one."""
    diagnostics: Any = getattr(error.orig, "diag", None)
    return diagnostics.constraint_name if diagnostics is not None else None


def _engine(url: str, schema: str) -> Engine:
    options = (
        f"-c search_path={schema} -c timezone=UTC "
        f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={LOCK_TIMEOUT_MS}"
    )
    return create_engine(
        url,
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_pre_ping=True,
        # An error page or log must never show what was written: it may be a person's data.
        hide_parameters=True,
        connect_args={"options": options, "connect_timeout": CONNECT_TIMEOUT_SECONDS},
    )


def _sqlstate(error: DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)


def _may_be_tried_again(error: DBAPIError) -> bool:
    return _sqlstate(error) in (SERIALIZATION_FAILURE, DEADLOCK_DETECTED)
