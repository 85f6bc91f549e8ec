"""The main job itself: six steps over HTTP, each of which an earlier run may have done already."""

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from services.cli.main_job.audit import audit_a_payment
from services.cli.main_job.offices import MainJobFailed, Offices
from services.cli.main_job.report import Paid, Report
from services.cli.main_job.story import Day, Household, Story, read_story
from services.shared.runtime.clock import CHINA_STANDARD_TIME, system_now

UNREPORTED = frozenset({"CREATED", "APPROVED", "QUEUED", "SENT"})
"""States of a line of which the bank has said nothing yet."""
RELEASE_DAYS_AHEAD = 2
"""A batch goes to the bank two days before it is due, so that one failed day costs nothing."""
STATEMENT_DAYS = 2
"""After the day of payment: one for the statement, one more for what the bank sends back."""
Lines = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Place:
    """A batch's lines: a programme, a region and an entitlement month."""

    programme: str
    region: str
    month: str

    def __str__(self) -> str:
        return f"{self.month} {self.programme} {self.region}"


def run_main_job(offices: Offices, report: Report) -> None:
    """Do the story; raises MainJobFailed at the first step that does not come out as it says.

    Every write has an idempotency key of its own, so a second run finds what the first did and goes on from there.
    """
    story = read_story()
    report.begin(sum(2 * len(day.households) + len(_months(day)) for day in story.days) + 4)
    try:
        for day in story.days:
            offices.move_clock_to(day.on)
            for household in day.households:
                _award(offices, report, household)
            _pay_day(offices, report, day)
        _ask_for_today(offices, report, story)
        _hold_after_death(offices, report, story)
        _look_at_the_books(offices, report)
        audit_a_payment(offices, report, story)
    finally:
        report.end()


def _award(offices: Offices, report: Report, household: Household) -> None:
    """Send the household in; one person proposes, another confirms."""
    name = household.name
    found = offices.post("caseworker", "/eligibility/v1/determinations", household.request, f"{name}/determine")
    result = _result(found, household)
    granted = f"{household.programme} {result.get('monthly') or result.get('one_off')}"
    _expect(_replayed(offices, found["id"]) == found, f"replay of {name}")
    award = _proposed(offices, household, found["id"])
    law = _law(offices.get("confirmer", f"/eligibility/v1/awards/{award}")["basis"])
    report.step(f"{household.zh}：{granted} 元（{law}）", f"{household.en}: {granted} yuan")
    _confirm(offices, household, award)
    report.step("提出人不能自己确认；第二人确认", "the proposer may not confirm; a second person does")


def _proposed(offices: Offices, household: Household, determination: str) -> str:
    name = household.name
    proposal = {"programme": household.programme, "subject": household.subject, "people": household.people}
    if household.until:
        proposal["until"] = household.until
    path = f"/eligibility/v1/determinations/{determination}/awards"
    return offices.post("caseworker", path, proposal, f"{name}/propose")["id"]


def _confirm(offices: Offices, household: Household, award: str) -> None:
    """The proposer is refused; a second person confirms."""
    name = household.name
    if offices.get("confirmer", f"/eligibility/v1/awards/{award}")["state"] == "PROPOSED":
        refusal = offices.refused("caseworker", f"/eligibility/v1/awards/{award}/confirm", {}, f"{name}/confirm-own")
        _expect(refusal == "second_person_needed", f"{name}: {refusal}")
    offices.post("confirmer", f"/eligibility/v1/awards/{award}/confirm", {}, f"{name}/confirm")


def _result(found: dict[str, Any], household: Household) -> dict[str, Any]:
    for result in found["results"]:
        if (result["programme"], result["subject"]) == (household.programme, household.subject):
            _expect(result["outcome"] == "eligible", f"{household.name}: {result['outcome']}")
            return result
    raise MainJobFailed(f"{household.name}: {household.programme} ?")


def _replayed(offices: Offices, determination: str) -> Any:
    """The recorded determination, computed anew from its facts and packs."""
    return offices.post("auditor", f"/eligibility/v1/determinations/{determination}/replay", None, "")


def _pay_day(offices: Offices, report: Report, day: Day) -> None:
    """Pay what the day's awards owe: each month's batch before its due day, an advance at once."""
    for programme, region in sorted({(household.programme, household.region) for household in day.households}):
        here = [h for h in day.households if (h.programme, h.region) == (programme, region)]
        for month in _months(day):
            _pay_month(offices, report, Place(programme, region, month), sorted(h.ends for h in here))


def _months(day: Day) -> list[str]:
    return day.paid_in or [f"{day.on:%Y-%m}"]


def _pay_month(offices: Offices, report: Report, place: Place, ends: list[str]) -> None:
    offices.move_clock_to(date.fromisoformat(f"{place.month}-01"))
    lines = offices.until(str(place), lambda: _lines(offices, place))
    due = date.fromisoformat(lines[0]["due_on"])
    if _states(lines) != ends:
        offices.move_clock_to(due - timedelta(days=RELEASE_DAYS_AHEAD))
        _release(offices, place)
        offices.until(f"{place}: bank's report", lambda: not _states(_lines(offices, place), UNREPORTED))
        for _ in range(STATEMENT_DAYS):
            offices.next_day()
        offices.until(f"{place}: {ends}", lambda: _states(_lines(offices, place)) == ends)
        lines = _lines(offices, place)
    offices.move_clock_to(due + timedelta(days=1))
    shown = ", ".join(f"{line['amount']} {line['state']}" for line in lines)
    report.step(f"{place}：{len(lines)} 笔，应于 {due} 前到账：{shown}", f"{place}: {shown}")
    report.payments += [_paid(offices, line) for line in lines]


def _release(offices: Offices, place: Place) -> None:
    """Maker, checker and release; the checker approves this very list, by its root."""
    key = f"{place.programme}/{place.region}/{place.month}"
    batch = offices.post("maker", "/payments/v1/batches", asdict(place), f"{key}/create")
    path = f"/payments/v1/batches/{batch['id']}"
    offices.post("maker", f"{path}/submit", {}, f"{key}/submit")
    offices.post("checker", f"{path}/approve", {"lines_root": batch["lines_root"]}, f"{key}/approve")
    offices.post("checker", f"{path}/release", {}, f"{key}/release")


def _states(lines: Lines, among: frozenset[str] | None = None) -> list[str]:
    return sorted(line["state"] for line in lines if among is None or line["state"] in among)


def _lines(offices: Offices, place: Place) -> Lines:
    return offices.get("auditor", "/payments/v1/disbursements", **asdict(place))["data"]


def _paid(offices: Offices, line: dict[str, Any]) -> Paid:
    opened = offices.get("auditor", f"/payments/v1/disbursements/{line['id']}")
    return Paid(
        household=opened["payee"]["name"],
        programme=line["programme"],
        amount=line["amount"],
        month=line["month"],
        due_on=line["due_on"],
        settled_on=line["value_on"] or "—",
        state=line["state"],
        law=_law(opened["award"]["citation"]),
    )


def _law(citation: dict[str, str]) -> str:
    return f"{citation['instrument']} {citation['article']}".strip()


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
