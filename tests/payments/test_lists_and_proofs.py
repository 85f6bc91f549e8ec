"""What an auditor reads: lists in three forms, a line back to the law, and a proof that a stranger can check."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from services.shared.runtime.log_tree import verifier_key

MONTH = "2023-09"


@pytest.fixture(scope="module")
def story(payments) -> dict[str, str]:
    """Lines of one month: paid early, on the due day and after it, and refused."""
    awards = {"paid": payments.award(), "refused": payments.award(magic="01", region="530113", programme="tekun")}
    for programme, region in (("dibao", "420100"), ("tekun", "530113")):
        payments.put_clock("2023-09-06T09:00:00+08:00")
        payments.pay(payments.release(payments.batch(programme, MONTH, region)))
    awards["on_the_day"] = payments.award()
    payments.put_clock("2023-09-08T23:00:00+08:00")
    payments.pay(payments.release(payments.batch()))
    awards["late"] = payments.award()
    payments.put_clock("2023-09-11T09:00:00+08:00")
    payments.tick()
    payments.pay(payments.release(payments.batch()))
    payments.put_clock("2023-09-12T09:00:00+08:00")
    payments.tick()
    return awards


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, {"paid", "refused", "on_the_day", "late"}),
        ({"month": MONTH, "state": "SETTLED"}, {"paid", "on_the_day", "late"}),
        ({"programme": "tekun"}, {"refused"}),
        ({"region": "530000"}, {"refused"}),
        ({"region": "530114"}, set()),
        ({"month": "2023-10"}, set()),
    ],
)
def test_lines_are_found_by_month_place_programme_and_state(payments, story, query, found) -> None:
    assert {line["award_id"] for line in payments.lines(**query)} == {story[name] for name in found}


def test_pages_follow_each_other_without_gap_or_repetition(payments, story) -> None:
    everything = [line["id"] for line in payments.lines()]
    seen, cursor = [], ""
    for _ in range(len(everything) + 1):
        page = payments.get("/disbursements", params={"limit": 1, "cursor": cursor})
        seen += [line["id"] for line in page["data"]]
        if page["next"] is None:
            break
        cursor = page["next"]
    assert seen == everything == sorted(everything)


@pytest.mark.parametrize(("limit", "status"), [(0, 400), (1, 200), (500, 200), (501, 400)])
def test_a_page_is_bounded(payments, story, limit: int, status: int) -> None:
    assert payments.call("GET", "/disbursements", "auditor", params={"limit": limit}).status_code == status


def test_the_same_list_as_csv_and_as_ndjson(payments, story) -> None:
    as_json = payments.lines()
    answer = payments.call("GET", "/disbursements", "auditor", headers={"Accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(row["id"], row["amount"], row["state"]) for row in rows] == [
        (line["id"], line["amount"], line["state"]) for line in as_json
    ]
    answer = payments.call("GET", "/disbursements", "auditor", headers={"Accept": "application/x-ndjson"})
    assert [json.loads(line) for line in answer.text.splitlines()] == as_json


def test_a_line_opens_back_to_the_law(payments, story) -> None:
    line = payments.get(f"/disbursements/{payments.line(story['paid'])['id']}")
    assert line["award"]["determination_id"].startswith("determination_")
    assert line["award"]["rule"] == "dibao.income_test"
    assert line["award"]["citation"] == {"instrument": "社会救助暂行办法", "article": "第九条"}
    assert [event["to_state"] for event in line["events"]] == [
        "CREATED",
        "APPROVED",
        "QUEUED",
        "SENT",
        "ACCEPTED",
        "SETTLED",
    ]
    assert [transfer["code"] for transfer in line["transfers"]] == ["ACCRUE", "SEND", "SETTLE"]
    assert line["payee"]["name"] == "演**" and line["payee"]["card_number"].startswith("****")


def test_the_settling_event_is_proved_offline(payments, story, tmp_path) -> None:
    payments.tick()
    line_id = payments.line(story["paid"])["id"]
    proof = payments.call("GET", f"/disbursements/{line_id}/proof", "auditor")
    leaf = payments.call("GET", f"/disbursements/{line_id}/leaf", "auditor")
    assert proof.headers["content-type"].startswith("text/plain")
    said = json.loads(leaf.content)
    assert (said["to_state"], said["amount_fen"], said["entity_id"]) == ("SETTLED", 102_000, line_id)
    assert said["statement"].startswith("test_bank/")
    key = verifier_key(payments.runtime.log_origin, payments.runtime.log_key.public_key())
    (tmp_path / "proof.txt").write_bytes(proof.content)
    (tmp_path / "leaf.json").write_bytes(leaf.content)
    assert verify(tmp_path, "leaf.json", key) == 0
    (tmp_path / "altered.json").write_bytes(leaf.content.replace(b"102000", b"102001"))
    assert verify(tmp_path, "altered.json", key) != 0
    both = payments.call("GET", f"/disbursements/{line_id}/proof", "auditor", headers={"Accept": "application/json"})
    assert both.json()["leaf"] == said and both.json()["proof"] == proof.text


def verify(folder: Path, leaf: str, key: str) -> int:
    command = [sys.executable, "-m", "verifier.doudi_verify", "proof", str(folder / "proof.txt")]
    command += ["--leaf", str(folder / leaf), "--key", key]
    return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode


def test_an_unsealed_event_has_no_proof_yet(payments, story) -> None:
    award = payments.award(month="2023-10", until="2023-11")
    answer = payments.call("GET", f"/disbursements/{payments.line(award)['id']}/proof", "auditor")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_sealed_yet")


def test_on_time_is_counted_from_the_banks_value_dates(payments, story) -> None:
    rows = {row["programme"]: row for row in payments.get("/on-time", params={"month": MONTH})["data"]}
    assert (rows["dibao"]["due"], rows["dibao"]["on_time"], rows["dibao"]["late"], rows["dibao"]["rate"]) == (
        3,
        2,
        1,
        "0.6666",
    )
    assert (rows["tekun"]["due"], rows["tekun"]["ended_unpaid"], rows["tekun"]["rate"]) == (1, 1, None)


@pytest.mark.parametrize(
    "path", ["/disbursements", "/batches", "/exceptions", "/holds", "/ledger/balances", "/on-time?month=2023-09"]
)
def test_no_token_no_answer(payments, path: str) -> None:
    answer = payments.http.get(f"{payments.url}/payments/v1{path}")
    assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/exceptions", "/ledger/balances"])
def test_what_has_no_region_is_for_callers_of_the_whole(payments, path: str) -> None:
    assert payments.call("GET", path, "auditor", ("420000",)).status_code == 403
    assert payments.call("GET", path, "auditor").status_code == 200
