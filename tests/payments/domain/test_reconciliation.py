"""What contradicts the books changes no state; what confirms them settles a line only with both sources."""

import itertools

import pytest

from services.payments.domain.disbursement import STEPS, DisbursementState
from services.payments.domain.reconciliation import (
    ExceptionKind,
    Verdict,
    verdict_on_credit,
    verdict_on_debit,
    verdict_on_status,
)

S, E = DisbursementState, ExceptionKind
NOTHING = Verdict()
WAIT = Verdict(must_wait=True)


@pytest.mark.parametrize(
    ("state", "code", "verdict"),
    [
        (S.SENT, "ACSP", Verdict(S.ACCEPTED)),
        (S.SENT, "ACSC", Verdict(S.ACCEPTED)),  # a status alone is never SETTLED
        (S.SENT, "RJCT", Verdict(S.REJECTED)),
        (S.SENT, "PDNG", NOTHING),
        (S.ACCEPTED, "ACSP", NOTHING),
        (S.SETTLED, "ACSC", NOTHING),
        (S.REJECTED, "RJCT", NOTHING),
        (S.SETTLED, "RJCT", Verdict(exception=E.REJECTED_AFTER_ACCEPTED)),
        (S.ACCEPTED, "RJCT", Verdict(exception=E.REJECTED_AFTER_ACCEPTED)),
        (S.REJECTED, "ACSC", Verdict(exception=E.ACCEPTED_AFTER_REJECTED)),
        (S.APPROVED, "ACSP", Verdict(exception=E.STATUS_FOR_UNSENT_LINE)),
        (S.HELD, "RJCT", Verdict(exception=E.STATUS_FOR_UNSENT_LINE)),
        (S.SENT, "WHAT", Verdict(exception=E.UNKNOWN_STATUS)),
    ],
)
def test_a_status(state: S, code: str, verdict: Verdict) -> None:
    assert verdict_on_status(state, code) == verdict


@pytest.mark.parametrize(
    ("state", "booked_fen", "verdict"),
    [
        (S.ACCEPTED, 100, Verdict(S.SETTLED)),
        (S.ACCEPTED, 101, Verdict(exception=E.AMOUNT_DIFFERS)),
        (S.ACCEPTED, 99, Verdict(exception=E.AMOUNT_DIFFERS)),
        (S.SENT, 100, WAIT),
        (S.SETTLED, 100, Verdict(exception=E.DEBITED_TWICE)),
        (S.RETURNED, 100, Verdict(exception=E.DEBITED_TWICE)),
        (S.REJECTED, 100, Verdict(exception=E.DEBITED_AFTER_REJECTED)),
        (S.QUEUED, 100, Verdict(exception=E.DEBIT_FOR_UNSENT_LINE)),
    ],
)
def test_a_debit(state: S, booked_fen: int, verdict: Verdict) -> None:
    assert verdict_on_debit(state, 100, booked_fen) == verdict


@pytest.mark.parametrize(
    ("state", "booked_fen", "verdict"),
    [
        (S.SETTLED, 100, Verdict(S.RETURNED)),
        (S.SETTLED, 99, Verdict(exception=E.AMOUNT_DIFFERS)),
        (S.SENT, 100, WAIT),
        (S.RETURNED, 100, Verdict(exception=E.RETURNED_TWICE)),
        (S.ACCEPTED, 100, Verdict(exception=E.RETURN_WITHOUT_DEBIT)),
        (S.REJECTED, 100, Verdict(exception=E.RETURN_WITHOUT_DEBIT)),
        (S.CANCELLED, 100, Verdict(exception=E.RETURN_WITHOUT_DEBIT)),
    ],
)
def test_a_credit(state: S, booked_fen: int, verdict: Verdict) -> None:
    assert verdict_on_credit(state, 100, booked_fen) == verdict


def test_every_verdict_that_moves_a_line_is_a_step_of_the_table() -> None:
    table = {(step.from_state, step.to_state) for step in STEPS}
    for state, code in itertools.product(S, ("ACSP", "RJCT", "PDNG")):
        for verdict in (verdict_on_status(state, code), verdict_on_debit(state, 1, 1), verdict_on_credit(state, 1, 1)):
            assert verdict.to_state is None or (state, verdict.to_state) in table
