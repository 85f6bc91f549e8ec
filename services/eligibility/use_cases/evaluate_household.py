"""Answers what a household is entitled to, with nothing recorded: one request, the packs, an answer."""

from collections.abc import Iterable
from dataclasses import replace

from services.eligibility.domain.answer import Answer, render_answer
from services.eligibility.domain.determination import evaluate
from services.eligibility.domain.facts import SCHEMA
from services.eligibility.domain.request import DeterminationRequest
from services.shared.policy.evaluation import PackSet
from services.shared.policy.pack import Pack


def pack_set_of(packs: Iterable[Pack]) -> PackSet:
    """The packs over the facts of a household; it remembers what it prepared, so keep one for many requests."""
    return PackSet(SCHEMA, packs)


def evaluate_household(packs: PackSet, request: DeterminationRequest) -> Answer:
    """The answer to `request` by the packs of its region in force on its date. Raises PackFault for unsound packs."""
    return evaluate(packs.prepare(request.region, request.as_of), request)


def answer_bytes(
    packs: PackSet, request: DeterminationRequest, is_simulation: bool = False
) -> tuple[bytes, list[dict[str, str]]]:
    """The rendered answer to `request`, and the identities of the packs it rests on."""
    answer = evaluate_household(packs, request)
    if is_simulation:
        answer = replace(answer, simulation=True)
    return render_answer(answer), [dict(pack) for pack in answer.packs]
