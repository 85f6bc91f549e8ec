"""Says what a change of packs does to a population: who gains, who loses, and how much, by programme."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date

from services.eligibility.domain.answer import Answer, Result
from services.eligibility.domain.request import DeterminationRequest
from services.eligibility.use_cases.evaluate_household import evaluate_household
from services.shared.policy.evaluation import PackSet
from services.shared.vocabulary.invalid_body import InvalidBody

Line = tuple[int, DeterminationRequest | InvalidBody]
"""The number of a line of the population, and the request on it or why there is none."""


@dataclass(slots=True)
class Tally:
    """One programme's results before and after; amounts in fen, a month (or once)."""

    granted: int = 0
    ended: int = 0
    more: int = 0
    less: int = 0
    otherwise: int = 0
    """The outcome changed, and neither before nor after was anything granted."""
    gained_fen: int = 0
    lost_fen: int = 0
    gained_once_fen: int = 0
    lost_once_fen: int = 0


@dataclass(slots=True)
class Comparison:
    """What changed over a population. Lines are named by number alone: what is on them is personal."""

    households: int = 0
    unchanged: int = 0
    gain: int = 0
    lose: int = 0
    bad_lines: int = 0
    first_bad: list[int] = field(default_factory=list)
    first_losing: list[tuple[int, int]] = field(default_factory=list)
    """Line, and what the household loses a month."""
    programmes: dict[str, Tally] = field(default_factory=dict)


def compare_policies(
    old: PackSet, new: PackSet, lines: Iterable[Line], first: int, as_of: date | None = None
) -> Comparison:
    """Every request answered by both; with `as_of` on that day. Keeps nothing of a line but its number.

    Raises PackFault when packs do not fit together.
    """
    found = Comparison()
    for number, request in lines:
        if isinstance(request, InvalidBody):
            found.bad_lines += 1
            found.first_bad += [number] * (len(found.first_bad) < first)
            continue
        dated = request if as_of is None else replace(request, as_of=as_of)
        _add(found, number, evaluate_household(old, dated), evaluate_household(new, dated), first)
    return found


def _add(found: Comparison, number: int, before: Answer, after: Answer, first: int) -> None:
    found.households += 1
    changed = False
    for programme, old, new in _pairs(before, after):
        if _result(old) != _result(new):
            changed = True
            _tally(found.programmes.setdefault(programme, Tally()), old, new)
    difference = after.monthly_total_fen - before.monthly_total_fen
    found.unchanged += not changed
    found.gain += difference > 0
    found.lose += difference < 0
    if difference < 0 and len(found.first_losing) < first:
        found.first_losing.append((number, -difference))


def _pairs(before: Answer, after: Answer) -> Iterator[tuple[str, Result | None, Result | None]]:
    old = {(result.programme, result.subject): result for result in before.results}
    new = {(result.programme, result.subject): result for result in after.results}
    for key in dict.fromkeys((*old, *new)):
        yield key[0], old.get(key), new.get(key)


def _result(result: Result | None) -> tuple[object, ...] | None:
    return None if result is None else (result.outcome, result.monthly_fen, result.one_off_fen)


def _tally(tally: Tally, old: Result | None, new: Result | None) -> None:
    before, after = _is_granted(old), _is_granted(new)
    monthly, once = _difference(old, new, "monthly_fen"), _difference(old, new, "one_off_fen")
    tally.granted += after and not before
    tally.ended += before and not after
    tally.otherwise += not before and not after
    tally.more += before and after and monthly + once > 0
    tally.less += before and after and monthly + once < 0
    tally.gained_fen += max(monthly, 0)
    tally.lost_fen += max(-monthly, 0)
    tally.gained_once_fen += max(once, 0)
    tally.lost_once_fen += max(-once, 0)


def _is_granted(result: Result | None) -> bool:
    return result is not None and result.outcome == "eligible"


def _difference(old: Result | None, new: Result | None, amount: str) -> int:
    return (getattr(new, amount, None) or 0) - (getattr(old, amount, None) or 0)
