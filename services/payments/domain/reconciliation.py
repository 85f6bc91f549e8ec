"""What the bank's words about one line mean: a step of the line, nothing new, or a contradiction for two persons."""

from dataclasses import dataclass
from enum import StrEnum

from services.payments.domain.disbursement import DisbursementState


class BankStatus(StrEnum):
    """The transaction statuses of pain.002 that this service understands."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    PENDING = "pending"


_STATUS_OF_CODE = {
    "ACTC": BankStatus.PENDING,
    "ACCP": BankStatus.PENDING,
    "PDNG": BankStatus.PENDING,
    "RCVD": BankStatus.PENDING,
    "ACSP": BankStatus.ACCEPTED,
    "ACSC": BankStatus.ACCEPTED,
    "ACCC": BankStatus.ACCEPTED,
    "RJCT": BankStatus.REJECTED,
}


class ExceptionKind(StrEnum):
    """Why the bank's word contradicts the books; no state changes until two persons have looked."""

    UNKNOWN_STATUS = "unknown_status"
    UNKNOWN_END_TO_END_ID = "unknown_end_to_end_id"
    STATUS_FOR_UNSENT_LINE = "status_for_unsent_line"
    ACCEPTED_AFTER_REJECTED = "accepted_after_rejected"
    REJECTED_AFTER_ACCEPTED = "rejected_after_accepted"
    AMOUNT_DIFFERS = "amount_differs"
    DEBIT_FOR_UNSENT_LINE = "debit_for_unsent_line"
    DEBITED_TWICE = "debited_twice"
    DEBITED_AFTER_REJECTED = "debited_after_rejected"
    RETURN_WITHOUT_DEBIT = "return_without_debit"
    RETURNED_TWICE = "returned_twice"
    PAY_FILE_REFUSED = "pay_file_refused"
    PAY_FILE_IN_DOUBT = "pay_file_in_doubt"
    PAY_FILE_WITHOUT_REPORT = "pay_file_without_report"
    STATEMENT_UNREADABLE = "statement_unreadable"
    STATEMENT_BALANCE_DIFFERS = "statement_balance_differs"
    MONTH_OWED_BY_ANOTHER_AWARD = "month_owed_by_another_award"
    CALENDAR_YEAR_MISSING = "calendar_year_missing"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows: the new state, or an exception; neither when the word is a repetition or must wait for another."""

    to_state: DisbursementState | None = None
    exception: ExceptionKind | None = None
    must_wait: bool = False


_S = DisbursementState
_NOTHING_NEW = Verdict()
_WAIT = Verdict(must_wait=True)
_PAID = (_S.ACCEPTED, _S.SETTLED, _S.RETURNED)


def verdict_on_status(state: DisbursementState, status_code: str) -> Verdict:
    """What the status `status_code` (ISO 20022 ExternalPaymentTransactionStatus1Code) means for a line in `state`."""
    status = _STATUS_OF_CODE.get(status_code)
    if status is None:
        return Verdict(exception=ExceptionKind.UNKNOWN_STATUS)
    if state not in (_S.SENT, _S.REJECTED, *_PAID):
        return Verdict(exception=ExceptionKind.STATUS_FOR_UNSENT_LINE)
    if status is BankStatus.PENDING:
        return _NOTHING_NEW
    return _on_accepted(state) if status is BankStatus.ACCEPTED else _on_rejected(state)


def _on_accepted(state: DisbursementState) -> Verdict:
    if state is _S.SENT:
        return Verdict(_S.ACCEPTED)
    return _NOTHING_NEW if state in _PAID else Verdict(exception=ExceptionKind.ACCEPTED_AFTER_REJECTED)


def _on_rejected(state: DisbursementState) -> Verdict:
    if state is _S.SENT:
        return Verdict(_S.REJECTED)
    return _NOTHING_NEW if state is _S.REJECTED else Verdict(exception=ExceptionKind.REJECTED_AFTER_ACCEPTED)


def verdict_on_debit(state: DisbursementState, line_fen: int, debit_fen: int) -> Verdict:
    """What a debit of the payer's account with this line's EndToEndId means; the second source that SETTLED needs."""
    if line_fen != debit_fen:
        return Verdict(exception=ExceptionKind.AMOUNT_DIFFERS)
    if state is _S.ACCEPTED:
        return Verdict(_S.SETTLED)
    if state is _S.SENT:
        return _WAIT  # the status report, the other source, has not been read yet
    if state in (_S.SETTLED, _S.RETURNED):
        return Verdict(exception=ExceptionKind.DEBITED_TWICE)
    if state is _S.REJECTED:
        return Verdict(exception=ExceptionKind.DEBITED_AFTER_REJECTED)
    return Verdict(exception=ExceptionKind.DEBIT_FOR_UNSENT_LINE)


def verdict_on_credit(state: DisbursementState, line_fen: int, credit_fen: int) -> Verdict:
    """What a credit with this line's EndToEndId means: the only way out of SETTLED (退汇)."""
    if line_fen != credit_fen:
        return Verdict(exception=ExceptionKind.AMOUNT_DIFFERS)
    if state is _S.SETTLED:
        return Verdict(_S.RETURNED)
    if state is _S.SENT:
        return _WAIT
    if state is _S.RETURNED:
        return Verdict(exception=ExceptionKind.RETURNED_TWICE)
    return Verdict(exception=ExceptionKind.RETURN_WITHOUT_DEBIT)
