"""Commits the intent to send: a file with its bytes, and its lines on their way, before the bank hears of it."""

import hashlib
from collections.abc import Sequence

from services.payments.domain.batch import BatchState, check_batch_step
from services.payments.domain.disbursement import DisbursementState
from services.payments.domain.pay_file import PayFileState
from services.payments.gateways.iso20022 import CreditLine, PayFileHeader, write_pay_file
from services.payments.store import awards, batches, disbursements, pay_files
from services.payments.store.disbursements import Disbursement
from services.payments.store.pay_files import PayFile
from services.payments.use_cases.advance_lines import Move, Who, advance_lines, worker
from services.shared.runtime import audit
from services.shared.runtime.clock import china_date
from services.shared.runtime.database import Transaction
from services.shared.runtime.identifiers import new_id
from services.shared.runtime.service_app import Runtime

_LINE = DisbursementState


def build_pay_file(tx: Transaction, runtime: Runtime, batch_id: str) -> PayFile | None:
    """Commit the intent: the file with its bytes, SENDING, and its lines SENT; None when no line waits."""
    who, own = worker(runtime), runtime.configuration.own
    batch = batches.lock_batch(tx, batch_id)
    lines = disbursements.lock_for_pay_file(tx, batch_id)
    if batch is None or not lines:
        return None
    msg_id = new_id("payfile")
    content = _content(tx, runtime, who, msg_id, lines)
    sha256, total_fen = hashlib.sha256(content).hexdigest(), sum(line.amount_fen for line in lines)
    file = PayFile(msg_id, batch_id, own.bank_name, PayFileState.SENDING, sha256, len(lines), total_fen, who.now)
    pay_files.insert_pay_file(tx, file, content, runtime.personal_data)
    pay_files.append_attempt(tx, msg_id, "send", "intended", who.now)
    record_pay_file(tx, runtime, who, file, "pay_file_sending")
    advance_lines(tx, runtime, who, lines, Move(_LINE.SENT, "pay_file_sending", {"pay_file": msg_id}))
    if batch.state is BatchState.RELEASED:
        check_batch_step(batch.state, BatchState.SENT)
        batches.put_state(tx, batch_id, BatchState.SENT)
    return file


def record_pay_file(tx: Transaction, runtime: Runtime, who: Who, file: PayFile, action: str) -> None:
    """Write what happened to a file into the log."""
    event = audit.Event(who.now, who.actor, action, "pay_file", file.msg_id, who.request_id)
    about: audit.Details = {
        "batch": file.batch,
        "sha256": file.sha256,
        "total_fen": file.total_fen,
        "line_count": file.line_count,
    }
    audit.append(tx, runtime.tables, event, about)


def _content(tx: Transaction, runtime: Runtime, who: Who, msg_id: str, lines: Sequence[Disbursement]) -> bytes:
    own = runtime.configuration.own
    payees = awards.find_payees(tx, sorted({line.award for line in lines}), runtime.personal_data)
    header = PayFileHeader(msg_id, who.now, china_date(who.now), own.payer_name, own.payer_account, own.bank_name)
    credits = [
        CreditLine(
            line.end_to_end_id, line.amount_fen, payees[line.award].payee, f"{line.programme} {line.month:%Y-%m}"
        )
        for line in lines
    ]
    return write_pay_file(header, credits)
