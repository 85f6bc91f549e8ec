"""The main job, run as a newcomer runs it: real processes, a real database, a real bank over HTTP."""

import json
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from services.cli import embedded_postgres
from tests.end_to_end.running_doudi import (
    PORT_SETTINGS,
    RunningDoudi,
    doudi,
    ended,
    environment,
    free_ports,
    processes_of,
)

PAID = [
    ("dibao", "1020.00", "2023-09", "2023-09-08", "SETTLED"),
    ("dibao", "660.00", "2023-09", "2023-09-08", "REJECTED"),
    ("dibao", "680.00", "2023-09", "2023-09-08", "RETURNED"),
    ("tekun", "2003.00", "2025-09", "2025-09-10", "SETTLED"),
    ("tekun", "2003.00", "2025-10", "2025-10-10", "SETTLED"),
    ("tekun", "2003.00", "2025-11", "2025-11-10", "SETTLED"),
    ("tekun", "2003.00", "2025-12", "2025-12-10", "SETTLED"),
    ("tekun", "2003.00", "2026-01", "2026-01-09", "SETTLED"),
    ("tekun", "2003.00", "2026-02", "2026-02-10", "SETTLED"),
    ("small_advance", "744.00", "2026-03", "2026-03-01", "SETTLED"),
]
CANARIES = ("990100198001150010", "9000000000000100", "演示甲", "990100196203010017", "演示壬")


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="doudi-e2e-"))
    yield folder
    embedded_postgres.stop(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def env(data_dir: Path) -> dict[str, str]:
    return environment(data_dir, free_ports(4))


@pytest.fixture(scope="module")
def running(env: dict[str, str], data_dir: Path) -> Iterator[RunningDoudi]:
    running = RunningDoudi(env)
    yield running
    if running.process.poll() is None:
        running.interrupt()


def as_role(running: RunningDoudi, role: str) -> httpx.Client:
    token = doudi(running.env, "token", role).stdout.strip()
    return httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=20, trust_env=False)


def payments(running: RunningDoudi, path: str, role: str = "auditor") -> dict:
    answer = as_role(running, role).get(f"{running.result['urls']['payments']}/payments/v1{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_every_payment_ends_as_the_story_says_and_before_its_due_day(running):
    paid = [
        tuple(p[key] for key in ("programme", "amount", "month", "due_on", "state")) for p in running.result["payments"]
    ]
    assert sorted(paid) == sorted(PAID)
    for line in running.result["payments"]:
        assert line["state"] == "REJECTED" or line["settled_on"] <= line["due_on"]


def test_payments_keeps_every_pack_that_its_awards_rest_on(running):
    """Its worker fetched them from the running eligibility service, while the main job went on."""
    named = payments(running, "/policy-packs?limit=500")["data"]
    assert {pack["id"] for pack in named} >= {"cn", "cn-420100", "cn-530113"}
    assert all(pack["kept_at"] and not pack["refused_at"] for pack in named)
    for pack in named:
        assert payments(running, f"/policy-packs/{pack['id']}/{pack['version']}")["sha256"] == pack["sha256"]


def test_the_books_balance_and_equal_the_banks_own(running):
    books = payments(running, "/ledger/balances")
    assert books["is_balanced"] and books["bank"]["is_equal"]
    suspense = {a["account"]: a["balance"] for a in books["accounts"] if a["account"].startswith("SUSPENSE_RETURN")}
    assert [balance.lstrip("-") for balance in suspense.values()] == ["680.00"]


def test_the_held_payment_says_who_must_answer_and_by_when(running):
    (hold,) = payments(running, "/holds?region=530113")["data"]
    assert (hold["state"], hold["month"], hold["amount"]) == ("OPEN", "2026-03", "2003.00")
    assert hold["must_be_answered_by"].endswith("530113") and hold["answer_by"] == "2026-03-10"


def test_an_auditor_opens_a_payment_back_to_its_law_and_proves_it_offline(running, tmp_path):
    line = payments(running, "/disbursements?month=2025-09&region=530113&programme=tekun&state=SETTLED")["data"][0]
    opened = payments(running, f"/disbursements/{line['id']}")
    assert opened["award"]["citation"]["instrument"] and opened["award"]["determination_id"].startswith(
        "determination_"
    )
    base = f"{running.result['urls']['payments']}/payments/v1"
    auditor = as_role(running, "auditor")
    for name, path in (("proof", f"/disbursements/{line['id']}/proof"), ("leaf", f"/disbursements/{line['id']}/leaf")):
        (tmp_path / name).write_bytes(auditor.get(base + path).content)
    key = auditor.get(f"{base}/log/key").text.strip()
    arguments = ["proof", str(tmp_path / "proof"), "--leaf", str(tmp_path / "leaf"), "--key", key]
    verify = [sys.executable, "verifier/doudi_verify.py", *arguments]
    assert subprocess.run(verify, capture_output=True, check=False, timeout=30).returncode == 0
    altered = (tmp_path / "leaf").read_bytes().replace(b"200300", b"300300")
    (tmp_path / "leaf").write_bytes(altered if altered != (tmp_path / "leaf").read_bytes() else altered + b" ")
    assert subprocess.run(verify, capture_output=True, check=False, timeout=30).returncode == 1


def test_the_curl_lines_work_as_pasted(running):
    lines = running.result["curls"]
    assert len(lines) == 3
    for line in lines:
        # In a shell that knows nothing of this run.
        shell = {name: value for name, value in running.env.items() if not name.startswith("DOUDI_")}
        pasted = subprocess.run(["sh", "-c", line], capture_output=True, text=True, env=shell, timeout=60, check=False)
        answer = json.loads(pasted.stdout)
        assert "status" not in answer, answer


def test_a_second_run_at_the_same_time_is_refused_in_one_line(running):
    second = doudi(running.env, "run", "--once")
    assert second.returncode == 1 and len(second.stderr.strip().splitlines()) == 1


def test_no_log_shows_a_person(running, data_dir):
    logs = "".join(path.read_text(encoding="utf-8") for path in (data_dir / "logs").glob("*.log"))
    assert '"event"' in logs
    assert not [canary for canary in CANARIES if canary in logs]


def test_doctor_is_content_while_it_runs(running):
    assert doudi(running.env, "doctor").returncode == 0


def test_ctrl_c_ends_everything(running, data_dir):
    assert running.interrupt() == 130
    assert ended(data_dir), processes_of(data_dir)


def test_a_second_run_continues_with_the_data_and_pays_nothing_again(running, env, data_dir):
    again = doudi(env, "run", "--once", "--json")
    assert again.returncode == 0, again.stderr
    result = json.loads(again.stdout)
    assert result["payments"] == running.result["payments"]
    assert result["账 books"] == running.result["账 books"]


def test_a_killed_parent_leaves_no_orphan_and_the_next_run_goes_on(running, env, data_dir):
    killed = RunningDoudi(env)
    killed.kill()
    again = doudi(env, "run", "--once", "--json")
    assert again.returncode == 0, again.stderr
    assert ended(data_dir), processes_of(data_dir)


def test_a_taken_port_is_one_clear_line(env, data_dir):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = doudi({**env, PORT_SETTINGS[2]: str(port)}, "run", "--once")
    assert refused.returncode == 1
    (line,) = refused.stderr.strip().splitlines()
    assert str(port) in line and PORT_SETTINGS[2] in line


def test_the_same_code_runs_on_a_server_that_is_given(postgres, tmp_path_factory):
    """DOUDI_DATABASE_URL names another server; nothing embedded is started in the data folder."""
    folder = Path(tempfile.mkdtemp(prefix="doudi-given-"))
    given = postgres.owner_url.replace("postgresql+psycopg://", "postgresql://")
    env = environment(folder, free_ports(4), DOUDI_DATABASE_URL=given)
    try:
        result = doudi(env, "run", "--once", "--json")
        assert result.returncode == 0, result.stderr
        assert not (folder / "postgres").exists()
        addresses = (folder / "doudi.env").read_text(encoding="utf-8")
        assert "DOUDI_DATABASE_URL" not in addresses.replace("DOUDI_ELIGIBILITY_", "").replace("DOUDI_MONITORING_", "")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
