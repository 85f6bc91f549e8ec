"""Cancels a line that has not left and puts others of the same month in its place, with the same sum."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.payments.domain.disbursement import DisbursementState
from services.payments.store import disbursements
from services.payments.store.disbursements import Disbursement
from services.payments.use_cases.advance_lines import Move, Who, advance_lines, create_line
from services.shared.runtime.database import Transaction
from services.shared.runtime.identifiers import new_id
from services.shared.runtime.service_app import Runtime


@dataclass(frozen=True, slots=True)
class Part:
    """One line in the place of another: its amount in fen, for how many persons, and whose share if one member's."""

    amount_fen: int
    persons: int
    member: str | None = None


def replace_line(
    tx: Transaction, runtime: Runtime, who: Who, line: Disbursement, parts: Sequence[Part], cause: str
) -> list[Disbursement]:
    """The new lines, CREATED and in no batch. `line` is locked and CREATED, APPROVED, QUEUED or HELD.

    Raises ValueError unless the parts make up the line's amount.
    """
    if sum(part.amount_fen for part in parts) != line.amount_fen:
        raise ValueError("the parts of a line make up its amount")
    if line.state is not DisbursementState.HELD:
        [line] = advance_lines(tx, runtime, who, [line], Move(DisbursementState.HELD, cause))
    advance_lines(tx, runtime, who, [line], Move(DisbursementState.CANCELLED, cause))
    used = disbursements.highest_cause(tx, line.key) or 0
    made = [_part_of(line, part, used + number, who) for number, part in enumerate(parts, start=1)]
    for new in made:
        create_line(tx, runtime, who, new, cause)
    return made


def _part_of(line: Disbursement, part: Part, cause: int, who: Who) -> Disbursement:
    return replace(
        line,
        id=new_id("disbursement"),
        amount_fen=part.amount_fen,
        persons=part.persons,
        member=part.member,
        cause=cause,
        sequence=0,
        replaces=line.id,
        created_at=who.now,
        state=DisbursementState.CREATED,
        batch=None,
        pay_file=None,
        reason=None,
    )
