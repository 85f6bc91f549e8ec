"""The bank's book in SQLite: customers' accounts, files taken, transfers, entries by booking day, and its clock."""

import hashlib
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from sandbox.test_bank.magic_cards import fate_of
from sandbox.test_bank.pay_file import Credit, PayFile, PayFileRefused, check_control_sums

BUSY_SECONDS = 10
MOST_STATEMENT_DAYS = 1_000
RETURN_AFTER = timedelta(days=1)

_SCHEMA = """
create table if not exists accounts (
    id text primary key, opening_fen integer not null check (opening_fen >= 0));
create table if not exists pay_files (
    msg_id text primary key, payment_id text not null, sha256 text not null, account text not null,
    status text not null check (status in ('ACTC', 'RJCT')), reason text, received_at text not null);
create table if not exists transfers (
    msg_id text not null references pay_files, position integer not null, end_to_end_id text not null unique,
    amount_fen integer not null check (amount_fen > 0), status text not null check (status in ('ACSP', 'RJCT')),
    reason text, primary key (msg_id, position));
create table if not exists entries (
    id integer primary key, account text not null references accounts, booked_on text not null,
    is_credit integer not null, amount_fen integer not null check (amount_fen > 0),
    end_to_end_id text, return_reason text);
create index if not exists entries_by_day on entries (account, booked_on, id);
create table if not exists clock (only_one integer primary key check (only_one = 1), now text not null);
"""


class UnknownAccount(Exception):
    """The bank keeps no such account."""


class MsgIdUsedForOtherBytes(Exception):
    """A file with this MsgId was taken before, and its bytes were others."""


class ClockWouldGoBack(Exception):
    """The bank's clock only moves forward."""


class DayNotOver(Exception):
    """A statement exists only once its business day has ended."""


@dataclass(frozen=True, slots=True)
class FileStatus:
    """What the bank says of a whole file: ACTC or RJCT with a reason."""

    msg_id: str
    payment_id: str
    sha256: str
    status: str
    reason: str | None
    received_at: str


@dataclass(frozen=True, slots=True)
class TransferStatus:
    """What the bank says of one transfer: ACSP, or RJCT with a reason."""

    end_to_end_id: str
    status: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One booked movement of the customer's account."""

    id: int
    is_credit: bool
    amount_fen: int
    end_to_end_id: str | None
    return_reason: str | None


@dataclass(frozen=True, slots=True)
class DayStatement:
    """A closed business day of one account, in fen."""

    account: str
    day: date
    opening_fen: int
    closing_fen: int
    entries: tuple[Entry, ...]


class Book:
    """The bank's book; every change is one synchronous transaction, so an answer given survives `kill -9`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # SQLite has one writer; the lock makes the threads queue here instead of failing busy.
        self._one_writer = threading.Lock()
        with self._open() as connection:
            connection.executescript(_SCHEMA)

    def open_account(self, account: str, opening_fen: int) -> None:
        """Open a customer's account with its first balance, unless it is open already."""
        with self._write() as connection:
            connection.execute("insert or ignore into accounts values (?, ?)", (account, opening_fen))

    def now(self, wall_clock: datetime) -> datetime:
        """The bank's time: where its clock was put, or the wall clock as long as nobody did."""
        with self._open() as connection:
            row = connection.execute("select now from clock").fetchone()
        return datetime.fromisoformat(row[0]) if row else wall_clock

    def put_clock(self, now: datetime) -> None:
        """Move the bank's clock forward to `now` (with zone). Raises ClockWouldGoBack."""
        with self._write() as connection:
            row = connection.execute("select now from clock").fetchone()
            if row and datetime.fromisoformat(row[0]) > now:
                raise ClockWouldGoBack
            connection.execute("insert or replace into clock values (1, ?)", (now.isoformat(),))

    def take_pay_file(self, file: PayFile, content: bytes, now: datetime) -> FileStatus:
        """Take or refuse a file and book its transfers; the same bytes again get the same answer, and nothing happens.

        Raises MsgIdUsedForOtherBytes for other bytes under a known MsgId.
        """
        sha256 = hashlib.sha256(content).hexdigest()
        with self._write() as connection:
            known = _file_status(connection, file.msg_id)
            if known is not None:
                if known.sha256 != sha256:
                    raise MsgIdUsedForOtherBytes
                return known
            try:
                _check(connection, file, now)
            except PayFileRefused as refusal:
                return _record_file(connection, file, sha256, "RJCT", refusal.reason, now)
            answer = _record_file(connection, file, sha256, "ACTC", None, now)
            for position, credit in enumerate(file.credits):
                _book(connection, file, position, credit, now.date())
            return answer

    def find_file(self, msg_id: str) -> FileStatus | None:
        """What was answered to this MsgId, or None when the bank never took such a file."""
        with self._open() as connection:
            return _file_status(connection, msg_id)

    def transfers_of(self, msg_id: str) -> list[TransferStatus]:
        """Each transfer of a file, in its order."""
        query = "select end_to_end_id, status, reason from transfers where msg_id = ? order by position"
        with self._open() as connection:
            return [TransferStatus(*row) for row in connection.execute(query, (msg_id,))]

    def balance_fen(self, account: str, today: date) -> int:
        """The booked balance at the end of `today`. Raises UnknownAccount."""
        with self._open() as connection:
            return _balance(connection, account, today)

    def statement_of(self, account: str, day: date, today: date) -> DayStatement:
        """The statement of a day that is over. Raises DayNotOver, UnknownAccount."""
        if day >= today:
            raise DayNotOver
        query = (
            "select id, is_credit, amount_fen, end_to_end_id, return_reason from entries"
            " where account = ? and booked_on = ? order by id"
        )
        with self._open() as connection:
            entries = connection.execute(query, (account, day.isoformat())).fetchall()
            opening = _balance(connection, account, day - timedelta(days=1))
            closing = _balance(connection, account, day)
        return DayStatement(account, day, opening, closing, tuple(Entry(e[0], bool(e[1]), *e[2:]) for e in entries))

    def closed_days_with_entries(self, account: str, after: date, today: date) -> list[date]:
        """The days after `after` and before `today` on which something was booked, at most MOST_STATEMENT_DAYS."""
        query = (
            "select distinct booked_on from entries where account = ? and booked_on > ? and booked_on < ?"
            " order by booked_on limit ?"
        )
        values = (account, after.isoformat(), today.isoformat(), MOST_STATEMENT_DAYS)
        with self._open() as connection:
            return [date.fromisoformat(row[0]) for row in connection.execute(query, values)]

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._one_writer, self._open() as connection:
            connection.execute("begin immediate")
            try:
                yield connection
            except BaseException:
                connection.execute("rollback")
                raise
            connection.execute("commit")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = full")
            connection.execute("pragma foreign_keys = on")
            yield connection
        finally:
            connection.close()


def _check(connection: sqlite3.Connection, file: PayFile, now: datetime) -> None:
    check_control_sums(file)
    try:
        balance_fen = _balance(connection, file.debtor_account, now.date())
    except UnknownAccount:
        raise PayFileRefused("AC01") from None
    if _is_known(connection, file):
        raise PayFileRefused("AM05")  # paid before, under another MsgId
    leaving_fen = sum(credit.amount_fen for credit in file.credits if fate_of(credit.card_number).refused is None)
    if leaving_fen > balance_fen:
        raise PayFileRefused("AM04")


def _is_known(connection: sqlite3.Connection, file: PayFile) -> bool:
    query = "select 1 from transfers where end_to_end_id = ?"
    return any(connection.execute(query, (credit.end_to_end_id,)).fetchone() for credit in file.credits)


def _book(connection: sqlite3.Connection, file: PayFile, position: int, credit: Credit, today: date) -> None:
    fate = fate_of(credit.card_number)
    status = "ACSP" if fate.refused is None else "RJCT"
    transfer = (file.msg_id, position, credit.end_to_end_id, credit.amount_fen, status, fate.refused)
    connection.execute("insert into transfers values (?, ?, ?, ?, ?, ?)", transfer)
    if fate.refused is not None:
        return
    booked_fen = credit.amount_fen + fate.misbooked_fen
    _enter(connection, file.debtor_account, today, False, booked_fen, credit.end_to_end_id, None)
    if fate.returned is not None:
        day = today + RETURN_AFTER
        _enter(connection, file.debtor_account, day, True, credit.amount_fen, credit.end_to_end_id, fate.returned)


def _enter(connection: sqlite3.Connection, account: str, day: date, *values: object) -> None:
    statement = (
        "insert into entries (account, booked_on, is_credit, amount_fen, end_to_end_id, return_reason)"
        " values (?, ?, ?, ?, ?, ?)"
    )
    connection.execute(statement, (account, day.isoformat(), *values))


def _balance(connection: sqlite3.Connection, account: str, day: date) -> int:
    query = (
        "select opening_fen + (select coalesce(sum(case when is_credit then amount_fen else -amount_fen end), 0)"
        " from entries where account = accounts.id and booked_on <= ?) from accounts where id = ?"
    )
    row = connection.execute(query, (day.isoformat(), account)).fetchone()
    if row is None:
        raise UnknownAccount
    return row[0]


def _record_file(
    connection: sqlite3.Connection, file: PayFile, sha256: str, status: str, reason: str | None, now: datetime
) -> FileStatus:
    row = (file.msg_id, file.payment_id, sha256, file.debtor_account, status, reason, now.isoformat())
    connection.execute("insert into pay_files values (?, ?, ?, ?, ?, ?, ?)", row)
    return FileStatus(file.msg_id, file.payment_id, sha256, status, reason, now.isoformat())


def _file_status(connection: sqlite3.Connection, msg_id: str) -> FileStatus | None:
    query = "select msg_id, payment_id, sha256, status, reason, received_at from pay_files where msg_id = ?"
    row = connection.execute(query, (msg_id,)).fetchone()
    return FileStatus(*row) if row else None
