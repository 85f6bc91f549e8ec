"""Answers what a household is entitled to, with nothing recorded: one request, the packs, an answer."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from services.eligibility.domain.answer import Answer, render_answer
from services.eligibility.domain.determination import evaluate
from services.eligibility.domain.facts import SCHEMA
from services.eligibility.domain.request import DeterminationRequest
from services.shared.policy.evaluation import PackSet
from services.shared.policy.explanation import TooMuchToSay
from services.shared.policy.pack import Pack

MAX_ANSWER_BYTES = 10_000_000
"""Fifty people with their facts need a fifth of it."""


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
    if is_simulation:
        answer = replace(answer, simulation=True)
    places = dict.fromkeys((answer.region, *(result.region for result in answer.results if result.region)))
    return Rendered(_body(answer), tuple(dict(pack) for pack in answer.packs), tuple(places))


def _body(answer: Answer) -> bytes:
    try:
        body = render_answer(answer)
    except TooMuchToSay:
        raise AnswerTooLarge from None
    if len(body) > MAX_ANSWER_BYTES:
        raise AnswerTooLarge
    return body
