"""What a top-up comes to once everything else that the same answer grants is paid, so that nothing is counted twice."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from services.eligibility.domain.answer import HOUSEHOLD, Result
from services.eligibility.domain.facts import read_facts
from services.eligibility.domain.outcome import outcome_of
from services.eligibility.domain.request import Body, DeterminationRequest
from services.shared.policy.evaluation import Evaluation, Row
from services.shared.policy.pack import Programme

Paid = Mapping[str, int]
"""What each programme pays a member a month, in fen; 0 where it ends."""


def paid_together(evaluation: Evaluation, request: DeterminationRequest, results: list[Result]) -> list[Result]:
    """The results, with `together_fen` for each top-up that is another once all that the answer grants is paid.

    Aid that is granted stands in the place of the same aid in payment, and what it excludes ends. Of what a household
    gets each counts his share (民发〔2019〕62号 三（一）: reckoned anew by aid a head, and the difference paid).
    """
    top_ups = {item.id: item for item in evaluation.policy.book.programmes.values() if item.set_off}
    if not any(result.programme in top_ups and result.outcome == "eligible" for result in results):
        return results
    return [
        _beside(evaluation, request, results, result, top_ups[result.programme])
        if result.programme in top_ups and result.outcome == "eligible"
        else result
        for result in results
    ]


def _beside(
    evaluation: Evaluation,
    request: DeterminationRequest,
    results: Sequence[Result],
    result: Result,
    top_up: Programme,
) -> Result:
    number = _number(request, result.subject)
    row = _member_rows(evaluation)[number]
    paid = {
        other.programme: _part(evaluation, other, row)
        for other in results
        if other.programme in top_up.set_off and other.subject in (result.subject, HOUSEHOLD) and _changes(other)
    }
    if not paid:
        return result
    policy = evaluation.policy
    anew = Evaluation(policy, read_facts(_with_paid(request, number, paid), policy.book.presumptions))
    outcome, amount = outcome_of(anew, top_up, _member_rows(anew)[number])
    together = amount if outcome == "eligible" else 0
    return result if together == result.monthly_fen else result.changed(together_fen=together)


def _changes(result: Result) -> bool:
    """Whether the answer changes what is in payment: it grants the aid, or something that excludes it."""
    return result.outcome == "eligible" or result.excluded_by is not None


def _part(evaluation: Evaluation, result: Result, row: Row) -> int:
    """The member's part of what is granted: all of his own aid, a share of the household's."""
    if result.subject != HOUSEHOLD or result.outcome != "eligible":
        return result.monthly_fen or 0
    return int(evaluation.settled(evaluation.policy.book.programmes[result.programme].share, row))


def _with_paid(request: DeterminationRequest, number: int, paid: Paid) -> DeterminationRequest:
    members: list[Body] = list(request.household["members"])
    kept = [item for item in members[number]["benefits"] if item.get("programme") not in paid]
    granted = [{"programme": code, "monthly": amount} for code, amount in paid.items() if amount]
    members[number] = {**members[number], "benefits": [*kept, *granted]}
    return replace(request, household={**request.household, "members": members})


def _number(request: DeterminationRequest, member: str) -> int:
    return next(number for number, each in enumerate(request.household["members"]) if each["id"] == member)


def _member_rows(evaluation: Evaluation) -> Sequence[Row]:
    return evaluation.rows("member", evaluation.root)
