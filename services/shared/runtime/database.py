"""The service's database and `transact()`, the only place that commits."""

import random
import time
from collections.abc import Callable, Mapping
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DataError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from services.shared.vocabulary.invalid_body import BodyError, InvalidBody

Transaction = Connection
"""An open transaction: what store functions take first."""

MAX_TRIES = 8
"""How often one piece of work is tried when PostgreSQL asks for it to be done again."""
FIRST_PAUSE_SECONDS = 0.005
STATEMENT_TIMEOUT_MS = 30_000
LOCK_TIMEOUT_MS = 10_000
IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000
"""A transaction that nobody works on holds back the sealing of the log, so it is ended."""
POOL_SIZE = 8
POOL_WAIT_SECONDS = 10
CONNECT_TIMEOUT_SECONDS = 5

SERIALIZATION_FAILURE = "40001"
DEADLOCK_DETECTED = "40P01"
PASSING_CLASSES = ("08", "53", "57")
"""SQLSTATE classes that say come again: connection, insufficient resources, operator's intervention (time-outs too)."""
LOCK_NOT_AVAILABLE = "55P03"
NOT_FOR_TEXT = ("22021", "22P05")

P = ParamSpec("P")
T = TypeVar("T")


class DatabaseUnavailable(Exception):
    """The database does not answer in time; no commit was confirmed, though one that was cut off by this may stand."""


class Database:
    """One service's schema on one server.

    `constraints` maps the name of a constraint to the domain error that a violation of it means; a violation
    of any other constraint is a fault of ours and stays what it is.
    """

    def __init__(
        self,
        url: str,
        schema: str,
        constraints: Mapping[str, Callable[[], Exception]] | None = None,
        pool_size: int = POOL_SIZE,
    ) -> None:
        self.schema = schema
        self.engine = _engine(url, schema, pool_size)
        self._constraints = dict(constraints or {})

    def transact(self, work: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work(tx, ...)` in one transaction and commit it; the only commit there is.

        Serialisation failures and deadlocks are tried again, at most MAX_TRIES times. Raises the domain error
        that a violated constraint's name stands for, DatabaseUnavailable when the server is away or too busy, and
        InvalidBody for text with a U+0000 in it, which PostgreSQL cannot hold.
        """
        for attempt in range(MAX_TRIES):
            try:
                with self.engine.begin() as tx:
                    return work(tx, *args, **kwargs)
            except DBAPIError as error:
                if not _may_be_tried_again(error) or attempt == MAX_TRIES - 1:
                    raise self._meaning_of(error) from error
                time.sleep(FIRST_PAUSE_SECONDS * 2**attempt * (1 + random.random()))
            except PoolTimeout:
                raise self._unavailable() from None
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
        except PoolTimeout:
            raise self._unavailable() from None

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
        if _may_pass(error):
            return self._unavailable()
        if _is_text_that_cannot_be_held(error):
            return InvalidBody((NUL_CHARACTER,))
        return error

    def _unavailable(self) -> DatabaseUnavailable:
        return DatabaseUnavailable(f"schema {self.schema} cannot be reached in time")


NUL_CHARACTER = BodyError(
    "", "nul_character", "文本中不能有空字符 U+0000，请删去", "text may not hold the character U+0000: remove it"
)


def violated_constraint(error: DBAPIError) -> str | None:
    """The name of the constraint that `error` reports as violated, if it reports one."""
    diagnostics: Any = getattr(error.orig, "diag", None)
    return diagnostics.constraint_name if diagnostics is not None else None


def _engine(url: str, schema: str, pool_size: int) -> Engine:
    options = (
        f"-c search_path={schema} -c timezone=UTC "
        f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={LOCK_TIMEOUT_MS} "
        f"-c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_TIMEOUT_MS}"
    )
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_WAIT_SECONDS,
        pool_pre_ping=True,
        # An error page or log must never show what was written: it may be a person's data.
        hide_parameters=True,
        connect_args={"options": options, "connect_timeout": CONNECT_TIMEOUT_SECONDS},
    )


def _sqlstate(error: DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)


def _may_be_tried_again(error: DBAPIError) -> bool:
    return _sqlstate(error) in (SERIALIZATION_FAILURE, DEADLOCK_DETECTED)


def _may_pass(error: DBAPIError) -> bool:
    state = _sqlstate(error)
    if state is None:
        return error.connection_invalidated or isinstance(error, OperationalError)
    return error.connection_invalidated or state[:2] in PASSING_CLASSES or state == LOCK_NOT_AVAILABLE


def _is_text_that_cannot_be_held(error: DBAPIError) -> bool:
    # psycopg refuses a NUL before it is sent, so without a SQLSTATE.
    return isinstance(error, DataError) and (_sqlstate(error) in NOT_FOR_TEXT or "NUL" in str(error.orig))
