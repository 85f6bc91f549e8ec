"""Requests at thresholds: golden requests with one amount or date moved to where some answer changes, facts removed."""

import copy
import hashlib
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from typing import Any

from services.eligibility.api.household_body import parse_request
from services.eligibility.domain.answer import render_answer
from services.eligibility.domain.determination import evaluate
from services.eligibility.use_cases.run_golden_cases import request_of
from services.shared.vocabulary.invalid_body import InvalidBody
from services.shared.vocabulary.money import yuan_of
from tests.eligibility.proof.goldens import shipped

Body = dict[str, Any]
Way = tuple[str | int, ...]
"""The keys and positions that lead to a value in a body."""

MOST_FEN = 100_000_000
OLDEST_DAYS = 40_000
_MONEY = re.compile(r"[0-9]+\.[0-9]{2}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
KEPT = ("as_of", "region", "id", "relation", "programmes", "parameters")
"""What is no fact of the household, or holds it together."""


@cache
def golden_bodies() -> tuple[Body, ...]:
    """The requests of every golden case that is answered."""
    found = []
    for pack in shipped().packs:
        for case in pack.cases:
            body = dict(request_of(case))
            try:
                parse_request(body)
            except InvalidBody:
                continue
            found.append(body)
    return tuple(found)


def at_threshold(body: Body, chance: random.Random) -> Body:
    """The request with one amount or birth date by lot on one side of a value at which some outcome changes.

    As it is where none of three that were tried changes an outcome.
    """
    ways = [way for way in leaves(body) if _scale(value_at(body, way)) is not None and way[-1] != "on"]
    for way in chance.sample(ways, min(3, len(ways))):
        values = _both_sides(body, way)
        if values:
            return with_value(body, way, chance.choice(values))
    return body


def outcomes(body: Body) -> Mapping[tuple[str, str], tuple[str, int | None, int | None]]:
    """By programme and subject: the outcome and the amounts."""
    request = parse_request(body)
    answer = evaluate(shipped().prepare(request.region, request.as_of), request)
    return {
        (result.programme, result.subject): (result.outcome, result.monthly_fen, result.one_off_fen)
        for result in answer.results
    }


def digest_of_golden_answers(every: int) -> str:
    """One hash over the answers to every so many-th golden request, in order."""
    digest = hashlib.sha256()
    for body in golden_bodies()[::every]:
        request = parse_request(body)
        digest.update(render_answer(evaluate(shipped().prepare(request.region, request.as_of), request)))
    return digest.hexdigest()


def leaves(value: Any, way: Way = ()) -> Iterator[Way]:
    """The way to every single value in a body, except what KEPT names."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        if key in KEPT:
            continue
        if isinstance(inner, dict | list) and inner:
            yield from leaves(inner, (*way, key))
        else:
            yield (*way, key)


def facts(body: Body) -> list[Way]:
    """The way to every fact that may be left out: a key of the household, its property, a person or an event."""
    household = body["household"]
    found: list[Way] = [("household", key) for key in household if key not in ("members", "assets", *KEPT)]
    found += [("household", "assets", key) for key in household.get("assets", ())]
    for index, member in enumerate(household["members"]):
        at: Way = ("household", "members", index)
        found += [(*at, key) for key in member if key not in KEPT]
        for number, supporter in enumerate(member.get("supporters", ())):
            found += [(*at, "supporters", number, key) for key in supporter if key not in KEPT]
    return found


def value_at(body: Any, way: Way) -> Any:
    """What stands at the end of a way."""
    for key in way:
        body = body[key]
    return body


def with_value(body: Body, way: Way, value: Any) -> Body:
    """The body with another value there."""
    changed = copy.deepcopy(body)
    value_at(changed, way[:-1])[way[-1]] = value
    return changed


def without(body: Body, ways: Sequence[Way]) -> Body:
    """The body with these facts left out; a fact inside one that is left out is left out with it."""
    changed = copy.deepcopy(body)
    for way in sorted(ways, key=len):
        try:
            value_at(changed, way[:-1]).pop(way[-1], None)
        except (KeyError, IndexError):
            continue
    return changed


def _scale(value: Any) -> type | None:
    if isinstance(value, str) and _MONEY.fullmatch(value):
        return int
    return date if isinstance(value, str) and _DATE.fullmatch(value) else None


def _both_sides(body: Body, way: Way) -> list[str]:
    """The values just before and after the first change of any outcome that halving finds."""
    if _scale(value_at(body, way)) is int:
        low, high, spell = 0, MOST_FEN, yuan_of
    else:
        as_of = date.fromisoformat(body["as_of"])
        low, high, spell = 0, OLDEST_DAYS, lambda days: (as_of - timedelta(days)).isoformat()
    seen: dict[int, Any] = {}

    def at(number: int) -> Any:
        if number not in seen:
            changed = outcomes(with_value(body, way, spell(number)))
            seen[number] = {key: outcome for key, (outcome, *_) in changed.items()}
        return seen[number]

    while high - low > 1:
        middle = (low + high) // 2
        if at(low) != at(middle):
            high = middle
        elif at(middle) != at(high):
            low = middle
        else:
            return []
    return [spell(low), spell(high)] if at(low) != at(high) else []
