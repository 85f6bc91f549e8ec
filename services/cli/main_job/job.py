"""The main job itself: six steps over HTTP, each of which an earlier run may have done already."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from services.cli.main_job.audit import audit_a_payment
from services.cli.main_job.offices import MainJobFailed, Offices
from services.cli.main_job.report import Paid, Report
from services.cli.main_job.story import Day, Household, Story, read_story
from services.shared.runtime.clock import CHINA_STANDARD_TIME, system_now

FINAL = frozenset({"SETTLED", "REJECTED", "RETURNED", "CANCELLED"})
RELEASE_DAYS_AHEAD = 2
"""A batch goes to the bank two days before it is due, so that one failed day costs nothing."""
Lines = list[dict[str, Any]]


def run_main_job(offices: Offices, report: Report) -> None:
    """Do the story; raises MainJobFailed at the first step that does not come out as it says.

    Every write has an idempotency key of its own, so a second run finds what the first did and goes on from there.
    """
    story = read_story()
    report.begin(sum(2 * len(day.households) + len(_months(day)) for day in story.days) + 4)
    try:
        for day in story.days:
            offices.move_clock_to(day.on)
            awards = {household.name: _award(offices, report, household) for household in day.households}
            _pay_day(offices, report, day, awards)
        _ask_for_today(offices, report, story)
        _hold_after_death(offices, report, story)
        _look_at_the_books(offices, report)
        audit_a_payment(offices, report, story)
    finally:
        report.end()


def _award(offices: Offices, report: Report, household: Household) -> str:
    """Send the household in; one person proposes, another confirms. Returns the award's id."""
    name = household.name
    found = offices.post("caseworker", "/eligibility/v1/determinations", household.request, f"{name}/determine")
    result = _result(found, household)
    law = result["reasons"][0]["citation"]
    granted = f"{household.programme} {result.get('monthly') or result.get('one_off')}"
    report.step(
        f"{household.zh}：{granted} 元（{law['instrument']} {law['article']}）", f"{household.en}: {granted} yuan"
    )
    _expect(_replayed(offices, found["id"]) == found, f"replay of {name}")
    award = _proposed(offices, household, found["id"])
    report.step("提出人不能自己确认；第二人确认", "the proposer may not confirm; a second person does")
    return award


def _proposed(offices: Offices, household: Household, determination: str) -> str:
    name = household.name
    proposal = {"programme": household.programme, "subject": household.subject, "people": household.people}
    if household.until:
        proposal["until"] = household.until
    path = f"/eligibility/v1/determinations/{determination}/awards"
    award = offices.post("caseworker", path, proposal, f"{name}/propose")["id"]
    if offices.get("confirmer", f"/eligibility/v1/awards/{award}")["state"] == "PROPOSED":
        refusal = offices.refused("caseworker", f"/eligibility/v1/awards/{award}/confirm", {}, f"{name}/confirm-own")
        _expect(refusal == "second_person_needed", f"{name}: {refusal}")
    offices.post("confirmer", f"/eligibility/v1/awards/{award}/confirm", {}, f"{name}/confirm")
    return award


def _result(found: dict[str, Any], household: Household) -> dict[str, Any]:
    for result in found["results"]:
        if (result["programme"], result["subject"]) == (household.programme, household.subject):
            _expect(result["outcome"] == "eligible", f"{household.name}: {result['outcome']}")
            return result
    raise MainJobFailed(f"{household.name}: {household.programme} ?")


def _replayed(offices: Offices, determination: str) -> Any:
    """The recorded determination, computed anew from its facts and packs."""
    return offices.post("auditor", f"/eligibility/v1/determinations/{determination}/replay", None, "")


def _pay_day(offices: Offices, report: Report, day: Day, awards: dict[str, str]) -> None:
    """Pay what the day's awards owe: each month's batch before its due day, an advance at once."""
    for programme, region in sorted({(household.programme, household.region) for household in day.households}):
        for month in _months(day):
            _pay_month(offices, report, programme, region, month)
    for household in day.households:
        lines = _lines(offices, household.programme, household.region, _months(day)[0])
        states = {line["state"] for line in lines if line["award_id"] == awards[household.name]}
        _expect(states == {household.ends}, f"{household.name}: {sorted(states)}, not {household.ends}")


def _months(day: Day) -> list[str]:
    return day.paid_in or [f"{day.on:%Y-%m}"]


def _pay_month(offices: Offices, report: Report, programme: str, region: str, month: str) -> None:
    place = f"{month} {programme} {region}"
    lines = offices.until(place, lambda: _lines(offices, programme, region, month, date.fromisoformat(f"{month}-01")))
    due = date.fromisoformat(lines[0]["due_on"])
    if not all(line["state"] in FINAL for line in lines):
        offices.move_clock_to(due - timedelta(days=RELEASE_DAYS_AHEAD))
        _release(offices, programme, region, month)
        lines = _until_all(offices, programme, region, month, FINAL | {"ACCEPTED"})
        lines = _statements_come(offices, programme, region, month)
    offices.move_clock_to(due + timedelta(days=1))
    ends = ", ".join(f"{line['amount']} {line['state']}" for line in lines)
    report.step(f"{place}：{len(lines)} 笔，应于 {due} 前到账：{ends}", f"{place}: {ends}")
    report.payments += [_paid(offices, line) for line in lines]


def _release(offices: Offices, programme: str, region: str, month: str) -> None:
    """Maker, checker and release; the checker approves this very list, by its root."""
    key = f"{programme}/{region}/{month}"
    wanted = {"programme": programme, "region": region, "month": month}
    batch = offices.post("maker", "/payments/v1/batches", wanted, f"{key}/create")
    path = f"/payments/v1/batches/{batch['id']}"
    offices.post("maker", f"{path}/submit", {}, f"{key}/submit")
    offices.post("checker", f"{path}/approve", {"lines_root": batch["lines_root"]}, f"{key}/approve")
    offices.post("checker", f"{path}/release", {}, f"{key}/release")


def _statements_come(offices: Offices, programme: str, region: str, month: str) -> Lines:
    """A day later the statement settles; on the day after, it shows what came back."""
    offices.next_day()
    _until_all(offices, programme, region, month, FINAL)
    offices.next_day()
    return _until_all(offices, programme, region, month, FINAL, lambda: _has_read_yesterday(offices))


def _has_read_yesterday(offices: Offices) -> bool:
    yesterday = offices.clock().astimezone(CHINA_STANDARD_TIME).date() - timedelta(days=1)
    told = offices.get("auditor", "/payments/v1/ledger/balances")["bank"]
    days = offices.bank_days_after(yesterday - timedelta(days=1))
    return not days or told.get("closing_on", "") >= yesterday.isoformat()


def _until_all(
    offices: Offices,
    programme: str,
    region: str,
    month: str,
    states: Iterable[str],
    also: Any = lambda: True,
) -> Lines:
    wanted = frozenset(states)

    def look() -> Lines | None:
        if not also():
            return None
        lines = _lines(offices, programme, region, month)
        return lines if lines and all(line["state"] in wanted for line in lines) else None

    return offices.until(f"{month} {programme} {sorted(wanted)}", look)


def _lines(offices: Offices, programme: str, region: str, month: str, not_before: date | None = None) -> Lines:
    if not_before is not None:
        offices.move_clock_to(not_before)
    query = {"programme": programme, "region": region, "month": month}
    return offices.get("auditor", "/payments/v1/disbursements", **query)["data"]


def _paid(offices: Offices, line: dict[str, Any]) -> Paid:
    opened = offices.get("auditor", f"/payments/v1/disbursements/{line['id']}")
    law = opened["award"]["citation"]
    return Paid(
        household=opened["payee"]["name"],
        programme=line["programme"],
        amount=line["amount"],
        month=line["month"],
        due_on=line["due_on"],
        settled_on=line["value_on"] or "—",
        state=line["state"],
        law=f"{law['instrument']} {law['article']}",
    )


def _ask_for_today(offices: Offices, report: Report, story: Story) -> None:
    """Asked for the day that it is, the Yunnan figures have run out: the answer says what is missing."""
    today = system_now().astimezone(CHINA_STANDARD_TIME).date()
    asked = {**story.household("dongchuan_man").request, "as_of": today.isoformat()}
    answer = offices.post("caseworker", "/eligibility/v1/simulations", asked, "")
    found = next(result for result in answer["results"] if result["programme"] == "tekun")
    _expect(found["outcome"] == "undetermined" and found["missing_parameters"] != [], "tekun today")
    missing = ", ".join(found["missing_parameters"])
    report.step(
        f"按今天（{today}）问：尚不能判断，缺少标准 {missing}", f"asked for today: undetermined, missing {missing}"
    )


def _hold_after_death(offices: Offices, report: Report, story: Story) -> None:
    """A department's death record holds the next payment, for people to answer; nothing is stopped by a machine."""
    record, man = story.death_record, story.household(story.death_record.of)
    offices.move_clock_to(record.on)
    rows = offices.data_dir / "death-records.csv"
    id_number = man.people[0]["id_number"]
    rows.write_text(f"id_number,died_on,source\n{id_number},{record.died_on},{record.source}\n", encoding="utf-8")
    try:
        offices.push_deaths(rows, f"main-job-{record.on}", record.on)
    finally:
        rows.unlink()
    hold = offices.until("hold", lambda: _hold(offices, man, record.held_month))
    who, by = hold["must_be_answered_by"], hold["answer_by"]
    report.facts["暂缓 hold"] = f"{hold['month']} {hold['amount']} → {who}, {by}"
    report.step(
        f"死亡记录：{hold['month']} 的 {hold['amount']} 元暂缓，由 {who} 于 {by} 前答复",
        f"a death record holds {hold['amount']} of {hold['month']}; {who} must answer by {by}",
    )


def _hold(offices: Offices, man: Household, month: str) -> dict[str, Any] | None:
    found = offices.get("auditor", "/payments/v1/holds", region=man.region)["data"]
    return next((hold for hold in found if hold["month"] == month), None)


def _look_at_the_books(offices: Offices, report: Report) -> None:
    books = offices.get("auditor", "/payments/v1/ledger/balances")
    _expect(books["is_balanced"] and books["bank"].get("is_equal", False), f"books: {books['bank']}")
    suspense = [a for a in books["accounts"] if a["account"].startswith("SUSPENSE_RETURN")]
    held = suspense[0]["balance"].lstrip("-") if suspense else "0.00"
    report.facts["账 books"] = f"{books['debits']} = {books['credits']}; bank {books['bank']['closing']}"
    report.step(
        f"账平：借 {books['debits']} = 贷 {books['credits']}，与银行对账单一致；退汇待处理 {held}",
        f"the books balance and equal the bank's statement; {held} in suspense",
    )


def _expect(holds: bool, what: str) -> None:
    if not holds:
        raise MainJobFailed(f"与预期不符 / not as expected: {what}")
