"""Payment lines, and the events by which each came to its state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    RowMapping,
    Select,
    Text,
    and_,
    any_,
    case,
    cast,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    tuple_,
    update,
)

from services.payments.domain.disbursement import DisbursementState
from services.payments.domain.end_to_end_id import LineKey, PaymentKind, format_end_to_end_id
from services.payments.store.tables import batch_lines, disbursement_events, disbursements, transfers
from services.shared.runtime.database import Transaction

PAGE_LIMIT = 500
BATCH_LINE_LIMIT = 50_000


@dataclass(frozen=True, slots=True)
class Disbursement:
    """A line as it stands. `month` is the first day of the entitlement month; `member` is set when it is one
    person's share of a family's month."""

    id: str
    award: str
    beneficiary: int
    month: date
    programme: str
    programme_number: int
    kind: PaymentKind
    cause: int
    sequence: int
    region: str
    amount_fen: int
    persons: int
    member: str | None
    due_on: date
    replaces: str | None
    created_at: datetime
    state: DisbursementState
    batch: str | None
    pay_file: str | None
    value_on: date | None
    reason: str | None

    @property
    def key(self) -> LineKey:
        """The natural key."""
        month = (self.month.year, self.month.month)
        return LineKey(month, self.beneficiary, self.programme_number, self.kind, self.cause, self.sequence)

    @property
    def end_to_end_id(self) -> str:
        """The key as the bank sees it; computed, never stored."""
        return format_end_to_end_id(self.key)


@dataclass(frozen=True, slots=True)
class DisbursementEvent:
    """One change of state, and the audit event that proves it."""

    number: int
    from_state: str | None
    to_state: str
    cause: str
    actor: str
    bank: str | None
    statement: str | None
    line: int | None
    event_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list of lines is asked for; None asks for any. `regions` are digit prefixes, one of which must fit."""

    regions: tuple[str, ...]
    month: date | None = None
    programme: str | None = None
    state: str | None = None


def insert_disbursement(tx: Transaction, line: Disbursement) -> None:
    """Record a new line; a second one of the same key is refused by the database."""
    tx.execute(insert(disbursements).values({name: getattr(line, name) for name in Disbursement.__dataclass_fields__}))


def find_disbursement(tx: Transaction, disbursement_id: str) -> Disbursement | None:
    """The line of that id, if there is one."""
    return _first(tx, select(disbursements).where(disbursements.c.id == disbursement_id))


def lock_by_keys(tx: Transaction, keys: Sequence[LineKey]) -> list[Disbursement]:
    """The lines of those natural keys, in order of id, locked; a key that is nobody's is left out."""
    line = disbursements.c
    wanted = [(k.beneficiary, date(*k.month, 1), k.programme, int(k.kind), k.cause, k.sequence) for k in keys]
    key = tuple_(line.beneficiary, line.month, line.programme_number, line.kind, line.cause, line.sequence)
    return _all(tx, select(disbursements).where(key.in_(wanted)).order_by(line.id).with_for_update())


def is_of_a_sent_line(end_to_end_id: ColumnElement[str], amount_fen: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether that EndToEndId and amount are those of a line still SENT; its check digits are left to the parser."""
    line = disbursements.c
    spelled = func.concat(
        "DB",
        func.to_char(line.month, "YYYYMM"),
        func.lpad(cast(line.beneficiary, Text), 12, "0"),
        *(
            func.lpad(cast(number, Text), 2, "0")
            for number in (line.programme_number, line.kind, line.cause, line.sequence)
        ),
    )
    # The beneficiary alone finds the few lines by index; a text of another form names nobody and is not cast.
    is_ours = end_to_end_id.regexp_match("^DB[0-9]{28}B$")
    beneficiary = case((is_ours, cast(func.substr(end_to_end_id, 9, 12), BigInteger)))
    return exists().where(
        line.beneficiary == beneficiary,
        func.left(end_to_end_id, 28) == spelled,
        line.amount_fen == amount_fen,
        line.state == DisbursementState.SENT,
    )


def lock_disbursement(tx: Transaction, disbursement_id: str) -> Disbursement | None:
    """The line of that id, locked."""
    return _first(tx, select(disbursements).where(disbursements.c.id == disbursement_id).with_for_update())


def lock_of_batch(tx: Transaction, batch_id: str, state: DisbursementState | None = None) -> list[Disbursement]:
    """All lines of a batch in order of id, locked; only those in `state` when it is given.

    They are bounded by what the batch was built of, and are more than BATCH_LINE_LIMIT where holds have split some:
    a limit here would leave lines behind.
    """
    query = select(disbursements).where(disbursements.c.batch == batch_id)
    if state is not None:
        query = query.where(disbursements.c.state == state)
    return _all(tx, query.order_by(disbursements.c.id).with_for_update())


def lock_for_pay_file(tx: Transaction, batch_id: str) -> list[Disbursement]:
    """The queued lines of a batch that go into the next pay file, at most BATCH_LINE_LIMIT, in order of id, locked."""
    query = select(disbursements).where(
        disbursements.c.batch == batch_id, disbursements.c.state == DisbursementState.QUEUED
    )
    return _all(tx, query.order_by(disbursements.c.id).limit(BATCH_LINE_LIMIT).with_for_update())


def lock_unbatched(
    tx: Transaction, programme: str, month: date, region_prefixes: tuple[str, ...]
) -> list[Disbursement]:
    """Lines that wait for a batch, in order of id, locked; those another maker holds are left to that one."""
    query = select(disbursements).where(
        disbursements.c.month == month,
        disbursements.c.programme == programme,
        or_(*(disbursements.c.region.startswith(prefix, autoescape=True) for prefix in region_prefixes)),
        disbursements.c.state == DisbursementState.CREATED,
        disbursements.c.batch.is_(None),
    )
    return _all(tx, query.order_by(disbursements.c.id).limit(BATCH_LINE_LIMIT).with_for_update(skip_locked=True))


def lock_next_of_award(
    tx: Transaction, award_id: str, member: str, from_month: date, states: frozenset[DisbursementState]
) -> Disbursement | None:
    """The earliest line for `from_month` or later, in one of `states`, that pays this member, locked.

    A share split off for the member comes before the line of all; another member's share is left alone.
    """
    line = disbursements.c
    query = (
        select(disbursements)
        .where(line.award == award_id, line.month >= from_month, line.state.in_(states))
        .where(or_(line.member.is_(None), line.member == member))
        .order_by(line.month, line.member.is_(None), line.id)
        .limit(1)
    )
    return _first(tx, query.with_for_update())


def lock_of_pay_file(tx: Transaction, msg_id: str) -> list[Disbursement]:
    """The lines whose latest pay file is this one, in order of id, locked."""
    query = select(disbursements).where(disbursements.c.pay_file == msg_id).order_by(disbursements.c.id)
    return _all(tx, query.with_for_update())


def highest_cause(tx: Transaction, key: LineKey) -> int | None:
    """The highest cause in use for the month of `key`, or None when nothing is owed for it."""
    query = select(func.max(disbursements.c.cause)).where(
        disbursements.c.beneficiary == key.beneficiary,
        disbursements.c.month == date(*key.month, 1),
        disbursements.c.programme_number == key.programme,
        disbursements.c.kind == key.kind,
    )
    return tx.execute(query).scalar()


def first_due_on(tx: Transaction, award_id: str) -> date | None:
    """The due day of the award's first line, or None while it has none."""
    return tx.execute(select(func.min(disbursements.c.due_on)).where(disbursements.c.award == award_id)).scalar()


def put_states(tx: Transaction, ids: Sequence[str], state: DisbursementState, changes: Mapping[str, Any]) -> None:
    """Put lines that the caller has locked into `state`, with `changes` to batch, pay_file, value_on or reason."""
    tx.execute(update(disbursements).where(_is_among(disbursements.c.id, ids)).values(state=state, **changes))


def put_batch(tx: Transaction, ids: Sequence[str], batch_id: str | None) -> None:
    """Put lines that the caller has locked into a batch, or out of theirs."""
    tx.execute(update(disbursements).where(_is_among(disbursements.c.id, ids)).values(batch=batch_id))


def insert_batch_lines(tx: Transaction, batch_id: str, ids: Sequence[str]) -> None:
    """Freeze the list that a batch's control totals are of."""
    tx.execute(insert(batch_lines), [{"batch": batch_id, "disbursement": line_id} for line_id in ids])


def list_frozen(tx: Transaction, batch_id: str, after: str, limit: int) -> list[Disbursement]:
    """The lines that a batch's control totals are of, as they stand now, in order of id."""
    query = (
        select(disbursements)
        .join(batch_lines, batch_lines.c.disbursement == disbursements.c.id)
        .where(batch_lines.c.batch == batch_id, disbursements.c.id > after)
    )
    return _all(tx, query.order_by(disbursements.c.id).limit(min(limit, PAGE_LIMIT)))


def insert_events(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Record changes of state."""
    tx.execute(insert(disbursement_events), list(rows))


def last_event_numbers(tx: Transaction, ids: Sequence[str]) -> dict[str, int]:
    """The number of each line's latest event; a line without events is absent."""
    query = select(disbursement_events.c.disbursement, func.max(disbursement_events.c.number))
    grouped = query.where(_is_among(disbursement_events.c.disbursement, ids)).group_by(
        disbursement_events.c.disbursement
    )
    return {row[0]: row[1] for row in tx.execute(grouped)}


def list_accrued(tx: Transaction, ids: Sequence[str]) -> set[str]:
    """Which of the lines are owed in the ledger, that is: have been approved."""
    query = select(transfers.c.disbursement).where(
        _is_among(transfers.c.disbursement, ids), transfers.c.code == "ACCRUE"
    )
    return set(tx.execute(query).scalars())


def list_events(tx: Transaction, disbursement_id: str) -> list[DisbursementEvent]:
    """A line's history, first to last."""
    columns = [disbursement_events.c[name] for name in DisbursementEvent.__dataclass_fields__]
    query = select(*columns).where(disbursement_events.c.disbursement == disbursement_id)
    return [DisbursementEvent(*row) for row in tx.execute(query.order_by(disbursement_events.c.number))]


def list_disbursements(tx: Transaction, wanted: Filter, after: str, limit: int) -> list[Disbursement]:
    """Lines that fit `wanted` and whose id follows `after`, in order of id, at most PAGE_LIMIT."""
    query = select(disbursements).where(disbursements.c.id > after, *_conditions(wanted))
    return _all(tx, query.order_by(disbursements.c.id).limit(min(limit, PAGE_LIMIT)))


ENDED_UNPAID = ("REJECTED", "RETURNED", "CANCELLED")
"""States in which a line has ended and nobody has its money."""


@dataclass(frozen=True, slots=True)
class OnTime:
    """How a month's lines were paid, per region and programme. `open` are neither paid nor ended."""

    region: str
    programme: str
    due: int
    on_time: int
    late: int
    open: int
    ended_unpaid: int


def count_on_time(tx: Transaction, month: date, regions: tuple[str, ...]) -> list[OnTime]:
    """The lines of `month` by whether they were value-dated by their due day; money that came back paid nobody."""
    line = disbursements.c
    ended = line.state.in_(ENDED_UNPAID)
    paid = and_(line.value_on.is_not(None), line.state.not_in(ENDED_UNPAID))
    query = (
        select(
            line.region,
            line.programme,
            func.count(),
            func.count().filter(and_(paid, line.value_on <= line.due_on)),
            func.count().filter(and_(paid, line.value_on > line.due_on)),
            func.count().filter(and_(line.value_on.is_(None), line.state.not_in(ENDED_UNPAID))),
            func.count().filter(ended),
        )
        .where(line.month == month, *_conditions(Filter(regions)))
        .group_by(line.region, line.programme)
        .order_by(line.region, line.programme)
    )
    return [OnTime(*row) for row in tx.execute(query)]


def _is_among(column: ColumnElement[str], ids: Sequence[str]) -> ColumnElement[bool]:
    # One array is one parameter: a statement has at most 65,535 of them, and a batch nearly as many lines.
    return column == any_(literal(list(ids), ARRAY(Text)))


def _conditions(wanted: Filter) -> list[Any]:
    exact = {"month": wanted.month, "programme": wanted.programme, "state": wanted.state}
    conditions = [disbursements.c[name] == value for name, value in exact.items() if value is not None]
    within = [disbursements.c.region.startswith(prefix, autoescape=True) for prefix in wanted.regions]
    # No region at all is no line at all: an empty `or` would be everything.
    return [*conditions, or_(*within) if within else disbursements.c.id.is_(None)]


def _first(tx: Transaction, query: Select[Any]) -> Disbursement | None:
    row = tx.execute(query).mappings().first()
    return None if row is None else _line(row)


def _all(tx: Transaction, query: Select[Any]) -> list[Disbursement]:
    return [_line(row) for row in tx.execute(query).mappings()]


def _line(row: RowMapping) -> Disbursement:
    return Disbursement(**{**row, "kind": PaymentKind(row["kind"]), "state": DisbursementState(row["state"])})
