"""Takes the bank's status report about a file: each line accepted, refused, or a contradiction for people."""

from collections.abc import Mapping
from dataclasses import replace

from services.payments.domain.disbursement import DisbursementState
from services.payments.domain.pay_file import PayFileState, check_pay_file_step
from services.payments.domain.reconciliation import ExceptionKind, verdict_on_status
from services.payments.gateways.iso20022 import LineStatus, StatusReport
from services.payments.store import disbursements, exceptions, pay_files
from services.payments.store.disbursements import Disbursement
from services.payments.use_cases.advance_lines import Move, Who, advance_lines, worker
from services.shared.runtime.database import Transaction
from services.shared.runtime.service_app import Runtime

_ACCEPTED_BY_THE_BANK = (PayFileState.ACKED, PayFileState.REPORTING, PayFileState.COMPLETE)
Destination = tuple[DisbursementState, str | None]


def apply_report(tx: Transaction, runtime: Runtime, msg_id: str, report: StatusReport) -> None:
    """Move the file's lines as the report says; the file is COMPLETE when no line waits for a word any more.

    A report that comes after that can only repeat or contradict.
    """
    who = worker(runtime)
    file = pay_files.lock_pay_file(tx, msg_id)
    if file is None or file.state not in _ACCEPTED_BY_THE_BANK:
        return
    lines = {line.end_to_end_id: line for line in disbursements.lock_of_pay_file(tx, msg_id)}
    waiting = {line.id for line in lines.values() if line.state is DisbursementState.SENT}
    for (to_state, reason), some in _destinations(tx, who, msg_id, lines, report).items():
        changes = {} if reason is None else {"reason": reason}
        advance_lines(tx, runtime, who, some, Move(to_state, "bank_status", changes))
        waiting -= {line.id for line in some}
    to_file_state = PayFileState.REPORTING if waiting else PayFileState.COMPLETE
    if to_file_state is not file.state and file.state is not PayFileState.COMPLETE:
        check_pay_file_step(file.state, to_file_state)
        pay_files.put_state(tx, msg_id, to_file_state)


def _destinations(
    tx: Transaction, who: Who, msg_id: str, lines: Mapping[str, Disbursement], report: StatusReport
) -> dict[Destination, list[Disbursement]]:
    destinations: dict[Destination, list[Disbursement]] = {}
    after_this_report = dict(lines)
    for status in report.lines:
        line = after_this_report.get(status.end_to_end_id)
        destination = _destination(tx, who, msg_id, line, status)
        if destination is None or line is None:
            continue
        destinations.setdefault(destination, []).append(line)
        # A line that the report names again is judged by where its first word put it.
        after_this_report[status.end_to_end_id] = replace(line, state=destination[0])
    return destinations


def _destination(
    tx: Transaction, who: Who, msg_id: str, line: Disbursement | None, status: LineStatus
) -> Destination | None:
    if line is None:
        subject = exceptions.Subject(pay_file=msg_id)
        exceptions.open_exception(tx, ExceptionKind.UNKNOWN_END_TO_END_ID, subject, who.now)
        return None
    verdict = verdict_on_status(line.state, status.status)
    if verdict.exception is not None:
        subject = exceptions.Subject(disbursement=line.id, pay_file=msg_id)
        exceptions.open_exception(tx, verdict.exception, subject, who.now)
    if verdict.to_state is None:
        return None
    return verdict.to_state, status.reason if verdict.to_state is DisbursementState.REJECTED else None
