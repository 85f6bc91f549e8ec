"""The states of a batch, and the totals that its checker must quote."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class BatchState(StrEnum):
    """Where a batch stands, from the list being made to its last line being settled or returned."""

    CALCULATED = "CALCULATED"
    SUBMITTED = "SUBMITTED"
    APPROVED = "APPROVED"
    RELEASED = "RELEASED"
    SENT = "SENT"
    RECONCILED = "RECONCILED"
    CLOSED = "CLOSED"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"


_S = BatchState

STEPS: frozenset[tuple[BatchState, BatchState]] = frozenset(
    {
        (_S.CALCULATED, _S.SUBMITTED),
        (_S.CALCULATED, _S.CANCELLED),
        (_S.SUBMITTED, _S.APPROVED),
        (_S.SUBMITTED, _S.REJECTED),
        (_S.SUBMITTED, _S.CANCELLED),
        (_S.APPROVED, _S.RELEASED),
        (_S.APPROVED, _S.CANCELLED),
        (_S.RELEASED, _S.SENT),
        (_S.SENT, _S.RECONCILED),
        (_S.RECONCILED, _S.CLOSED),
    }
)


class BatchStepRefused(Exception):
    """The batch cannot go from the state it is in to the state asked for."""

    def __init__(self, from_state: BatchState, to_state: BatchState) -> None:
        super().__init__(f"a batch in {from_state} cannot become {to_state}")
        self.from_state = from_state
        self.to_state = to_state


class ControlTotalsDiffer(Exception):
    """The checker quotes totals of another list than the one submitted."""


class SamePersonTwice(Exception):
    """The person who made or submitted the batch may not decide on it."""


def check_batch_step(from_state: BatchState, to_state: BatchState) -> None:
    """Raises BatchStepRefused unless the table has this step."""
    if (from_state, to_state) not in STEPS:
        raise BatchStepRefused(from_state, to_state)


@dataclass(frozen=True, slots=True)
class ControlTotals:
    """Count, sum in fen and root of a frozen list: approving them approves this list, not "the batch"."""

    line_count: int
    total_fen: int
    lines_root: str


def control_totals(lines: Iterable[tuple[str, int]]) -> ControlTotals:
    """The totals of (EndToEndId, amount in fen) pairs; `lines_root` is the SHA-256 (hex) over the sorted lines
    `EndToEndId,amount` each ended by a line feed, so any list in any order can be checked with sort and sha256sum.

    Raises ValueError when an EndToEndId occurs twice or an amount is not positive.
    """
    ordered = sorted(lines)
    if len({end_to_end_id for end_to_end_id, _ in ordered}) != len(ordered):
        raise ValueError("an EndToEndId occurs twice in the list")
    if any(amount_fen <= 0 for _, amount_fen in ordered):
        raise ValueError("a line of the list has no positive amount")
    text = "".join(f"{end_to_end_id},{amount_fen}\n" for end_to_end_id, amount_fen in ordered)
    return ControlTotals(
        len(ordered), sum(amount for _, amount in ordered), hashlib.sha256(text.encode("ascii")).hexdigest()
    )


def check_quoted_root(totals: ControlTotals, quoted_root: str) -> None:
    """Raises ControlTotalsDiffer unless the root quoted is that of the list."""
    if quoted_root.lower() != totals.lines_root:
        raise ControlTotalsDiffer("the lines root quoted is not that of the list submitted")


def check_second_person(created_by: str, submitted_by: str, decided_by: str) -> None:
    """Raises SamePersonTwice when who decides also made the list or submitted it (两人复核)."""
    if decided_by in (created_by, submitted_by):
        raise SamePersonTwice("the person who made or submitted a batch may not decide on it")
