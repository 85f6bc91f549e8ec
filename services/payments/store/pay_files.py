"""Pay files, their exact bytes (sealed), and each attempt to learn what the bank made of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Select, func, insert, select, update

from services.payments.domain.pay_file import PayFileState
from services.payments.store.tables import pay_file_attempts, pay_files
from services.shared.runtime.database import Transaction
from services.shared.runtime.personal_data import PersonalData

FINISHED = (PayFileState.NAKED, PayFileState.COMPLETE)
ATTEMPTS_SHOWN = 100


@dataclass(frozen=True, slots=True)
class PayFile:
    """A message to the bank as it stands; its bytes are opened by `read_content`."""

    msg_id: str
    batch: str
    bank: str
    state: PayFileState
    sha256: str
    line_count: int
    total_fen: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call to the bank about a file: what was tried and what came of it."""

    action: str
    outcome: str
    made_at: datetime


def insert_pay_file(tx: Transaction, file: PayFile, content: bytes, personal_data: PersonalData) -> None:
    """Record a file with its bytes, which are never changed."""
    row = {name: getattr(file, name) for name in PayFile.__dataclass_fields__}
    sealed = personal_data.encrypt("pay_files.content", file.msg_id, content.decode("utf-8"))
    tx.execute(insert(pay_files).values({**row, "content_sealed": sealed}))


def read_content(tx: Transaction, msg_id: str, personal_data: PersonalData) -> bytes:
    """The exact bytes of a file."""
    sealed = tx.execute(select(pay_files.c.content_sealed).where(pay_files.c.msg_id == msg_id)).scalar_one()
    return personal_data.decrypt("pay_files.content", msg_id, bytes(sealed)).encode("utf-8")


def find_pay_file(tx: Transaction, msg_id: str) -> PayFile | None:
    """The file of that id, if there is one."""
    return _first(tx, _files().where(pay_files.c.msg_id == msg_id))


def lock_pay_file(tx: Transaction, msg_id: str) -> PayFile | None:
    """The same, locked."""
    return _first(tx, _files().where(pay_files.c.msg_id == msg_id).with_for_update())


def list_of_batch(tx: Transaction, batch_id: str) -> list[PayFile]:
    """A batch's files, oldest first."""
    rows = tx.execute(_files().where(pay_files.c.batch == batch_id).order_by(pay_files.c.msg_id))
    return [_file(row) for row in rows.mappings()]


def list_unfinished(tx: Transaction, batch_id: str) -> list[PayFile]:
    """A batch's files about which the bank's last word is still to come, oldest first."""
    return [file for file in list_of_batch(tx, batch_id) if file.state not in FINISHED]


def count_open_attempts(tx: Transaction, batch_id: str) -> int | None:
    """The fewest attempts made about an unfinished file of the batch, or None when none is unfinished."""
    counted = func.count(pay_file_attempts.c.id)
    query = (
        select(counted)
        .select_from(pay_files.outerjoin(pay_file_attempts, pay_file_attempts.c.pay_file == pay_files.c.msg_id))
        .where(pay_files.c.batch == batch_id, pay_files.c.state.not_in(FINISHED))
        .group_by(pay_files.c.msg_id)
    )
    return min(tx.execute(query).scalars(), default=None)


def list_silent(tx: Transaction, batch_id: str, attempts: int) -> list[PayFile]:
    """A batch's unfinished files about which at least so many attempts were made, oldest first."""
    made = select(func.count()).where(pay_file_attempts.c.pay_file == pay_files.c.msg_id).scalar_subquery()
    query = _files().where(pay_files.c.batch == batch_id, pay_files.c.state.not_in(FINISHED), made >= attempts)
    return [_file(row) for row in tx.execute(query.order_by(pay_files.c.msg_id)).mappings()]


def put_state(tx: Transaction, msg_id: str, state: PayFileState) -> None:
    """Put a locked file into `state`."""
    tx.execute(update(pay_files).where(pay_files.c.msg_id == msg_id).values(state=state))


def append_attempt(tx: Transaction, msg_id: str, action: str, outcome: str, now: datetime) -> None:
    """Record what was tried and what came of it."""
    row = {"pay_file": msg_id, "action": action, "outcome": outcome, "made_at": now}
    tx.execute(insert(pay_file_attempts).values(row))


def list_attempts(tx: Transaction, msg_id: str) -> list[Attempt]:
    """A file's latest attempts, at most ATTEMPTS_SHOWN, first to last."""
    columns = [pay_file_attempts.c[name] for name in Attempt.__dataclass_fields__]
    query = select(*columns).where(pay_file_attempts.c.pay_file == msg_id).order_by(pay_file_attempts.c.id.desc())
    return [Attempt(*row) for row in reversed(tx.execute(query.limit(ATTEMPTS_SHOWN)).all())]


def first_created_at(tx: Transaction, bank: str) -> datetime | None:
    """When the first file for a bank was made; before it no statement is of interest."""
    return tx.execute(select(func.min(pay_files.c.created_at)).where(pay_files.c.bank == bank)).scalar()


def _files() -> Select[Any]:
    return select(*(pay_files.c[name] for name in PayFile.__dataclass_fields__))


def _first(tx: Transaction, query: Select[Any]) -> PayFile | None:
    row = tx.execute(query).mappings().first()
    return None if row is None else _file(row)


def _file(row: RowMapping) -> PayFile:
    return PayFile(**{**row, "state": PayFileState(row["state"])})
