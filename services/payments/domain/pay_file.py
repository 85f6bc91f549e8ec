"""The states of a pay file, and what may be done while the bank has not answered."""

from enum import StrEnum

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 60.0
MOST_DOUBLINGS = 10
ATTEMPTS_BEFORE_ALARM = 30
"""With the pauses between them about half an hour; then a person is told, and the bank is asked on."""


class PayFileState(StrEnum):
    """Where one message to the bank stands. IN_DOUBT: sent, and no answer came."""

    SENDING = "SENDING"
    IN_DOUBT = "IN_DOUBT"
    ACKED = "ACKED"
    NAKED = "NAKED"
    REPORTING = "REPORTING"
    COMPLETE = "COMPLETE"


class BankAnswer(StrEnum):
    """What a call to the bank taught us about the whole file."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NONE = "none"  # a time-out, a broken connection, a 5xx: it may or may not have arrived


class NextMove(StrEnum):
    """What the sending job does with a file."""

    QUERY = "query"
    RESEND_SAME_BYTES = "resend_same_bytes"
    ASK_TWO_PERSONS = "ask_two_persons"
    FETCH_REPORT = "fetch_report"
    NOTHING = "nothing"


_S = PayFileState

STEPS: frozenset[tuple[PayFileState, PayFileState]] = frozenset(
    {
        (_S.SENDING, _S.ACKED),
        (_S.SENDING, _S.NAKED),
        (_S.SENDING, _S.IN_DOUBT),
        (_S.IN_DOUBT, _S.ACKED),
        (_S.IN_DOUBT, _S.NAKED),
        (_S.ACKED, _S.REPORTING),
        (_S.ACKED, _S.COMPLETE),
        (_S.REPORTING, _S.COMPLETE),
    }
)


class PayFileStepRefused(Exception):
    """The file cannot go from the state it is in to the state asked for."""

    def __init__(self, from_state: PayFileState, to_state: PayFileState) -> None:
        super().__init__(f"a pay file in {from_state} cannot become {to_state}")
        self.from_state = from_state
        self.to_state = to_state


class PayFileBytesDiffer(Exception):
    """The bytes about to be resent are not those recorded under this MsgId."""


def check_pay_file_step(from_state: PayFileState, to_state: PayFileState) -> None:
    """Raises PayFileStepRefused unless the table has this step."""
    if (from_state, to_state) not in STEPS:
        raise PayFileStepRefused(from_state, to_state)


def state_after(answer: BankAnswer) -> PayFileState:
    """The state of a file being sent once the bank has spoken, or has not."""
    return {BankAnswer.ACCEPTED: _S.ACKED, BankAnswer.REFUSED: _S.NAKED, BankAnswer.NONE: _S.IN_DOUBT}[answer]


def next_move(state: PayFileState) -> NextMove:
    """What to do with a file found in `state`.

    A file found SENDING belongs to a worker that died between the commit and the answer: it is as doubtful as IN_DOUBT.
    """
    if state in (_S.SENDING, _S.IN_DOUBT):
        return NextMove.QUERY
    return NextMove.FETCH_REPORT if state in (_S.ACKED, _S.REPORTING) else NextMove.NOTHING


def move_when_unknown(*, dedupes_by_msg_id: bool) -> NextMove:
    """What to do when the bank does not know the MsgId of a doubtful file.

    Only a bank that dedupes by MsgId makes a resend safe; otherwise the first copy may still be on its way.
    """
    return NextMove.RESEND_SAME_BYTES if dedupes_by_msg_id else NextMove.ASK_TWO_PERSONS


def pause_seconds(attempts: int) -> float:
    """How long to leave the bank alone after so many attempts: doubling from FIRST_PAUSE to LONGEST_PAUSE."""
    return min(FIRST_PAUSE_SECONDS * 2.0 ** min(attempts, MOST_DOUBLINGS), LONGEST_PAUSE_SECONDS)


def check_same_bytes(recorded_sha256: str, sha256: str) -> None:
    """Raises PayFileBytesDiffer unless both digests (hex) are equal."""
    if recorded_sha256 != sha256:
        raise PayFileBytesDiffer("the bytes of this pay file are not those recorded under its MsgId")
