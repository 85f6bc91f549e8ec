"""Prepares the policies of many places on one date for whole populations: one kernel for all of them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from services.eligibility.domain.determination import CATEGORIES, NO_CATEGORY, UNDETERMINED
from services.eligibility.domain.facts import CIRCUMSTANCES, IMPLIED, NO_STATUS, SCHEMA
from services.eligibility.domain.request import PROGRAMMES
from services.shared.policy.columns.decisions import Statuses
from services.shared.policy.columns.places import NotInOneKernel
from services.shared.policy.columns.population import PopulationPolicy
from services.shared.policy.evaluation import PackSet, PreparedPolicy
from services.shared.policy.pack import Presumption
from services.shared.vocabulary.region import NATION, has_province, is_region_code

STATUSES = Statuses(CATEGORIES, ("household", "recognised_as"), NO_CATEGORY, UNDETERMINED)
"""What a household's category is made of."""

UNSAID: Mapping[tuple[str, str], Any] = {
    **{("household", f"asked_{programme}"): True for programme in PROGRAMMES},
    ("household", "recognised_as"): NO_STATUS,
    ("member", "work_ability"): IMPLIED,
    ("supporter", "work_ability"): IMPLIED,
}
"""What stands for a fact that is not told, where `read_facts` has it so for every request that does not say it."""


def prepare_population(
    packs: PackSet,
    regions: Iterable[str],
    as_of: date,
    folder: Path,
    overrides: Mapping[str, Any] | None = None,
    *,
    observed: Sequence[str] = (),
    only_observed: bool = False,
    unknown: Iterable[str] = (),
    presume: bool = True,
) -> PopulationPolicy:
    """The policy of these regions, or of every place that has a pack, in force on a date, compiled once into `folder`.

    Other regions are rejected where their packs are not those of one that was prepared. The fewer places, the fewer
    figures are missing in one of them, and the less is computed with what could stand for them.
    `overrides` are figures in their parameters' units that replace every place's; `observed` are rules whose values
    the results show, alone if `only_observed`. The columns of `unknown` may be missing from tables. Without `presume`
    what is not told is unknown, whatever packs presume. Raises PackFault, and NotInOneKernel where places' rules do
    not fit together or presume different things.
    """
    places = _Places(packs, as_of)
    for region in tuple(regions) or (NATION, *(pack.jurisdiction for pack in packs.packs)):
        places.add(region)
    given, whole = _presumed(_same_presumptions(places.policies)) if presume else ({}, frozenset[str]())
    policy = PopulationPolicy.of(
        places.policies,
        places.place_of,
        folder,
        statuses=STATUSES,
        observed=observed,
        only_observed=only_observed,
        given=given,
        whole=whole,
        unknown=frozenset(unknown),
    )
    return policy.with_parameters(overrides) if overrides else policy


class _Places:
    """The places that differ in their packs, numbered."""

    def __init__(self, packs: PackSet, as_of: date) -> None:
        self._packs, self._as_of = packs, as_of
        self._numbers: dict[tuple[str, ...], int] = {}
        self._of_region: dict[str, int | None] = {}
        self.policies: list[PreparedPolicy] = []

    def add(self, region: str) -> None:
        """Have a number for the region's packs."""
        policy = self._packs.prepare(region, self._as_of)
        if self._numbers.setdefault(_identity(policy), len(self.policies)) == len(self.policies):
            self.policies.append(policy)

    def place_of(self, region: str) -> int | None:
        """The number for a region; None for what is no region, and for one whose packs were not prepared."""
        if region not in self._of_region:
            # What is no code is not remembered: of texts there is no end.
            if not (is_region_code(region) and has_province(region)):
                return None
            self._of_region[region] = self._numbers.get(_identity(self._packs.prepare(region, self._as_of)))
        return self._of_region[region]


def _identity(policy: PreparedPolicy) -> tuple[str, ...]:
    return tuple(pack.sha256 for pack in policy.book.chain)


def _same_presumptions(policies: Sequence[PreparedPolicy]) -> Sequence[Presumption]:
    """What every place presumes. Raises NotInOneKernel where one presumes something else, or nothing."""
    first, *others = ({(item.entity, item.key): item.value for item in each.book.presumptions} for each in policies)
    for other in others:
        for fact in sorted(first.keys() | other.keys()):
            if first.get(fact) != other.get(fact):
                raise NotInOneKernel(f"what is presumed of {'.'.join(fact)} is not the same in all places")
    return policies[0].book.presumptions


def _presumed(presumptions: Sequence[Presumption]) -> tuple[Mapping[tuple[str, str], Any], frozenset[str]]:
    """The facts that stand where nothing is told, and the lists that are then taken to be whole."""
    given, whole = dict(UNSAID), set()
    for item in presumptions:
        if item.key == "circumstances":
            # A parent in the household is a member, of whom the same is presumed.
            entities = (item.entity, "parent") if item.entity == "member" else (item.entity,)
            given |= {(entity, name): name in item.value for entity in entities for name in CIRCUMSTANCES}
        elif item.value == []:
            whole.add(item.key)
        else:
            given[item.entity, item.key] = item.value
    known = {entity.name: entity.position for entity in SCHEMA.entities}
    return {fact: value for fact, value in given.items() if fact[1] in known[fact[0]]}, frozenset(whole)
