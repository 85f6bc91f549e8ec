"""What a household has as one member's income grows, and each cliff where one fen more leaves it poorer."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from services.eligibility.domain.answer import HOUSEHOLD, Result
from services.eligibility.domain.determination import with_overrides
from services.eligibility.domain.facts import read_facts
from services.eligibility.domain.outcome import outcome_of
from services.eligibility.domain.request import DeterminationRequest
from services.eligibility.domain.subjects import names_of
from services.eligibility.domain.top_up import paid_together
from services.shared.policy.evaluation import Evaluation, PreparedPolicy, Row
from services.shared.policy.open_value import Unknown

MOST_EVALUATIONS = 20_000
"""Of the household, however wide the incomes and however many the lines between them."""
MOST_STEPS = 2_000
DEFAULT_LEAST_FEN = 1_000
"""A drop below ten yuan is how an amount is rounded, and no cliff, unless a caller says otherwise."""


class CliffsRefused(Exception):
    """The member is not in the household, or the incomes make no range of at most MOST_STEPS steps."""


class TooManyLines(Exception):
    """So many lines lie between the incomes that MOST_EVALUATIONS did not find them all."""


@dataclass(frozen=True, slots=True)
class Point:
    """What there is at one income a month: aid, and all told income with it; `granted` is what each result pays.

    `granted` has (programme, subject) → fen, of what is eligible; 0 for what pays nothing.
    """

    income_fen: int
    support_fen: int
    disposable_fen: int
    granted: Mapping[tuple[str, str], int]
    open: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Cliff:
    """One fen more than `at.income_fen` loses more than it brings: `loss_fen` in all, beside the fen gained.

    `even_again_fen` is the least income above at which the household has as much as before; None where the range ends
    before.
    """

    at: Point
    beyond: Point
    even_again_fen: int | None

    @property
    def loss_fen(self) -> int:
        """How much less the household has."""
        return self.at.disposable_fen - self.beyond.disposable_fen

    @property
    def lost(self) -> tuple[tuple[str, str], ...]:
        """The results that are granted at the edge and not beyond."""
        return tuple(key for key in self.at.granted if key not in self.beyond.granted)

    @property
    def less(self) -> tuple[tuple[str, str], ...]:
        """The results that pay less beyond the edge."""
        beyond = self.beyond.granted
        return tuple(key for key, fen in self.at.granted.items() if key in beyond and beyond[key] < fen)


@dataclass(frozen=True, slots=True)
class Curve:
    """The points at every step and at both sides of every line, in order of income, and the cliffs among them."""

    points: tuple[Point, ...]
    cliffs: tuple[Cliff, ...]

    @property
    def lines(self) -> tuple[tuple[Point, Point], ...]:
        """Both sides of each line at which something begins or ends to be granted."""
        pairs = itertools.pairwise(self.points)
        return tuple((one, next_) for one, next_ in pairs if one.granted.keys() != next_.granted.keys())


def find_cliffs(
    policy: PreparedPolicy,
    request: DeterminationRequest,
    member: str,
    kind: str,
    to_fen: int,
    step_fen: int,
    least_fen: int = DEFAULT_LEAST_FEN,
) -> Curve:
    """What the household has as the member's income of a kind goes from nothing to `to_fen` a month.

    Between two steps every line at which any rule turns is found to the fen, by halving; so is each drop of at least
    `least_fen` beside them. What turns and turns back within one step by no rule of its own is not seen.
    Raises CliffsRefused and TooManyLines.
    """
    members = [each["id"] for each in request.household["members"]]
    if member not in members or not 0 < step_fen <= to_fen or to_fen > MOST_STEPS * step_fen or least_fen < 1:
        raise CliffsRefused
    search = _Search(policy, request, member, kind, least_fen)
    steps = [*range(0, to_fen, step_fen), to_fen]
    for start, end in itertools.pairwise(steps):
        search.between(start, end)
    points = tuple(search.seen[income].point for income in sorted(search.seen))
    pairs = itertools.pairwise(points)
    cliffs = [
        Cliff(at, beyond, search.even_again(points, number))
        for number, (at, beyond) in enumerate(pairs)
        if beyond.income_fen == at.income_fen + 1 and at.disposable_fen - beyond.disposable_fen >= least_fen
    ]
    return Curve(tuple(search.seen[income].point for income in sorted(search.seen)), tuple(cliffs))


@dataclass(frozen=True, slots=True)
class _Seen:
    point: Point
    signature: tuple[Any, ...]


class _Search:
    def __init__(
        self, policy: PreparedPolicy, request: DeterminationRequest, member: str, kind: str, least_fen: int
    ) -> None:
        self._policy, self._request = with_overrides(policy, request), replace(request, parameters={})
        self._member, self._kind, self._least_fen = member, kind, least_fen
        self.seen: dict[int, _Seen] = {}

    def between(self, start: int, end: int) -> None:
        """Look at every line and every drop between two incomes."""
        pending = [(start, end)]
        while pending:
            low, high = pending.pop()
            # Both are looked at first: where one fen parts them, they are the two sides of a line.
            if self._differs(low, high) and high - low > 1:
                middle = (low + high) // 2
                pending += [(low, middle), (middle, high)]

    def _differs(self, low: int, high: int) -> bool:
        below, above = self.at(low), self.at(high)
        # Where aid fills a gap it falls by a fen for every fen: what the household has then stays, and does not drop.
        drop = below.point.disposable_fen - above.point.disposable_fen
        return below.signature != above.signature or drop >= self._least_fen

    def at(self, income: int) -> _Seen:
        """What is at one income."""
        found = self.seen.get(income)
        if found is None:
            if len(self.seen) >= MOST_EVALUATIONS:
                raise TooManyLines
            found = self.seen[income] = self._look(income)
        return found

    def _look(self, income: int) -> _Seen:
        household = _with_income(self._request.household, self._member, self._kind, income)
        request = replace(self._request, household=household)
        evaluation = Evaluation(self._policy, read_facts(request, self._policy.book.presumptions))
        results = paid_together(evaluation, request, list(_results(evaluation, request)))
        granted = {(each.programme, each.subject): each.paid_fen for each in results if each.outcome == "eligible"}
        undetermined = {(each.programme, each.subject) for each in results if each.outcome == "undetermined"}
        support = sum(granted.values())
        point = Point(income, support, support + _told_income(request), granted, frozenset(undetermined))
        # Two incomes at which every condition and every outcome are the same lie between the same lines.
        signature = (*_conditions(evaluation.frame), *(each.outcome for each in results))
        return _Seen(point, signature)

    def even_again(self, points: tuple[Point, ...], number: int) -> int | None:
        """The least income beyond the edge at which there is as much as at it, found to the fen."""
        wanted = points[number].disposable_fen
        for before, after in itertools.pairwise(points[number + 1 :]):
            if after.disposable_fen >= wanted:
                low, high = before.income_fen, after.income_fen
                while high - low > 1:
                    middle = (low + high) // 2
                    low, high = (low, middle) if self.at(middle).point.disposable_fen >= wanted else (middle, high)
                return high
        return None


def _results(evaluation: Evaluation, request: DeterminationRequest) -> Iterator[Result]:
    """Each programme's outcome and what it pays a month; what is open is left open, as nothing certain hangs on it."""
    book, name = evaluation.policy.book, names_of(request)
    for programme in book.programmes.values():
        if request.programmes is not None and programme.id not in request.programmes:
            continue
        of_household = programme.entity == HOUSEHOLD
        rows = [evaluation.root] if of_household else evaluation.rows(programme.entity, evaluation.root)
        for row in rows:
            outcome, amount = outcome_of(evaluation, programme, row)
            if outcome != "ineligible" and _is_excluded(evaluation, programme.id, row):
                outcome, amount = "ineligible", None
            subject = name(row.entity, row.indices)
            monthly = amount if programme.monthly else None
            yield Result(programme.id, programme.tier, subject, outcome, monthly_fen=monthly)


def _is_excluded(evaluation: Evaluation, programme: str, row: Row) -> bool:
    exclusions = (each for each in evaluation.policy.book.exclusions if each.loser == programme)
    return any(evaluation.truth(each.when, row) is True for each in exclusions)


def _conditions(value: Any) -> Iterator[Any]:
    """Every truth value and code of a frame; None for what is open."""
    if isinstance(value, tuple | list):
        for each in value:
            yield from _conditions(each)
    elif isinstance(value, Unknown):
        yield None
    elif isinstance(value, bool | str):
        yield value


def _told_income(request: DeterminationRequest) -> int:
    members = request.household["members"]
    return sum(item["monthly"] for member in members for item in member.get("income", ()))


def _with_income(household: Mapping[str, Any], member: str, kind: str, income: int) -> Mapping[str, Any]:
    members = [
        {**each, "income": _incomes(each.get("income", ()), kind, income)} if each["id"] == member else each
        for each in household["members"]
    ]
    return {**household, "members": members}


def _incomes(told: Any, kind: str, income: int) -> list[Mapping[str, Any]]:
    """The member's incomes with those of the kind replaced by one."""
    others = [item for item in told if item["kind"] != kind]
    return [*others, {"kind": kind, "monthly": income}] if income else others
