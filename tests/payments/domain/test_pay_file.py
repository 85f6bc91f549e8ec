"""In doubt, a file is asked about first, and sent again only as the same bytes to a bank that dedupes."""

import pytest

from services.payments.domain.pay_file import (
    BankAnswer,
    NextMove,
    PayFileBytesDiffer,
    PayFileState,
    PayFileStepRefused,
    check_pay_file_step,
    check_same_bytes,
    move_when_unknown,
    next_move,
    pause_seconds,
    state_after,
)


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (BankAnswer.ACCEPTED, PayFileState.ACKED),
        (BankAnswer.REFUSED, PayFileState.NAKED),
        (BankAnswer.NONE, PayFileState.IN_DOUBT),
    ],
)
def test_silence_is_doubt_and_no_refusal(answer: BankAnswer, state: PayFileState) -> None:
    assert state_after(answer) is state


@pytest.mark.parametrize(
    ("state", "move"),
    [
        (PayFileState.SENDING, NextMove.QUERY),  # its worker died after the commit
        (PayFileState.IN_DOUBT, NextMove.QUERY),
        (PayFileState.ACKED, NextMove.FETCH_REPORT),
        (PayFileState.REPORTING, NextMove.FETCH_REPORT),
        (PayFileState.NAKED, NextMove.NOTHING),
        (PayFileState.COMPLETE, NextMove.NOTHING),
    ],
)
def test_the_next_move(state: PayFileState, move: NextMove) -> None:
    assert next_move(state) is move


def test_only_a_bank_that_dedupes_is_sent_the_file_again() -> None:
    assert move_when_unknown(dedupes_by_msg_id=True) is NextMove.RESEND_SAME_BYTES
    assert move_when_unknown(dedupes_by_msg_id=False) is NextMove.ASK_TWO_PERSONS


@pytest.mark.parametrize(("attempts", "seconds"), [(0, 0.5), (1, 1), (6, 32), (7, 60), (10**6, 60)])
def test_the_bank_is_left_alone_for_longer_and_longer(attempts: int, seconds: float) -> None:
    assert pause_seconds(attempts) == seconds


def test_other_bytes_are_never_resent() -> None:
    check_same_bytes("ab", "ab")
    with pytest.raises(PayFileBytesDiffer):
        check_same_bytes("ab", "ac")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (PayFileState.NAKED, PayFileState.SENDING),
        (PayFileState.IN_DOUBT, PayFileState.SENDING),
        (PayFileState.ACKED, PayFileState.NAKED),
        (PayFileState.COMPLETE, PayFileState.SENDING),
    ],
)
def test_no_file_goes_back(before: PayFileState, after: PayFileState) -> None:
    with pytest.raises(PayFileStepRefused):
        check_pay_file_step(before, after)
