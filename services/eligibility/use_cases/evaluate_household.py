"""Answers what a household is entitled to, with nothing recorded: one request, the packs, an answer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.eligibility.domain.answer import Answer, render_answer
from services.eligibility.domain.determination import NotAtOnce, evaluate
from services.eligibility.domain.facts import SCHEMA
from services.eligibility.domain.request import DeterminationRequest
from services.shared.policy.evaluation import PackSet
from services.shared.policy.explanation import TooMuchToSay
from services.shared.policy.pack import Pack

MAX_ANSWER_BYTES = 10_000_000
"""Fifty people with their facts need a fifth of it."""
MAX_MEMBERS_AT_ONCE = 8
MAX_EVENTS_AT_ONCE = 4


class AnswerTooLarge(Exception):
    """So many people, with so little known of them, that the reasons fill a book instead of an answer."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """An answer as bytes, the identities of the packs it rests on, and the places that decide its results."""

    body: bytes
    packs: tuple[Mapping[str, str], ...]
    places: tuple[str, ...]


def pack_set_of(packs: Iterable[Pack]) -> PackSet:
    """The packs over the facts of a household; it remembers what it prepared, so keep one for many requests."""
    return PackSet(SCHEMA, packs)


def evaluate_household(
    packs: PackSet, request: DeterminationRequest, *, is_simulation: bool = False, at_once: bool = False
) -> Answer:
    """The answer to `request` by the packs of its region in force on its date.

    Raises PackFault for unsound packs, and NotAtOnce where the answer is wanted `at_once` and takes longer.
    """
    if at_once and not _is_light(packs, request):
        raise NotAtOnce
    policy = packs.prepare(request.region, request.as_of)
    return evaluate(policy, request, is_simulation=is_simulation, at_once=at_once)


def _is_light(packs: PackSet, request: DeterminationRequest) -> bool:
    """Whether an answer in which nothing is open takes less time than handing the work to a thread."""
    events = request.events or ()
    if len(request.household["members"]) > MAX_MEMBERS_AT_ONCE or len(events) > MAX_EVENTS_AT_ONCE:
        return False
    places = [request.region, *[event["region"] for event in events if "region" in event]]
    return all(packs.is_prepared(place, request.as_of) for place in places)


def rendered_answer(
    packs: PackSet, request: DeterminationRequest, *, is_simulation: bool = False, at_once: bool = False
) -> Rendered:
    """The answer to `request`, ready to be sent or recorded. Raises AnswerTooLarge, and as `evaluate_household`."""
    answer = evaluate_household(packs, request, is_simulation=is_simulation, at_once=at_once)
    places = dict.fromkeys([answer.region, *[result.region for result in answer.results if result.region]])
    return Rendered(_body(answer), answer.packs, tuple(places))


def _body(answer: Answer) -> bytes:
    try:
        body = render_answer(answer)
    except TooMuchToSay:
        raise AnswerTooLarge from None
    if len(body) > MAX_ANSWER_BYTES:
        raise AnswerTooLarge
    return body
