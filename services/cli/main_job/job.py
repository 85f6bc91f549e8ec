"""The main job itself: six steps over HTTP, each of which may have been done by an earlier run already."""

import json
import subprocess
import sys
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from services.cli.main_job.offices import MainJobFailed, Offices
from services.cli.main_job.report import Paid, Report
from services.cli.main_job.story import Day, DeathRecord, Household, Story, read_story
from services.shared.vocabulary.actor import significant_digits

FINAL = frozenset({"SETTLED", "REJECTED", "RETURNED", "CANCELLED"})
RELEASE_DAYS_AHEAD = 2
"""A batch goes to the bank two days before it is due, so that one failed day costs nothing."""
STATEMENT_DAYS = 2
"""After the day of payment: one for the statement, one more for what the bank sends back."""
VERIFY_SECONDS = 30


def run_main_job(offices: Offices, report: Report) -> None:
    """Do the story; raises MainJobFailed at the first step that does not come out as it says.

    Every write has an idempotency key of its own, so a second run finds what the first did and goes on from there.
    """
    story = read_story()
    report.begin(_count_steps(story))
    try:
        for day in story.days:
            offices.move_clock_to(day.on)
            awards = {household.name: _award(offices, report, household) for household in day.households}
            _pay(offices, report, day, awards)
        _refuse_today(offices, report)
        _hold_after_death(offices, report, story)
        _audit(offices, report, story)
    finally:
        report.end()


def _award(offices: Offices, report: Report, household: Household) -> str:
    """Send the household in, let one person propose and another confirm; the award's id."""
    name, who = household.name, f"{household.zh}"
    found = offices.post(
        "caseworker", "/eligibility/v1/determinations", household.request, f"main-job/{name}/determine"
    )
    result = _result_of(found, household)
    amount = result.get("monthly") or result.get("one_off")
    law = result["reasons"][0]["citation"]
    report.step(
        f"{who}：{household.programme} {amount} 元（{law['instrument']} {law['article']}）",
        f"{household.en}: {household.programme} {amount}",
    )
    _replay(offices, found["id"])
    proposal = {"programme": household.programme, "subject": household.subject, "people": household.people}
    if household.until:
        proposal["until"] = household.until
    award = offices.post(
        "caseworker", f"/eligibility/v1/determinations/{found['id']}/awards", proposal, f"main-job/{name}/propose"
    )
    decide = f"/eligibility/v1/awards/{award['id']}/confirm"
    if offices.get("confirmer", f"/eligibility/v1/awards/{award['id']}")["state"] == "PROPOSED":
        refusal = offices.refused("caseworker", decide, {"reason": ""}, f"main-job/{name}/confirm-own")
        _expect(refusal == "second_person_needed", f"{name}: {refusal}")
    offices.post("confirmer", decide, {"reason": ""}, f"main-job/{name}/confirm")
    report.step("提出人不能自己确认，第二人确认", "the proposer may not confirm; a second person does")
    return award["id"]


def _replay(offices: Offices, determination: str) -> None:
    """The recorded determination computes to the same bytes again."""
    recorded = offices.get("auditor", f"/eligibility/v1/determinations/{determination}")
    again = offices.post(
        "auditor", f"/eligibility/v1/determinations/{determination}/replay", {}, f"replay/{determination}"
    )
    _expect(recorded == again, f"replay of {determination}")


def _pay(offices: Offices, report: Report, day: Day, awards: dict[str, str]) -> None:
    """Pay what the day's awards owe: each month's batch before its due day, an advance at once."""
    places = sorted({(household.programme, household.region) for household in day.households})
    for programme, region in places:
        months = day.paid_in or [f"{day.on:%Y-%m}"]
        for month in months:
            _pay_month(offices, report, programme, region, month)
    for household in day.households:
        first = _lines(offices, household.programme, household.region, (day.paid_in or [f"{day.on:%Y-%m}"])[0])
        states = {line["state"] for line in first if line["award_id"] == awards[household.name]}
        _expect(states == {household.ends}, f"{household.name}: {sorted(states)}, {household.ends} expected")


def _pay_month(offices: Offices, report: Report, programme: str, region: str, month: str) -> None:
    due = _due_day_comes(offices, programme, region, month)
    lines = _lines(offices, programme, region, month)
    if all(line["state"] in FINAL for line in lines):
        report.step(
            f"{month} {programme} {region}：此前已付清", f"{month} {programme} {region}: paid by an earlier run"
        )
        return _show(report, offices, lines)
    _release(offices, programme, region, month)
    _wait_for(offices, programme, region, month, FINAL | {"ACCEPTED"})
    for _ in range(STATEMENT_DAYS):
        offices.next_day()
        offices.until("bank statement", lambda: _statements_read(offices))
    lines = _wait_for(offices, programme, region, month, FINAL)
    offices.move_clock_to(due)
    total = sum((line["amount_fen"] for line in lines), 0) if lines and "amount_fen" in lines[0] else len(lines)
    report.step(
        f"{month} {programme} {region}：{len(lines)} 笔有了最终结果",
        f"{month} {programme} {region}: {len(lines)} settled",
    )
    del total
    _show(report, offices, lines)
    return None


def _due_day_comes(offices: Offices, programme: str, region: str, month: str) -> date:
    """Go to the day on which the month's batch is made; the due day."""
    year, number = (int(part) for part in month.split("-"))
    offices.move_clock_to(date(year, number, 1))
    lines = offices.until(f"{month} {programme}", lambda: _lines(offices, programme, region, month))
    due = date.fromisoformat(lines[0]["due_on"])
    offices.move_clock_to(due - timedelta(days=RELEASE_DAYS_AHEAD))
    return due


def _release(offices: Offices, programme: str, region: str, month: str) -> None:
    """Maker, checker and release: the checker approves this list, by its root."""
    key = f"main-job/{programme}/{region}/{month}"
    wanted = {"programme": programme, "region": region, "month": month}
    batch = offices.post("maker", "/payments/v1/batches", wanted, f"{key}/create")
    path = f"/payments/v1/batches/{batch['id']}"
    offices.post("maker", f"{path}/submit", {}, f"{key}/submit")
    offices.post("checker", f"{path}/approve", {"lines_root": batch["lines_root"]}, f"{key}/approve")
    offices.post("checker", f"{path}/release", {}, f"{key}/release")


def _wait_for(offices: Offices, programme: str, region: str, month: str, states: Iterable[str]) -> list[dict[str, Any]]:
    wanted = frozenset(states)

    def look() -> list[dict[str, Any]] | None:
        lines = _lines(offices, programme, region, month)
        return lines if lines and all(line["state"] in wanted for line in lines) else None

    return offices.until(f"{month} {programme}: {sorted(wanted)}", look)


def _lines(offices: Offices, programme: str, region: str, month: str) -> list[dict[str, Any]]:
    query = {"programme": programme, "region": region, "month": month}
    return offices.get("auditor", "/payments/v1/disbursements", **query)["data"]


def _expect(holds: bool, what: str) -> None:
    if not holds:
        raise MainJobFailed(f"与预期不符 / not as expected: {what}")
