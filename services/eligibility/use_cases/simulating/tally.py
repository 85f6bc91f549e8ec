"""Counts who gains and who loses, and what it costs: blocks folded into tables of bounded size."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from services.eligibility.domain.reform import (
    COARSE_BUCKET_FEN,
    FINE_BUCKET_FEN,
    FINE_BUCKETS,
    FINE_END_FEN,
    GROUP,
    INCOME_BUCKETS,
    MONEY_MOVES,
    MOVES,
    REGION_LEVELS,
    Numbers,
    ProgrammeFigures,
    ReformFigures,
    RegionLevel,
)
from services.eligibility.domain.request import PROGRAMMES
from services.eligibility.use_cases.simulating.outcomes import (
    GRANTED,
    HOUSEHOLD,
    NOT,
    OPEN,
    Array,
    Granted,
    Outcomes,
    People,
    of_households,
)
from services.shared.policy.columns.decisions import NOTHING

REGION_CODE_DIGITS = 6
UNKNOWN_INCOME = INCOME_BUCKETS
"""The row after the last bucket: households whose income is open."""


class Tally:
    """The figures of all blocks that were added. Its size hangs on programmes, regions and buckets, not on rows."""

    def __init__(self, level: RegionLevel = "province") -> None:
        self._level = level
        self._programmes: dict[str, _Programme] = {}
        self._regions: dict[str, int] = {}
        self._by_region = np.zeros((len(GROUP), 0), np.int64)
        self._by_income = np.zeros((len(GROUP), INCOME_BUCKETS + 1), np.int64)
        self.rows = self.rejected = self.losers = 0

    def add(self, regions: Sequence[str], region: Array, people: People, before: Outcomes, after: Outcomes) -> None:
        """Add a block: `region` numbers each household's among `regions`; both outcomes are of the same households."""
        for name in dict.fromkeys((*before.programmes, *after.programmes)):
            found = self._programmes.setdefault(name, _Programme())
            found.add(people, before.programmes.get(name), after.programmes.get(name))
        counted = list(_counted(people, before, after))
        _add_rows(self._by_income, _buckets(before.income_per_head, len(region)), counted)
        places = np.array([self._number(code) for code in regions], np.int64)
        _add_rows(self._by_region, places[region], counted)

    def _number(self, code: str) -> int:
        digits = REGION_LEVELS[self._level]
        place = code[:digits].ljust(REGION_CODE_DIGITS, "0")
        number = self._regions.setdefault(place, len(self._regions))
        if number >= self._by_region.shape[1]:
            more = max(number + 1, 2 * self._by_region.shape[1]) - self._by_region.shape[1]
            self._by_region = np.pad(self._by_region, ((0, 0), (0, more)))
        return number

    def figures(self) -> ReformFigures:
        """The figures so far."""
        filled = np.flatnonzero(self._by_income[0, :UNKNOWN_INCOME])
        unknown = _group(self._by_income[:, UNKNOWN_INCOME])
        return ReformFigures(
            rows=self.rows,
            rejected=self.rejected,
            losers=self.losers,
            total=_group(self._by_income.sum(axis=1)),
            programmes=tuple(
                self._programmes[name].figures(name)
                for name in sorted(self._programmes, key=lambda name: (_order(name), name))
            ),
            by_region={code: _group(self._by_region[:, number]) for code, number in self._regions.items()},
            by_income={int(bucket): _group(self._by_income[:, bucket]) for bucket in filled},
            income_unknown=unknown if unknown["households"] else None,
        )


def _order(programme: str) -> int:
    return PROGRAMMES.index(programme) if programme in PROGRAMMES else len(PROGRAMMES)


def _group(numbers: Array) -> Numbers:
    return dict(zip(GROUP, numbers.tolist(), strict=True))


# --- a programme ---------------------------------------------------------------------------------------------------


class _Programme:
    """One programme's sums."""

    def __init__(self) -> None:
        self._households, self._persons = np.zeros(len(MOVES), np.int64), np.zeros(len(MOVES), np.int64)
        self._before_fen = self._after_fen = self._uncertain_fen = 0
        self._is_monthly = self._pays = False

    def add(self, people: People, before: Granted | None, after: Granted | None) -> None:
        some = before or after
        assert some is not None
        before, after = before or _nowhere(some), after or _nowhere(some)
        self._is_monthly |= before.is_monthly or after.is_monthly
        is_of_persons = before.entity == after.entity != HOUSEHOLD
        if is_of_persons:
            self._persons += _moves(before, after, None)
        before, after = of_households(before, people), of_households(after, people)
        self._households += _moves(before, after, None)
        if not is_of_persons:
            self._persons += _moves(before, after, people.persons)
        paid = int(before.fen.sum()), int(after.fen.sum())
        self._before_fen, self._after_fen = self._before_fen + paid[0], self._after_fen + paid[1]
        one_sided = (before.kind == OPEN) != (after.kind == OPEN)
        self._uncertain_fen += int((after.fen - before.fen)[one_sided].sum())
        self._pays |= before.pays or after.pays

    def figures(self, name: str) -> ProgrammeFigures:
        return ProgrammeFigures(
            programme=name,
            is_monthly=self._is_monthly,
            pays=self._pays,
            households=dict(zip(MOVES, self._households.tolist(), strict=True)),
            persons=dict(zip(MOVES, self._persons.tolist(), strict=True)),
            before_fen=self._before_fen,
            after_fen=self._after_fen,
            uncertain_fen=self._uncertain_fen,
        )


def _nowhere(like: Granted) -> Granted:
    """The programme where a policy does not have it: refused to everybody."""
    return Granted(like.entity, like.is_monthly, like.pays, np.zeros_like(like.kind), np.zeros_like(like.fen))


def _moves(before: Granted, after: Granted, weight: Array | None) -> Array:
    was, now, is_same = before.kind, after.kind, before.kind == after.kind
    rises = after.fen > before.fen
    both = is_same & (was == GRANTED)
    changed = ~is_same | (before.fen != after.fen)
    found = {
        "before": was == GRANTED,
        "after": now == GRANTED,
        "undetermined_before": was == OPEN,
        "undetermined_after": now == OPEN,
    }
    if changed.any():
        found |= {
            "gained": (was == NOT) & (now == GRANTED),
            "lost": (was == GRANTED) & (now == NOT),
            "more": both & rises,
            "less": both & changed & ~rises,
            "settled": (was == OPEN) & (now == GRANTED),
            "unsettled": (was == GRANTED) & (now == OPEN),
        }
    sums = [_sum(found[name], weight) if name in found else 0 for name in MOVES]
    return np.array(sums, np.int64)


def _sum(mask: Array, weight: Array | None) -> int:
    return int(np.count_nonzero(mask)) if weight is None else int(weight[mask].sum())


# --- groups of households ------------------------------------------------------------------------------------------


def _counted(people: People, before: Outcomes, after: Outcomes) -> Iterable[tuple[str, Array | None, Array]]:
    """What of GROUP is to be added: of which households, or of all, and how much for each of them."""
    yield "persons", None, people.persons
    for name, side in (("before", before), ("after", after)):
        yield f"monthly_{name}_fen", None, side.monthly_fen
        yield f"one_off_{name}_fen", None, side.one_off_fen
    was, now = before.monthly_fen, after.monthly_fen
    rises, falls = now > was, now < was
    masks: Mapping[str, Array] = {
        "gained": rises & (was == 0),
        "lost": falls & (now == 0),
        "more": rises & (was != 0),
        "less": falls & (now != 0),
        "undetermined_before": _is_open(before, people),
        "undetermined_after": _is_open(after, people),
    }
    for name in MONEY_MOVES:
        rows = np.flatnonzero(masks[name])
        if len(rows):
            yield f"households_{name}", rows, np.ones(len(rows), np.int64)
            yield f"persons_{name}", rows, people.persons[rows]


def _is_open(outcomes: Outcomes, people: People) -> Array:
    """Whether some monthly aid of the household is undetermined."""
    found = np.zeros(len(people.persons), np.bool_)
    for granted in outcomes.programmes.values():
        if granted.is_monthly:
            rows = np.flatnonzero(granted.kind == OPEN)
            found[rows if granted.entity == HOUSEHOLD else people.household[rows]] = True
    return found


def _add_rows(table: Array, key: Array, counted: Iterable[tuple[str, Array | None, Array]]) -> None:
    households = np.bincount(key)
    table[0, : len(households)] += households
    for name, rows, values in counted:
        np.add.at(table[GROUP.index(name)], key if rows is None else key[rows], values)


def _buckets(income: Array | None, households: int) -> Array:
    if income is None:
        return np.full(households, UNKNOWN_INCOME, np.int64)
    fine = np.clip(income, 0, FINE_END_FEN - 1) // FINE_BUCKET_FEN
    coarse = FINE_BUCKETS + (income - FINE_END_FEN) // COARSE_BUCKET_FEN
    bucket = np.where(income < FINE_END_FEN, fine, np.minimum(coarse, INCOME_BUCKETS - 1))
    return np.where(income == NOTHING, UNKNOWN_INCOME, bucket)
