"""The states of one payment line, and what each step moves in the ledger."""

from dataclasses import dataclass
from enum import StrEnum

from services.payments.domain.ledger import TransferCode


class DisbursementState(StrEnum):
    """Where a line stands. SETTLED needs the bank's status and a statement line; a status alone is ACCEPTED."""

    CREATED = "CREATED"
    APPROVED = "APPROVED"
    QUEUED = "QUEUED"
    SENT = "SENT"
    ACCEPTED = "ACCEPTED"
    SETTLED = "SETTLED"
    RETURNED = "RETURNED"
    REJECTED = "REJECTED"
    HELD = "HELD"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class Step:
    """One permitted change of state. `accrued` limits it to lines that are (True) or are not (False) yet owed."""

    from_state: DisbursementState
    to_state: DisbursementState
    transfer: TransferCode | None = None
    accrued: bool | None = None


_S = DisbursementState

STEPS: tuple[Step, ...] = (
    Step(_S.CREATED, _S.APPROVED, TransferCode.ACCRUE),
    Step(_S.CREATED, _S.HELD),
    Step(_S.CREATED, _S.CANCELLED),
    Step(_S.APPROVED, _S.QUEUED),
    Step(_S.APPROVED, _S.HELD),
    Step(_S.APPROVED, _S.CANCELLED, TransferCode.CANCEL),
    Step(_S.QUEUED, _S.SENT, TransferCode.SEND),
    # Until the intent to send is committed, a death record still stops a line that waits for the file.
    Step(_S.QUEUED, _S.HELD),
    Step(_S.SENT, _S.ACCEPTED),
    Step(_S.SENT, _S.REJECTED, TransferCode.REJECT),
    Step(_S.SENT, _S.APPROVED, TransferCode.UNSEND),
    Step(_S.ACCEPTED, _S.SETTLED, TransferCode.SETTLE),
    Step(_S.SETTLED, _S.RETURNED, TransferCode.RETURN),
    # A line held before two persons approved it goes back to where they will: a lapsed hold approves nothing.
    Step(_S.HELD, _S.CREATED, accrued=False),
    Step(_S.HELD, _S.APPROVED, accrued=True),
    Step(_S.HELD, _S.CANCELLED, accrued=False),
    Step(_S.HELD, _S.CANCELLED, TransferCode.CANCEL, accrued=True),
)

FINAL_STATES = frozenset({_S.REJECTED, _S.RETURNED, _S.CANCELLED})
HOLDABLE_STATES = frozenset(step.from_state for step in STEPS if step.to_state is _S.HELD)
# A line reaches each of these once in its life; the database has the same rule as a partial unique index.
ONCE_ONLY_STATES = frozenset({_S.REJECTED, _S.SETTLED, _S.RETURNED, _S.CANCELLED})


class DisbursementStepRefused(Exception):
    """The line cannot go from the state it is in to the state asked for."""

    def __init__(self, from_state: DisbursementState, to_state: DisbursementState) -> None:
        super().__init__(f"a line in {from_state} cannot become {to_state}")
        self.from_state = from_state
        self.to_state = to_state


def step_between(from_state: DisbursementState, to_state: DisbursementState, *, is_accrued: bool) -> Step:
    """The step of the table, with the transfer it posts. Raises DisbursementStepRefused when there is none."""
    for step in STEPS:
        if (step.from_state, step.to_state) == (from_state, to_state) and step.accrued in (None, is_accrued):
            return step
    raise DisbursementStepRefused(from_state, to_state)
