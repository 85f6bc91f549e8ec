"""The compiled rules of a screening, made once in each process, and the columns that they read."""

import hashlib
import importlib.metadata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path

from services.eligibility.domain.facts import SCHEMA
from services.eligibility.gateways.pack_folder import read_packs
from services.eligibility.use_cases.evaluate_household import pack_set_of
from services.eligibility.use_cases.prepare_population import prepare_population
from services.eligibility.use_cases.screening.plan import Plan, versions
from services.eligibility.use_cases.screening.refusal import ScreeningRefused, ScreeningStopped
from services.eligibility.use_cases.screening.reject_words import REJECT_COLUMNS
from services.shared.policy.columns.places import NotInOneKernel
from services.shared.policy.columns.population import PopulationPolicy
from services.shared.policy.columns.table import COMPLETE, REGION, named_columns

MadeOf = tuple[tuple[tuple[str, str, str], ...], tuple[tuple[str, str], ...]]
"""The packs and the versions below."""


@dataclass(frozen=True, eq=False)
class Rules:
    """Rules, compiled, and what they are: the packs, and the versions that decide which bytes come out."""

    policy: PopulationPolicy

    @cached_property
    def packs(self) -> tuple[tuple[str, str, str], ...]:
        """The id, version and hash of each pack that a place's rules rest on, by id."""
        chains = (policy.book.chain for policy in self.policy.policies)
        return tuple(sorted({(pack.id, pack.version, pack.sha256) for chain in chains for pack in chain}))

    @cached_property
    def engine(self) -> tuple[tuple[str, str], ...]:
        """What the rules were printed as stands for the engine's own version."""
        program = self.policy.program
        printed = "".join(program.printed(form).text for form in range(len(program.forms)))
        return versions(importlib.metadata.version("doudi"), hashlib.sha256(printed.encode()).hexdigest())

    @property
    def made_of(self) -> MadeOf:
        """What another machine must have to compute the same."""
        return self.packs, self.engine


@lru_cache(maxsize=1)
def rules_of(packs: Path, as_of: date, unknown: tuple[str, ...], kernels: Path) -> Rules:
    """The rules of a folder of packs on a date, compiled or taken from `kernels`.

    Raises PackFault, and ScreeningRefused where places' rules cannot be computed together.
    """
    try:
        return Rules(prepare_population(pack_set_of(read_packs(packs)), (), as_of, kernels, unknown=unknown))
    except NotInOneKernel as why:
        raise ScreeningRefused(
            f"各地规则无法一并计算（{why}）。用 --packs 指定能一并计算的规则包",
            f"the places' rules cannot be computed together ({why}). Name packs that can with --packs",
        ) from None


def rules_of_plan(plan: Plan) -> PopulationPolicy:
    """The plan's rules. Raises ScreeningStopped where this machine has others than the one that made the plan."""
    return rules_made_of((plan.packs, plan.engine), plan.pack_folder, plan.as_of, plan.unknown, plan.kernel_folder)


def rules_made_of(
    made_of: MadeOf, packs: Path, as_of: date, unknown: tuple[str, ...], kernels: Path
) -> PopulationPolicy:
    """The rules of `rules_of`. Raises ScreeningStopped where they are made of other packs or versions than these."""
    rules = rules_of(packs, as_of, unknown, kernels)
    if rules.made_of != made_of:
        raise ScreeningStopped(
            "此机器上的规则包或程序版本与下达任务的机器不同。安装同一版本后再运行",
            "this machine has other packs or another version than the one that gave the task: install the same",
        )
    return rules.policy


def columns_read(rules: PopulationPolicy) -> Iterator[str]:
    """Every column that the rules look at if it is there, those in structs by the way to them."""
    yield REGION
    for entity in rules.reader.entities:
        facts = [fact.name for fact, _ in rules.reader.facts_of(entity)]
        yield from named_columns(SCHEMA, entity.name, facts).values()
        if entity.parent is not None:
            lists = [entity.plural] if not facts else []
            yield from named_columns(SCHEMA, entity.parent, [*lists, f"{entity.plural}{COMPLETE}"]).values()


def check_id_column(rules: PopulationPolicy, id_column: str, region_column: str) -> None:
    """Raises ScreeningRefused where the identifier has the name of a fact, of a result or of a column of rejects."""
    read = {name.partition(".")[0] for name in in_file(columns_read(rules), region_column)}
    if id_column in read | {REGION, *rules.result_schema.names, *REJECT_COLUMNS}:
        raise ScreeningRefused(
            f"标识列不能叫 {id_column}：事实或结果中有同名的列。改名后用 --id-column 指出",
            f"the column of identifiers cannot be called {id_column}: a fact or a result is. Rename it, and name it "
            "with --id-column",
        )


def in_file(names: Iterable[str], region_column: str) -> tuple[str, ...]:
    """The columns as they are called in a file that has the region under a name of its own."""
    return tuple(region_column if name == REGION else name for name in names)
