"""`kill -9` of the worker and of the bank, again and again: every line is paid once, and the books equal the bank's."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from services.shared.vocabulary.money import fen_of
from tests.running_bank import ACCOUNT, KEY

KILLS = 12
LINES = 40
SEED = 20230908
PATIENCE_SECONDS = 90


class Worker:
    """Payments' worker in a process of its own."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "services.payments", "worker"]
        self.process = subprocess.Popen(command, env=self._environment, stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture
def worker(payments, configured: dict[str, str]) -> Iterator[Worker]:
    key_file = payments.data_dir / "bank-for-worker.key"
    key_file.write_text(KEY, encoding="ascii")
    settings = {
        "DOUDI_PAYMENTS_BANK_URL": payments.bank.url,
        "DOUDI_PAYMENTS_BANK_KEY_FILE": str(key_file),
        "DOUDI_JOB_HEARTBEAT_SECONDS": "1",
    }
    worker = Worker({**os.environ, **configured, **settings})
    yield worker
    worker.kill()


def eventually(what: str, condition: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.2)
    raise AssertionError(f"it did not come to pass: {what}")


def states(payments, month: str) -> set[str]:
    return {line["state"] for line in payments.lines(month=month, limit=500)}


def test_a_worker_killed_while_the_bank_hangs_is_followed_by_one_that_asks(payments, worker: Worker) -> None:
    payments.put_clock("2023-09-06T09:00:00+08:00")
    award = payments.award()
    hang = {"next_pay_file": "accept_then_hang", "seconds": 60}
    payments.bank.post("/test-helpers/faults", json=hang).raise_for_status()
    worker.start()
    batch_id = payments.release(payments.batch())
    eventually("the line is sent", lambda: payments.line(award)["state"] == "SENT")
    [file] = payments.get(f"/batches/{batch_id}")["pay_files"]
    eventually("the bank has it", lambda: payments.bank.get(f"/pay-files/{file['msg_id']}").status_code == 200)
    worker.kill()
    assert payments.line(award)["state"] == "SENT"
    worker.start()
    eventually("the answer is adopted", lambda: payments.line(award)["state"] == "ACCEPTED")
    [same] = payments.get(f"/batches/{batch_id}")["pay_files"]
    assert (same["msg_id"], same["sha256"], same["state"]) == (file["msg_id"], file["sha256"], "COMPLETE")
    assert "query" in [attempt["action"] for attempt in same["attempts"]]
    payments.put_clock("2023-09-07T09:00:00+08:00")
    eventually("the statement is read", lambda: payments.line(award)["state"] == "SETTLED")


def test_nothing_is_lost_or_paid_twice_however_often_they_are_killed(payments, worker: Worker) -> None:
    dice = random.Random(SEED)
    payments.put_clock("2023-10-01T09:00:00+08:00")
    before = fen_of(payments.bank.get(f"/accounts/{ACCOUNT}/balance").json()["balance"])
    for _ in range(LINES // 4):
        for magic in ("00", "00", "01", "02"):
            payments.award(month="2023-10", until="2023-11", magic=magic, amount="100.01", people=1)
    worker.start()
    batches = []
    for kill in range(KILLS):
        if kill % 4 == 0:
            payments.award(month="2023-10", until="2023-11", amount="100.01", people=1)
            batches.append(payments.release(payments.batch(month="2023-10")))
        time.sleep(dice.uniform(0.1, 2.0))
        victim = worker if dice.random() < 0.7 else payments.bank
        victim.kill()
        time.sleep(dice.uniform(0.0, 0.3))
        victim.start()
    eventually("every line has the bank's word", lambda: states(payments, "2023-10") <= {"ACCEPTED", "REJECTED"})
    for day in ("2023-10-02", "2023-10-03"):
        payments.put_clock(f"{day}T09:00:00+08:00")
        eventually("the day's statement", lambda: "ACCEPTED" not in states(payments, "2023-10"))
    ends = {"SETTLED", "REJECTED", "RETURNED"}
    eventually("every line has its end", lambda: states(payments, "2023-10") == ends)
    eventually("the books equal the bank's", lambda: payments.get("/ledger/balances")["bank"].get("is_equal", False))
    lines = payments.lines(month="2023-10", limit=500)
    settled = [line for line in lines if line["state"] == "SETTLED"]
    after = fen_of(payments.bank.get(f"/accounts/{ACCOUNT}/balance").json()["balance"])
    assert before - after == 10_001 * len(settled)
    assert len(lines) == LINES + len(batches)
    assert payments.get("/exceptions")["data"] == []
    assert payments.broken_invariants() == {}
