"""What would have to be otherwise for a refusal to be a grant: each single fact that would do, the nearest first."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.eligibility.domain.answer import HOUSEHOLD
from services.eligibility.domain.completion import MOST_TRIED_FEN, filled
from services.eligibility.domain.facts import SPENDING, read_facts
from services.eligibility.domain.outcome import outcome_of
from services.eligibility.domain.request import DeterminationRequest
from services.shared.policy.evaluation import Evaluation, PreparedPolicy
from services.shared.policy.pack import Programme
from services.shared.policy.text import Text
from services.shared.vocabulary.money import yuan_of

MAX_CHANGES = 20
"""Facts of which it is tried what would do; a household has rarely half as many."""

INCOME_WORDS: Mapping[str, Text] = {
    "wage": Text("工资", "wage"),
    "business": Text("经营收入", "business income"),
    "property": Text("租金、利息等收入", "income from rent or interest"),
    "pension": Text("养老金", "pension"),
    "base_pension": Text("基础养老金", "base pension"),
    "unemployment_benefit": Text("失业金", "unemployment benefit"),
    "maintenance": Text("亲属给的生活费", "support from relatives"),
    "transfer": Text("其他补贴收入", "other payments received"),
    "other": Text("其他收入", "other income"),
}
SPENDING_WORDS: Mapping[str, Text] = {
    "medical": Text("一年的医疗支出", "medical spending in a year"),
    "education": Text("一年的教育支出", "education spending in a year"),
    "rehabilitation": Text("一年的康复支出", "rehabilitation spending in a year"),
    "living": Text("一年的生活支出", "living costs in a year"),
}


@dataclass(frozen=True, slots=True)
class NearestChange:
    """One fact that alone would turn the refusal: where it stands, what it is, and what it would have to be.

    `by_fen` is how far an amount is away; 0 for what is no amount.
    """

    path: str
    now: str
    then: str
    by_fen: int
    text: Text


def nearest_changes(
    policy: PreparedPolicy, request: DeterminationRequest, programme: str, subject: str
) -> tuple[NearestChange, ...]:
    """The changes of one known fact, each as small as will do, that would make a refused result eligible.

    Amounts are found by halving between what is and nothing (for spending: ten million yuan), so that each is the
    smallest change of that fact, to a fen, where aid grows as income falls. Empty where no single fact would do.
    """
    members = [member["id"] for member in request.household["members"]]
    position = None if subject == HOUSEHOLD else members.index(subject)
    trial = _Trial(policy.trial(programme), request, policy.book.programmes[programme], position)
    found = [change for change in itertools.islice(_amounts(trial), MAX_CHANGES) if change is not None]
    found.sort(key=lambda change: change.by_fen)
    return (*found, *_possessions(trial))


@dataclass(frozen=True, slots=True)
class _Trial:
    policy: PreparedPolicy
    request: DeterminationRequest
    programme: Programme
    member: int | None
    """The subject's place among the members; None for the household."""

    def is_granted(self, path: str, value: Any) -> bool:
        request, policy = filled(self.request, self.policy, {path: value})
        evaluation = Evaluation(policy, read_facts(request, policy.book.presumptions))
        row = evaluation.root if self.member is None else evaluation.rows("member", evaluation.root)[self.member]
        return outcome_of(evaluation, self.programme, row)[0] == "eligible"


def _amounts(trial: _Trial) -> Iterator[NearestChange | None]:
    members, household = trial.request.household["members"], trial.request.household
    for member in members:
        for index, item in enumerate(member.get("income", ())):
            words = INCOME_WORDS.get(item["kind"])
            if words is not None and item["monthly"]:
                path = f"household.members[{member['id']}].income[{index}].monthly"
                yield _down(trial, path, item["monthly"], _of_member(member, members, words), monthly=True)
    assets = household.get("assets", {})
    if assets.get("financial"):
        words = Text("家庭存款等金融资产", "the household's savings")
        yield _down(trial, "household.assets.financial", assets["financial"], words)
    for index, business in enumerate(assets.get("businesses", ())):
        if business.get("registered_capital"):
            words = Text("企业认缴资本", "the capital of the business")
            path = f"household.assets.businesses[{index}].registered_capital"
            yield _down(trial, path, business["registered_capital"], words)
    for kind in SPENDING:
        spent = household.get("spending_last_12_months", {}).get(kind)
        if spent is not None:
            yield _up(trial, f"household.spending_last_12_months.{kind}", spent, SPENDING_WORDS[kind])


def _of_member(member: Mapping[str, Any], members: Sequence[Any], words: Text) -> Text:
    if len(members) == 1:
        return Text(f"本人{words.zh}", f"the {words.en}")
    return Text(f"成员 {member['id']} 的{words.zh}", f"the {words.en} of member {member['id']}")


def _down(trial: _Trial, path: str, now: int, words: Text, *, monthly: bool = False) -> NearestChange | None:
    then = _nearest(lambda fen: trial.is_granted(path, fen), now, 0)
    if then is None:
        return None
    zh, en = ("每月", " a month") if monthly else ("", "")
    most = yuan_of(then)
    return NearestChange(
        path,
        yuan_of(now),
        most,
        now - then,
        Text(
            f"如果{words.zh}{zh}不超过 {most} 元，就符合条件",
            f"if {words.en} were at most {most} yuan{en}, it would be granted",
        ),
    )


def _up(trial: _Trial, path: str, now: int, words: Text) -> NearestChange | None:
    then = _nearest(lambda fen: trial.is_granted(path, fen), now, MOST_TRIED_FEN)
    if then is None:
        return None
    least = yuan_of(then)
    text = Text(
        f"如果{words.zh}达到 {least} 元，就符合条件", f"if {words.en} came to {least} yuan, it would be granted"
    )
    return NearestChange(path, yuan_of(now), least, then - now, text)


def _nearest(is_granted: Callable[[int], bool], now: int, limit: int) -> int | None:
    """The value nearest to `now`, towards `limit`, at which it is granted; None where it is not even at the limit."""
    if not is_granted(limit):
        return None
    refused, granted = now, limit
    while abs(granted - refused) > 1:
        middle = (granted + refused) // 2
        refused, granted = (refused, middle) if is_granted(middle) else (middle, granted)
    return granted


def _possessions(trial: _Trial) -> Iterator[NearestChange]:
    assets = trial.request.household.get("assets", {})
    kept = [vehicle for vehicle in assets.get("vehicles", ()) if vehicle.get("kind") != "car"]
    if len(kept) < len(assets.get("vehicles", ())) and trial.is_granted("household.assets.vehicles", kept):
        text = Text("如果没有汽车，就符合条件", "if there were no car, it would be granted")
        yield NearestChange("household.assets.vehicles", "car", "none", 0, text)
    for key, zh, en in (("homes", "住房", "homes"), ("non_residential", "非居住用房", "non-residential units")):
        owned, path = assets.get(key, 0), f"household.assets.{key}"
        fewer = next(
            (count for count in range(min(owned, MAX_CHANGES) - 1, -1, -1) if trial.is_granted(path, count)), None
        )
        if fewer is not None:
            text = Text(
                f"如果{zh}不超过 {fewer} 处，就符合条件",
                f"if the number of {en} were at most {fewer}, it would be granted",
            )
            yield NearestChange(path, str(owned), str(fewer), 0, text)
