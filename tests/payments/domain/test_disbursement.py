"""No way through the state machine pays a line twice, and the ledger always says what the state says."""

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.payments.domain.disbursement import (
    FINAL_STATES,
    HOLDABLE_STATES,
    ONCE_ONLY_STATES,
    STEPS,
    DisbursementState,
    DisbursementStepRefused,
    Step,
    step_between,
)
from services.payments.domain.ledger import POSTINGS, AccountKind, Books, Transfer, TransferCode, transfer_of

S = DisbursementState
BOOKS = Books("test_bank", "420100", "dibao")


def walk(choices: list[int]) -> list[Step]:
    """A path from CREATED, at each state taking the step that the next number picks."""
    state, taken = S.CREATED, []
    for choice in choices:
        accrued = balance_of(taken, AccountKind.EXPENSE) != 0
        ways = [step for step in STEPS if step.from_state is state and step.accrued in (None, accrued)]
        if not ways:
            break
        taken.append(ways[choice % len(ways)])
        state = taken[-1].to_state
    return taken


def balance_of(path: list[Step], kind: AccountKind) -> int:
    """Debits minus credits of an account over a path of one fen."""
    return sum(
        (POSTINGS[step.transfer][0] is kind) - (POSTINGS[step.transfer][1] is kind) for step in path if step.transfer
    )


@given(st.lists(st.integers(0, 11), max_size=60))
def test_no_path_takes_money_from_the_treasury_twice(choices: list[int]) -> None:
    path = walk(choices)
    settled = Counter(step.transfer for step in path)[TransferCode.SETTLE]
    assert settled <= 1
    assert -1 <= balance_of(path, AccountKind.TREASURY_CASH) <= 0
    assert 0 <= -balance_of(path, AccountKind.IN_TRANSIT) <= 1


@given(st.lists(st.integers(0, 11), max_size=60))
def test_the_books_follow_the_state(choices: list[int]) -> None:
    path = walk(choices)
    state = path[-1].to_state if path else S.CREATED
    accrued = balance_of(path, AccountKind.EXPENSE)
    owed = -balance_of(path, AccountKind.PAYABLE)
    in_transit = -balance_of(path, AccountKind.IN_TRANSIT)
    suspense = -balance_of(path, AccountKind.SUSPENSE_RETURN)
    assert in_transit == (state in (S.SENT, S.ACCEPTED))
    assert suspense == (state is S.RETURNED)
    if state in (S.APPROVED, S.QUEUED, S.REJECTED):
        assert (accrued, owed) == (1, 1)
    if state is S.CANCELLED:
        assert (accrued, owed) == (0, 0)
    if state is S.HELD:
        assert owed == accrued


@given(st.lists(st.integers(0, 11), max_size=60))
def test_once_only_states_are_reached_once(choices: list[int]) -> None:
    reached = Counter(step.to_state for step in walk(choices))
    assert all(reached[state] <= 1 for state in ONCE_ONLY_STATES)


def test_final_states_have_no_way_out_and_settled_has_one() -> None:
    assert {state for state in S if not any(step.from_state is state for step in STEPS)} == FINAL_STATES
    assert [step.to_state for step in STEPS if step.from_state is S.SETTLED] == [S.RETURNED]


def test_a_line_on_its_way_to_the_bank_cannot_be_held_or_cancelled() -> None:
    assert {S.CREATED, S.APPROVED, S.QUEUED} == HOLDABLE_STATES
    for state, target in itertools.product((S.SENT, S.ACCEPTED, S.SETTLED), (S.HELD, S.CANCELLED)):
        with pytest.raises(DisbursementStepRefused):
            step_between(state, target, is_accrued=True)


@pytest.mark.parametrize(
    ("step", "accrued", "transfer"),
    [
        ((S.CREATED, S.APPROVED), False, TransferCode.ACCRUE),
        ((S.QUEUED, S.SENT), True, TransferCode.SEND),
        ((S.SENT, S.APPROVED), True, TransferCode.UNSEND),
        ((S.SENT, S.REJECTED), True, TransferCode.REJECT),
        ((S.ACCEPTED, S.SETTLED), True, TransferCode.SETTLE),
        ((S.SETTLED, S.RETURNED), True, TransferCode.RETURN),
        ((S.APPROVED, S.CANCELLED), True, TransferCode.CANCEL),
        ((S.HELD, S.CANCELLED), True, TransferCode.CANCEL),
        ((S.HELD, S.CANCELLED), False, None),
        ((S.HELD, S.CREATED), False, None),
        ((S.HELD, S.APPROVED), True, None),
    ],
)
def test_each_step_posts_its_transfer(step: tuple, accrued: bool, transfer: TransferCode | None) -> None:
    assert step_between(*step, is_accrued=accrued).transfer is transfer


@pytest.mark.parametrize(
    ("step", "accrued"),
    [
        ((S.HELD, S.APPROVED), False),  # a lapsed hold approves nothing
        ((S.HELD, S.CREATED), True),
        ((S.SENT, S.SETTLED), True),  # a statement alone settles nothing
        ((S.REJECTED, S.SENT), True),
        ((S.SETTLED, S.SENT), True),
    ],
)
def test_other_steps_are_refused(step: tuple, accrued: bool) -> None:
    with pytest.raises(DisbursementStepRefused):
        step_between(*step, is_accrued=accrued)


def test_a_transfer_names_both_accounts() -> None:
    accrued = transfer_of(TransferCode.ACCRUE, BOOKS, 102_000)
    assert (accrued.debit_account, accrued.credit_account) == ("EXPENSE:420100:dibao", "PAYABLE:420100:dibao")
    settled = transfer_of(TransferCode.SETTLE, BOOKS, 1)
    assert (settled.debit_account, settled.credit_account) == ("IN_TRANSIT:test_bank", "TREASURY_CASH:test_bank")


@pytest.mark.parametrize("amount", [0, -1, 1.0, "1", True])
def test_a_transfer_moves_whole_positive_fen(amount: object) -> None:
    with pytest.raises(ValueError, match="whole, positive"):
        Transfer(TransferCode.SEND, "A", "B", amount)  # type: ignore[arg-type]


def test_a_transfer_moves_between_two_accounts() -> None:
    with pytest.raises(ValueError, match="same account"):
        Transfer(TransferCode.SEND, "A", "A", 1)


def test_an_expense_needs_its_region_and_programme() -> None:
    with pytest.raises(ValueError, match="region"):
        transfer_of(TransferCode.ACCRUE, Books("test_bank"), 1)
