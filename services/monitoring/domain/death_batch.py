"""A department's batch of death records: what it declares, and which of its rows stand."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from services.monitoring.domain import row_fault
from services.monitoring.domain.row_fault import RowFault
from services.shared.vocabulary.identifiers import IdNumber, InvalidIdentifier, parse_id_number

FEED = "deaths"
MAX_ROWS = 5_000
"""Rows of one batch; a county has fewer deaths in a year."""
LONGEST_SOURCE = 40
FIELDS = frozenset({"id_number", "died_on", "source"})

# 2026-03-01, 2026/3/1, 2026年3月1日 and 20260301 all name one day and no other.
_DATE = re.compile(
    r"(\d{4})(?:-(\d{1,2})-(\d{1,2})|/(\d{1,2})/(\d{1,2})|年(\d{1,2})月(\d{1,2})日|(\d{2})(\d{2}))", re.ASCII
)
_LONGEST_DATE = 32
_A_NUMBER = re.compile(r"\d{6}", re.ASCII)


@dataclass(eq=False)
class RowCountDiffers(Exception):
    """The batch declares another number of rows than it has; something was lost on the way."""

    declared: int
    found: int


@dataclass(eq=False)
class AsOfInFuture(Exception):
    """The batch says that it was drawn on a day that has not come."""

    today: date


@dataclass(frozen=True, slots=True)
class DeathBatch:
    """What was sent: the sender's number, the day it was drawn, full or delta, and rows not yet checked."""

    batch_no: str
    as_of: date
    mode: str
    row_count: int
    rows: Sequence[object]


@dataclass(frozen=True, slots=True)
class DeathRecord:
    """A row that stands. `row_number` counts from 1."""

    row_number: int
    id_number: IdNumber
    died_on: date
    source: str


@dataclass(frozen=True, slots=True)
class ReturnedRow:
    """A row that goes back, with all its faults."""

    row_number: int
    faults: tuple[RowFault, ...]


@dataclass(frozen=True, slots=True)
class CheckedBatch:
    """Each row of a batch either stands or goes back."""

    accepted: tuple[DeathRecord, ...]
    returned: tuple[ReturnedRow, ...]

    @property
    def state(self) -> str:
        """ACCEPTED when no row goes back, RETURNED when all do, else PARTIAL."""
        if not self.returned:
            return "ACCEPTED"
        return "PARTIAL" if self.accepted else "RETURNED"


def check_batch(batch: DeathBatch, today: date, accepts_demo_people: bool) -> CheckedBatch:
    """Every row judged on its own. Raises RowCountDiffers or AsOfInFuture, which refuse the batch whole."""
    if batch.row_count != len(batch.rows):
        raise RowCountDiffers(batch.row_count, len(batch.rows))
    if batch.as_of > today:
        raise AsOfInFuture(today)
    accepted: list[DeathRecord] = []
    returned: list[ReturnedRow] = []
    seen: set[str] = set()
    for number, row in enumerate(batch.rows, start=1):
        checked = _check_row(number, row, batch.as_of, today, accepts_demo_people)
        if isinstance(checked, DeathRecord) and checked.id_number.text in seen:
            checked = ReturnedRow(number, (row_fault.DUPLICATE_IN_BATCH,))
        if isinstance(checked, DeathRecord):
            seen.add(checked.id_number.text)
            accepted.append(checked)
        else:
            returned.append(checked)
    return CheckedBatch(tuple(accepted), tuple(returned))


def _check_row(
    number: int, row: object, as_of: date, today: date, accepts_demo_people: bool
) -> DeathRecord | ReturnedRow:
    if not isinstance(row, dict):
        return ReturnedRow(number, (row_fault.NOT_AN_OBJECT,))
    id_number = _id_number(row.get("id_number"), accepts_demo_people)
    died_on = _died_on(row.get("died_on"), as_of, today)
    source = _source(row.get("source"))
    faults = [value for value in (id_number, died_on, source) if isinstance(value, RowFault)]
    if not row.keys() <= FIELDS:
        faults.append(row_fault.UNKNOWN_FIELD)
    if isinstance(id_number, IdNumber) and isinstance(died_on, date) and died_on < id_number.born_on:
        faults.append(row_fault.DIED_BEFORE_BIRTH)
    if faults or isinstance(id_number, RowFault) or isinstance(died_on, RowFault) or isinstance(source, RowFault):
        return ReturnedRow(number, tuple(faults))
    return DeathRecord(number, id_number, died_on, source)


def _id_number(value: object, accepts_demo_people: bool) -> IdNumber | RowFault:
    try:
        id_number = parse_id_number(value if isinstance(value, str) else "")
    except InvalidIdentifier as refused:
        return RowFault.of("id_number", refused.fault)
    return row_fault.DEMO_PERSON if id_number.is_demo and not accepts_demo_people else id_number


def _died_on(value: object, as_of: date, today: date) -> date | RowFault:
    day = parse_day(value) if isinstance(value, str) else None
    if day is None:
        return row_fault.DIED_ON_FORM
    if day > today:
        return row_fault.DIED_ON_IN_FUTURE
    return row_fault.DIED_ON_AFTER_AS_OF if day > as_of else day


def parse_day(text: str) -> date | None:
    """The day that the text names in one of the four unmistakable spellings, or None."""
    if len(text) > _LONGEST_DATE:
        return None
    match = _DATE.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if match is None:
        return None
    year, month, day = (int(part) for part in match.groups() if part is not None)
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _source(value: object) -> str | RowFault:
    text = value.strip() if isinstance(value, str) else ""
    if (
        not 0 < len(text) <= LONGEST_SOURCE
        or not text.isprintable()
        or _A_NUMBER.search(unicodedata.normalize("NFKC", text))
    ):
        return row_fault.SOURCE_FORM
    return text
