"""Answers what a household is entitled to, with nothing recorded: one request, the packs, an answer."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from services.eligibility.domain.answer import Answer, render_answer
from services.eligibility.domain.determination import evaluate
from services.eligibility.domain.facts import SCHEMA
from services.eligibility.domain.request import DeterminationRequest
from services.shared.policy.evaluation import PackSet
from services.shared.policy.explanation import Reason
from services.shared.policy.pack import Pack

MAX_REASONS = 20_000
"""Some ten megabytes of answer. Fifty people with their facts need a fifth of it."""


class AnswerTooLarge(Exception):
    """So many people, with so little known of them, that the reasons fill a book instead of an answer."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """An answer as bytes, the identities of the packs it rests on, and the places that decide its results."""

    body: bytes
    packs: tuple[dict[str, str], ...]
    places: tuple[str, ...]


def pack_set_of(packs: Iterable[Pack]) -> PackSet:
    """The packs over the facts of a household; it remembers what it prepared, so keep one for many requests."""
    return PackSet(SCHEMA, packs)


def evaluate_household(packs: PackSet, request: DeterminationRequest) -> Answer:
    """The answer to `request` by the packs of its region in force on its date. Raises PackFault for unsound packs."""
    return evaluate(packs.prepare(request.region, request.as_of), request)


def rendered_answer(packs: PackSet, request: DeterminationRequest, is_simulation: bool = False) -> Rendered:
    """The answer to `request`, ready to be sent or recorded. Raises PackFault for unsound packs, AnswerTooLarge."""
    answer = evaluate_household(packs, request)
    if _count_of_reasons(answer) > MAX_REASONS:
        raise AnswerTooLarge
    if is_simulation:
        answer = replace(answer, simulation=True)
    places = dict.fromkeys((answer.region, *(result.region for result in answer.results if result.region)))
    return Rendered(render_answer(answer), tuple(dict(pack) for pack in answer.packs), tuple(places))


def _count_of_reasons(answer: Answer) -> int:
    """How many reasons the answer will spell out. They are shared in memory, so each is looked at once."""
    counted: dict[int, int] = {}

    def count(reason: Reason) -> int:
        if id(reason) not in counted:
            counted[id(reason)] = 1 + sum(map(count, reason.children))
        return counted[id(reason)]

    shown = [result.reasons for result in answer.results]
    return sum(count(reason) for reasons in shown for reason in reasons)
