"""Simulates a reform over a population: both policies over every block, compared and folded, figures on the way."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from services.eligibility.domain.reform import REGION_LEVELS, ReformFigures, RegionLevel, shown_figures
from services.eligibility.use_cases.simulating.losers import Loser, count_losers, losers_of
from services.eligibility.use_cases.simulating.outcomes import Array, Outcomes, People, outcomes_of
from services.eligibility.use_cases.simulating.tally import Tally
from services.shared.policy.columns.kernel import Facts
from services.shared.policy.columns.population import PopulationPolicy
from services.shared.policy.columns.table import COMPLETE, REGION

Tell = Callable[["Progress"], None]
TakeLosers = Callable[[Sequence[Loser]], None]


@dataclass(frozen=True, slots=True)
class Progress:
    """So many rows of the population are done, and what they come to (made when it is asked for)."""

    rows_done: int
    figures: Callable[[], ReformFigures]


@dataclass(frozen=True)
class Reform:
    """The policy in force and the one that is tried; both over the same facts where only figures differ."""

    before: PopulationPolicy
    after: PopulationPolicy

    @property
    def columns(self) -> frozenset[str]:
        """The columns of a table that may say something, those inside structs left out."""
        root = self.before.program.schema.root
        lists = [child.plural for child in self.before.program.schema.children(root.name)]
        return frozenset((*(fact.name for fact in root.facts), *lists, *(name + COMPLETE for name in lists)))

    def check(self, schema: pa.Schema) -> None:
        """Raises UnfitTable for a table that either cannot read."""
        self.before.check(schema)
        self.after.check(schema)


def simulate_reform(
    reform: Reform,
    blocks: Iterable[tuple[int, pa.Table]],
    level: RegionLevel,
    tell: Tell,
    take_losers: TakeLosers | None = None,
    row_id: str | None = None,
    most_losers: int | None = None,
) -> ReformFigures:
    """The figures over all blocks, each with the number of its first row.

    `tell` is called after each block; `take_losers` takes those of each, named by the column `row_id`, until it has
    at least `most_losers`. Memory does not grow with the population.
    """
    tally, done, listed = Tally(level), 0, 0
    for first, block in blocks:
        both = _both(reform, block)
        _add(tally, block, both)
        if take_losers is not None and (most_losers is None or listed < most_losers):
            losers = _losers(both, first, block, row_id)
            listed += len(losers)
            if losers:
                take_losers(losers)
        done += block.num_rows
        tell(Progress(done, tally.figures))
    return tally.figures()


def _add(tally: Tally, block: pa.Table, both: "_Both") -> None:
    tally.rows += block.num_rows
    tally.rejected += block.num_rows - len(both.rows)
    tally.losers += count_losers(both.before, both.after)
    regions, region = _regions(block, both.rows)
    tally.add(regions, region, both.people, both.before, both.after)


def _losers(both: "_Both", first: int, block: pa.Table, row_id: str | None) -> Sequence[Loser]:
    ids = None if row_id is None else [str(each) for each in block.column(row_id).take(both.rows).to_pylist()]
    return list(losers_of(both.rows + first, both.people, both.before, both.after, ids))


@dataclass(frozen=True)
class _Both:
    rows: Array
    people: People
    before: Outcomes
    after: Outcomes


def _both(reform: Reform, block: pa.Table) -> _Both:
    before, after = reform.before, reform.after
    facts, rows, _ = before.reader.read(block, before.place_of)
    if after.reader is before.reader:
        return _Both(rows, People.of(facts), _run(before, facts), _run(after, facts))
    other_facts, other_rows, _ = after.reader.read(block, after.place_of)
    if not np.array_equal(rows, other_rows):
        # What one of them cannot read is in no figure of either.
        kept = np.intersect1d(rows, other_rows)
        part = _both(reform, block.take(kept))
        return _Both(kept[part.rows], part.people, part.before, part.after)
    return _Both(rows, People.of(facts), _run(before, facts), _run(after, other_facts))


def _run(policy: PopulationPolicy, facts: Facts) -> Outcomes:
    return outcomes_of(policy.program, policy.kernel.run(facts))


def _regions(block: pa.Table, rows: Array) -> tuple[list[str], Array]:
    column = block.column(REGION).combine_chunks()
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    codes = coded.dictionary.to_pylist()
    # A dictionary may hold codes of which no row is; only those that are there become regions of the report.
    number = coded.indices.fill_null(0).to_numpy(zero_copy_only=False)[rows]
    there, region = np.unique(number, return_inverse=True)
    return [codes[each] for each in there], region


# --- the report ----------------------------------------------------------------------------------------------------


def packs_of(policy: PopulationPolicy) -> list[dict[str, str]]:
    """The packs that a policy rests on, in order of their ids."""
    packs = {pack.id: dict(pack.identity) for place in policy.policies for pack in place.book.chain}
    return [packs[name] for name in sorted(packs)]


def report_of(reform: Reform, figures: ReformFigures, level: RegionLevel) -> dict[str, Any]:
    """The figures with the packs that they rest on."""
    assert level in REGION_LEVELS
    return {
        "as_of": reform.before.policies[0].book.on.isoformat(),
        "region_level": level,
        "packs_before": packs_of(reform.before),
        "packs_after": packs_of(reform.after),
        **shown_figures(figures),
    }
