"""A bank that does not answer: the file is asked about and adopted or resent as the same bytes, and paid once."""

import time

import pytest

from services.payments.gateways.bank import Bank
from services.payments.store import pay_files
from services.payments.use_cases import pay_batch
from services.shared.vocabulary.money import fen_of, yuan_of
from tests.running_bank import ACCOUNT, KEY

MONTHS = (f"{year}-{month:02d}" for year in (2024, 2025) for month in range(1, 13))


@pytest.fixture(scope="module", autouse=True)
def clock(payments):
    payments.put_clock("2023-12-01T09:00:00+08:00")
    payments.bank_line = Bank(payments.bank.url, key_file(payments), answer_seconds=1.0)


def key_file(payments):
    path = payments.data_dir / "bank-for-faults.key"
    path.write_text(KEY, encoding="ascii")
    return path


@pytest.fixture
def released(payments):
    """A released batch of one line, and its award."""
    month = next(MONTHS)
    number = int(month[:4]) * 12 + int(month[5:])
    award = payments.award(month=month, until=f"{number // 12}-{number % 12 + 1:02d}")
    return payments.release(payments.batch(month=month)), award


def plan(payments, kind: str | None, seconds: float = 0) -> None:
    payments.bank.post("/test-helpers/faults", json={"next_pay_file": kind, "seconds": seconds}).raise_for_status()


def files(payments, batch_id: str) -> list[dict]:
    return payments.get(f"/batches/{batch_id}")["pay_files"]


def balance(payments) -> int:
    """What the payer's account holds in the bank's own book, in fen."""
    return fen_of(payments.bank.get(f"/accounts/{ACCOUNT}/balance").json()["balance"])


def paid_since(payments, before: int) -> str:
    return yuan_of(before - balance(payments))


def until_done(payments, batch_id: str, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not payments.pay(batch_id):
        assert time.monotonic() < end, files(payments, batch_id)
        time.sleep(0.1)


def test_a_bank_that_hangs_after_accepting_is_asked_and_its_answer_adopted(payments, released) -> None:
    batch_id, award = released
    before = balance(payments)
    plan(payments, "accept_then_hang", 30)
    assert not payments.pay(batch_id)
    [file] = files(payments, batch_id)
    assert file["state"] == "IN_DOUBT"
    assert payments.line(award)["state"] == "SENT"
    until_done(payments, batch_id)
    [same] = files(payments, batch_id)
    assert (same["msg_id"], same["sha256"], same["state"]) == (file["msg_id"], file["sha256"], "COMPLETE")
    assert [a["action"] for a in same["attempts"]] == ["send", "send", "query", "report"]
    assert payments.line(award)["state"] == "ACCEPTED"
    assert paid_since(payments, before) == "1020.00"


def test_a_bank_that_accepts_late_pays_the_resent_bytes_once(payments, released) -> None:
    batch_id, award = released
    before = balance(payments)
    plan(payments, "hang_before_accept", 3)
    assert not payments.pay(batch_id)
    until_done(payments, batch_id)
    time.sleep(3)  # the first copy arrives now
    [file] = files(payments, batch_id)
    assert "resend" in [a["action"] for a in file["attempts"]]
    assert paid_since(payments, before) == "1020.00"
    assert payments.line(award)["state"] == "ACCEPTED"


def test_a_bank_that_is_closed_for_a_moment_gets_the_same_file_later(payments, released) -> None:
    batch_id, award = released
    before = balance(payments)
    plan(payments, "refuse_503")
    assert not payments.pay(batch_id)
    until_done(payments, batch_id)
    assert len(files(payments, batch_id)) == 1
    assert paid_since(payments, before) == "1020.00"
    assert payments.line(award)["state"] == "ACCEPTED"


def test_a_bank_that_is_gone_delays_and_loses_nothing(payments, released) -> None:
    batch_id, award = released
    before = balance(payments)
    payments.bank.kill()
    assert not payments.pay(batch_id)
    assert not payments.pay(batch_id)
    assert files(payments, batch_id)[0]["state"] == "IN_DOUBT"
    payments.bank.start()
    until_done(payments, batch_id)
    assert len(files(payments, batch_id)) == 1
    assert paid_since(payments, before) == "1020.00"
    assert payments.line(award)["state"] == "ACCEPTED"


class BankWithoutReports:
    """The line to a bank that takes files and never says what became of their lines."""

    def __init__(self, line: Bank) -> None:
        self.send, self.ask = line.send, line.ask

    def report(self, msg_id: str) -> None:
        return None


def alarms(payments, msg_id: str) -> list[str]:
    return [e["kind"] for e in payments.get("/exceptions", params={"limit": 500})["data"] if e["pay_file"] == msg_id]


@pytest.fixture
def soon_alarmed(monkeypatch) -> int:
    monkeypatch.setattr(pay_batch, "ATTEMPTS_BEFORE_ALARM", 4)
    return 4


def test_a_file_in_doubt_for_long_is_told_to_a_person_once(payments, released, soon_alarmed: int) -> None:
    batch_id, award = released
    payments.bank.kill()
    try:
        assert not payments.pay(batch_id)  # intended, sent
        [file] = files(payments, batch_id)
        assert not payments.pay(batch_id)  # asked
        assert (len(files(payments, batch_id)[0]["attempts"]), alarms(payments, file["msg_id"])) == (3, [])
        for _ in range(3):
            assert not payments.pay(batch_id)
            assert alarms(payments, file["msg_id"]) == ["pay_file_in_doubt"]
    finally:
        payments.bank.start()
    until_done(payments, batch_id)
    assert payments.line(award)["state"] == "ACCEPTED"


def test_a_file_whose_report_never_comes_is_told_to_a_person_once(payments, released, soon_alarmed: int) -> None:
    batch_id, award = released
    line, payments.bank_line = payments.bank_line, BankWithoutReports(payments.bank_line)
    try:
        assert not payments.pay(batch_id)  # intended, sent, no report
        [file] = files(payments, batch_id)
        assert (file["state"], len(file["attempts"]), alarms(payments, file["msg_id"])) == ("ACKED", 3, [])
        for _ in range(3):
            assert not payments.pay(batch_id)
            assert alarms(payments, file["msg_id"]) == ["pay_file_without_report"]
    finally:
        payments.bank_line = line
    until_done(payments, batch_id)
    assert payments.line(award)["state"] == "ACCEPTED"


def test_of_many_attempts_the_latest_are_shown(payments, released, monkeypatch) -> None:
    monkeypatch.setattr(pay_files, "ATTEMPTS_SHOWN", 2)
    batch_id, _ = released
    payments.pay(batch_id)
    assert [a["action"] for a in files(payments, batch_id)[0]["attempts"]] == ["send", "report"]


def test_a_bank_without_dedupe_is_never_sent_the_file_again(payments, released) -> None:
    batch_id, award = released
    runtime = payments.runtime
    own = runtime.configuration.own
    object.__setattr__(own, "__dict__", {**own.__dict__, "bank_dedupes_by_msg_id": False})
    try:
        plan(payments, "refuse_503")
        for _ in range(3):
            assert not payments.pay(batch_id)
        [file] = files(payments, batch_id)
        assert file["state"] == "IN_DOUBT"
        assert {a["action"] for a in file["attempts"]} == {"send", "query"}
        assert payments.bank.get(f"/pay-files/{file['msg_id']}").status_code == 404
        kinds = {(e["kind"], e["pay_file"]) for e in payments.get("/exceptions")["data"]}
        assert ("pay_file_in_doubt", file["msg_id"]) in kinds
        assert payments.line(award)["state"] == "SENT"
    finally:
        object.__setattr__(own, "__dict__", {**own.__dict__, "bank_dedupes_by_msg_id": True})
    until_done(payments, batch_id)


def test_a_refused_file_gives_its_lines_back_to_a_persons_word(payments) -> None:
    month = next(MONTHS)
    award = payments.award(month=month, until="2026-12", amount="2000000.00")
    batch_id = payments.release(payments.batch(month=month))
    payments.pay(batch_id)
    [file] = files(payments, batch_id)
    assert file["state"] == "NAKED" and file["attempts"][-1]["outcome"] == "RJCT AM04"
    assert payments.line(award)["state"] == "APPROVED"
    assert payments.pay(batch_id)
    assert len(files(payments, batch_id)) == 1  # nothing is sent again by itself
    assert ("pay_file_refused", file["msg_id"]) in {
        (e["kind"], e["pay_file"]) for e in payments.get("/exceptions")["data"]
    }
    payments.done(f"/batches/{batch_id}/release", {}, "checker")
    payments.pay(batch_id)
    first, second = files(payments, batch_id)
    assert first["msg_id"] != second["msg_id"]


def test_the_books_stay_right(payments) -> None:
    payments.put_clock("2023-12-02T09:00:00+08:00")
    payments.tick()
    books = payments.get("/ledger/balances")
    assert books["is_balanced"] and books["bank"]["is_equal"], books
    assert payments.broken_invariants() == {}


def test_a_bank_that_does_not_know_us_has_refused_nothing(payments, released) -> None:
    """The last of the module: a wrong key is put right later, and the file is not given up for it."""
    batch_id, award = released
    wrong = payments.data_dir / "wrong.key"
    wrong.write_text("not-the-key", encoding="ascii")
    right, payments.bank_line = payments.bank_line, Bank(payments.bank.url, wrong, answer_seconds=1.0)
    assert not payments.pay(batch_id)
    assert files(payments, batch_id)[0]["state"] == "IN_DOUBT"
    assert payments.line(award)["state"] == "SENT"
    payments.bank_line.close()
    payments.bank_line = right
    until_done(payments, batch_id)
    assert payments.line(award)["state"] == "ACCEPTED"
