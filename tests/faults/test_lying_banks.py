"""A bank that answers wrongly is not believed, and a file whose bytes are no longer the recorded ones is not sent."""

import hashlib
from dataclasses import dataclass, field

import pytest

from sandbox.test_bank.book import FileStatus, TransferStatus
from sandbox.test_bank.messages import status_report
from services.payments.domain.pay_file import PayFileBytesDiffer
from services.payments.gateways.bank import BankRefusedFile
from services.payments.gateways.iso20022 import BankMessageInvalid, read_status_report
from services.payments.use_cases.apply_report import apply_report
from services.payments.use_cases.pay_batch import pay_batch
from services.shared.runtime.jobs import TryAgain

MONTHS = (f"{year}-{month:02d}" for year in (2024, 2025) for month in range(1, 12))


def about(msg_id: str, *lines: TransferStatus, status: str = "ACTC") -> bytes:
    return status_report(FileStatus(msg_id, "P", "0" * 64, status, None, "2023-12-01T09:00:00+08:00"), lines)


@dataclass
class LyingBank:
    """A line to a bank that answers what it is told to, and keeps what it was sent."""

    answer: bytes | Exception
    report_answer: bytes | None = None
    sent: list[bytes] = field(default_factory=list)

    def send(self, content: bytes) -> bytes:
        self.sent.append(content)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def ask(self, msg_id: str) -> bytes | None:
        return self.answer if isinstance(self.answer, bytes) else None

    def report(self, msg_id: str) -> bytes | None:
        return self.report_answer


@pytest.fixture(scope="module", autouse=True)
def clock(payments):
    payments.put_clock("2023-12-01T09:00:00+08:00")


@pytest.fixture
def released(payments):
    month = next(MONTHS)
    award = payments.award(month=month, until=f"{month[:5]}{int(month[5:]) + 1:02d}")
    return payments.release(payments.batch(month=month)), award


def pay(payments, bank: LyingBank, batch_id: str) -> dict:
    """One run of the job against this bank; the batch's file."""
    with pytest.raises(TryAgain):
        pay_batch(payments.runtime, bank, batch_id)
    [file] = payments.get(f"/batches/{batch_id}")["pay_files"]
    return file


@pytest.mark.parametrize(
    "answer",
    [
        about("of-another-file"),
        about("of-another-file", status="RJCT"),
        b"<html>welcome</html>",
        BankRefusedFile(409),
        BankMessageInvalid("too large"),
    ],
)
def test_what_is_no_answer_to_this_file_leaves_it_in_doubt(payments, released, answer) -> None:
    batch_id, award = released
    file = pay(payments, LyingBank(answer), batch_id)
    assert file["state"] == "IN_DOUBT"
    assert payments.line(award)["state"] == "SENT"


def test_a_resend_is_the_same_bytes_under_the_same_id(payments, released) -> None:
    batch_id, _ = released
    bank = LyingBank(BankRefusedFile(409))
    for _ in range(3):
        file = pay(payments, bank, batch_id)
    assert len(bank.sent) == 3
    assert {hashlib.sha256(content).hexdigest() for content in bank.sent} == {file["sha256"]}


def test_a_plain_refusal_gives_the_lines_back(payments, released) -> None:
    batch_id, award = released
    pay_batch(payments.runtime, LyingBank(BankRefusedFile(400)), batch_id)
    assert payments.line(award)["state"] == "APPROVED"


def test_bytes_that_are_not_the_recorded_ones_are_not_sent(payments, released) -> None:
    batch_id, _ = released
    pay(payments, LyingBank(BankRefusedFile(409)), batch_id)
    # Only the owner of the table can do this; the service has no right to.
    payments.rows(
        f"update payments.pay_files set sha256 = repeat('0', 64) where batch = '{batch_id}' returning msg_id"  # noqa: S608
    )
    bank = LyingBank(BankRefusedFile(409))
    with pytest.raises(PayFileBytesDiffer):
        pay_batch(payments.runtime, bank, batch_id)
    assert bank.sent == []


def test_a_report_about_another_file_moves_nothing(payments, released) -> None:
    batch_id, award = released
    file = pay(payments, LyingBank(BankRefusedFile(409)), batch_id)
    end_to_end_id = payments.line(award)["end_to_end_id"]
    bank = LyingBank(about(file["msg_id"]), about("another", TransferStatus(end_to_end_id, "ACSP", None)))
    assert pay(payments, bank, batch_id)["state"] == "ACKED"
    assert payments.line(award)["state"] == "SENT"


def test_a_report_with_a_stranger_and_a_repetition_moves_what_it_can(payments, released) -> None:
    batch_id, award = released
    file = pay(payments, LyingBank(BankRefusedFile(409)), batch_id)
    mine = payments.line(award)["end_to_end_id"]
    lines = [
        TransferStatus("somebody-elses", "ACSP", None),
        TransferStatus(mine, "ACSP", None),
        TransferStatus(mine, "RJCT", "AC04"),
    ]
    pay_batch(payments.runtime, LyingBank(about(file["msg_id"]), about(file["msg_id"], *lines)), batch_id)
    assert payments.line(award)["state"] == "ACCEPTED"
    kinds = {e["kind"] for e in payments.get("/exceptions")["data"] if e["pay_file"] == file["msg_id"]}
    assert kinds == {"unknown_end_to_end_id", "rejected_after_accepted"}


def test_a_report_after_the_last_word_can_only_contradict(payments, released) -> None:
    batch_id, award = released
    file = pay(payments, LyingBank(BankRefusedFile(409)), batch_id)
    mine = payments.line(award)["end_to_end_id"]
    accepted = about(file["msg_id"], TransferStatus(mine, "ACSP", None))
    pay_batch(payments.runtime, LyingBank(about(file["msg_id"]), accepted), batch_id)
    late = read_status_report(about(file["msg_id"], TransferStatus(mine, "RJCT", "AC04")))
    payments.runtime.database.transact(apply_report, payments.runtime, file["msg_id"], late)
    assert payments.line(award)["state"] == "ACCEPTED"
    kinds = {e["kind"] for e in payments.get("/exceptions")["data"] if e["pay_file"] == file["msg_id"]}
    assert kinds == {"rejected_after_accepted"}


def test_a_report_about_a_file_that_nobody_accepted_moves_nothing(payments, released) -> None:
    batch_id, award = released
    file = pay(payments, LyingBank(BankRefusedFile(409)), batch_id)
    early = read_status_report(
        about(file["msg_id"], TransferStatus(payments.line(award)["end_to_end_id"], "ACSP", None))
    )
    payments.runtime.database.transact(apply_report, payments.runtime, file["msg_id"], early)
    assert payments.line(award)["state"] == "SENT"


def test_a_report_that_is_silent_about_a_line_is_asked_for_again(payments, released) -> None:
    batch_id, award = released
    file = pay(payments, LyingBank(BankRefusedFile(409)), batch_id)
    mine = payments.line(award)["end_to_end_id"]
    assert pay(payments, LyingBank(about(file["msg_id"]), about(file["msg_id"])), batch_id)["state"] == "REPORTING"
    pending = about(file["msg_id"], TransferStatus(mine, "RJCT", "AC04"))
    pay_batch(payments.runtime, LyingBank(about(file["msg_id"]), pending), batch_id)
    assert payments.line(award)["state"] == "REJECTED"
