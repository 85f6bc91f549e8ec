"""Sends a released batch to the bank and learns what became of it: never twice, whatever breaks.

The intent is committed, then the bank is called outside any transaction, then its answer is recorded. Without an answer
the file is IN_DOUBT: the bank is asked by the message id, and the answer is adopted or the same bytes are sent again
under the same id. The lines of a file that the bank may hold never go into another.
"""

import hashlib

from services.payments.domain.disbursement import DisbursementState
from services.payments.domain.pay_file import (
    ATTEMPTS_BEFORE_ALARM,
    BankAnswer,
    NextMove,
    PayFileState,
    check_pay_file_step,
    check_same_bytes,
    move_when_unknown,
    next_move,
    pause_seconds,
    state_after,
)
from services.payments.domain.reconciliation import ExceptionKind
from services.payments.gateways.bank import Bank, BankRefusedFile, BankUnavailable
from services.payments.gateways.iso20022 import (
    BankMessageInvalid,
    read_status_report,
)
from services.payments.store import disbursements, exceptions, pay_files
from services.payments.store.pay_files import PayFile
from services.payments.use_cases.advance_lines import Move, advance_lines, worker
from services.payments.use_cases.apply_report import apply_report
from services.payments.use_cases.build_pay_file import build_pay_file, record_pay_file
from services.shared.runtime.database import Transaction
from services.shared.runtime.jobs import TryAgain
from services.shared.runtime.service_app import Runtime

_ACCEPTED = frozenset({"ACTC", "ACCP", "ACSP", "ACSC", "ACWC", "PART"})
_LINE = DisbursementState


def pay_batch(runtime: Runtime, bank: Bank, batch_id: str) -> None:
    """The job: settle what is open about the batch's files, then send what waits.

    Raises TryAgain while in doubt; after ATTEMPTS_BEFORE_ALARM a person is told as well, once for each file.
    """
    for file in runtime.database.read(pay_files.list_unfinished, batch_id):
        _carry_on(runtime, bank, file)
    while (built := runtime.database.transact(build_pay_file, runtime, batch_id)) is not None:
        _send(runtime, bank, built, "send")
        _carry_on_when_accepted(runtime, bank, built)
    attempts = runtime.database.read(pay_files.count_open_attempts, batch_id)
    if attempts is not None:
        runtime.database.transact(_tell_of_silence, runtime, batch_id)
        raise TryAgain(pause_seconds(attempts))


def _carry_on(runtime: Runtime, bank: Bank, file: PayFile) -> None:
    move = next_move(file.state)
    if move is NextMove.QUERY:
        _ask(runtime, bank, file)
    elif move is NextMove.FETCH_REPORT:
        _fetch_report(runtime, bank, file)


def _ask(runtime: Runtime, bank: Bank, file: PayFile) -> None:
    try:
        known = bank.ask(file.msg_id)
    except (BankUnavailable, BankMessageInvalid):
        runtime.database.transact(record_answer, runtime, file.msg_id, "query", BankAnswer.NONE, "no_answer")
        return
    if known is not None:
        answer, outcome = _meaning(file.msg_id, known)
        runtime.database.transact(record_answer, runtime, file.msg_id, "query", answer, outcome)
        _carry_on_when_accepted(runtime, bank, file)
        return
    runtime.database.transact(record_answer, runtime, file.msg_id, "query", BankAnswer.NONE, "unknown")
    dedupes = runtime.configuration.own.bank_dedupes_by_msg_id
    if move_when_unknown(dedupes_by_msg_id=dedupes) is NextMove.RESEND_SAME_BYTES:
        _send(runtime, bank, file, "resend")
        _carry_on_when_accepted(runtime, bank, file)
    else:
        runtime.database.transact(_leave_to_two_persons, runtime, file.msg_id)


def _carry_on_when_accepted(runtime: Runtime, bank: Bank, file: PayFile) -> None:
    file = _again(runtime, file)
    if next_move(file.state) is NextMove.FETCH_REPORT:
        _fetch_report(runtime, bank, file)


def _send(runtime: Runtime, bank: Bank, file: PayFile, action: str) -> None:
    content = runtime.database.read(pay_files.read_content, file.msg_id, runtime.personal_data)
    check_same_bytes(file.sha256, hashlib.sha256(content).hexdigest())
    try:
        answer, outcome = _meaning(file.msg_id, bank.send(content))
    except BankUnavailable:
        answer, outcome = BankAnswer.NONE, "no_answer"
    except BankRefusedFile as refusal:
        # 409 says that it holds other bytes under this id: what it did with those is not known.
        answer = BankAnswer.NONE if refusal.code == 409 else BankAnswer.REFUSED
        outcome = f"http_{refusal.code}"
    except BankMessageInvalid:
        answer, outcome = BankAnswer.NONE, "unreadable"
    runtime.database.transact(record_answer, runtime, file.msg_id, action, answer, outcome)


def _meaning(msg_id: str, content: bytes) -> tuple[BankAnswer, str]:
    try:
        report = read_status_report(content)
    except BankMessageInvalid:
        return BankAnswer.NONE, "unreadable"
    if report.original_msg_id != msg_id:
        return BankAnswer.NONE, "about_another_file"
    if report.group_status == "RJCT":
        return BankAnswer.REFUSED, f"RJCT {report.group_reason or ''}".strip()
    accepted = report.group_status in _ACCEPTED
    return BankAnswer.ACCEPTED if accepted else BankAnswer.NONE, report.group_status or "without_status"


def record_answer(
    tx: Transaction, runtime: Runtime, msg_id: str, action: str, answer: BankAnswer, outcome: str
) -> None:
    """Record what a call to the bank taught us; a refused file gives its lines back, to be released by a person."""
    who = worker(runtime)
    file = pay_files.lock_pay_file(tx, msg_id)
    assert file is not None
    pay_files.append_attempt(tx, msg_id, action, outcome, who.now)
    if file.state not in (PayFileState.SENDING, PayFileState.IN_DOUBT):
        return  # another worker has learnt it already
    to_state = state_after(answer)
    if to_state is file.state:
        return
    check_pay_file_step(file.state, to_state)
    pay_files.put_state(tx, msg_id, to_state)
    record_pay_file(tx, runtime, who, file, f"pay_file_{to_state.lower()}")
    if to_state is PayFileState.NAKED:
        lines = disbursements.lock_of_pay_file(tx, msg_id)
        advance_lines(tx, runtime, who, lines, Move(_LINE.APPROVED, "pay_file_refused"))
        exceptions.open_exception(tx, ExceptionKind.PAY_FILE_REFUSED, exceptions.Subject(pay_file=msg_id), who.now)


def _fetch_report(runtime: Runtime, bank: Bank, file: PayFile) -> None:
    try:
        content = bank.report(file.msg_id)
        report = None if content is None else read_status_report(content)
    except (BankUnavailable, BankMessageInvalid) as error:
        runtime.database.transact(_note, runtime, file.msg_id, "report", type(error).__name__)
        return
    if report is not None and report.original_msg_id == file.msg_id:
        runtime.database.transact(apply_report, runtime, file.msg_id, report)
    runtime.database.transact(_note, runtime, file.msg_id, "report", "none_yet" if report is None else "read")


def _leave_to_two_persons(tx: Transaction, runtime: Runtime, msg_id: str) -> None:
    subject = exceptions.Subject(pay_file=msg_id)
    exceptions.open_exception(tx, ExceptionKind.PAY_FILE_IN_DOUBT, subject, runtime.now())


def _tell_of_silence(tx: Transaction, runtime: Runtime, batch_id: str) -> None:
    for file in pay_files.list_silent(tx, batch_id, ATTEMPTS_BEFORE_ALARM):
        is_in_doubt = next_move(file.state) is NextMove.QUERY
        kind = ExceptionKind.PAY_FILE_IN_DOUBT if is_in_doubt else ExceptionKind.PAY_FILE_WITHOUT_REPORT
        exceptions.open_exception(tx, kind, exceptions.Subject(pay_file=file.msg_id), runtime.now())


def _note(tx: Transaction, runtime: Runtime, msg_id: str, action: str, outcome: str) -> None:
    pay_files.append_attempt(tx, msg_id, action, outcome, runtime.now())


def _again(runtime: Runtime, file: PayFile) -> PayFile:
    found = runtime.database.read(pay_files.find_pay_file, file.msg_id)
    assert found is not None
    return found
