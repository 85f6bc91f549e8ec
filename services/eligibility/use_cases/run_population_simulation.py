"""A worker computes a simulation over a population: from the first row, figures on the way, once whatever happens."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from services.eligibility.domain.population_simulation import (
    MOST_ATTEMPTS,
    MOST_LOSERS_KEPT,
    NoPopulations,
    PopulationUnknown,
)
from services.eligibility.gateways.population_folder import find_population, identity_of
from services.eligibility.store import pack_proposals
from services.eligibility.store import population_simulations as store
from services.eligibility.use_cases.published_policy import PackAltered, PublishedPolicy
from services.eligibility.use_cases.simulate_reform import Progress, Reform, report_of, simulate_reform
from services.eligibility.use_cases.simulating.loser_file import csv_of
from services.eligibility.use_cases.simulating.losers import Loser
from services.eligibility.use_cases.simulating.overlay import Figure, OverlayRefused, with_figures
from services.eligibility.use_cases.simulating.population_blocks import PopulationUnfit, blocks_of, open_population
from services.eligibility.use_cases.simulating.prepared import PreparedPopulations, not_together
from services.shared.policy.columns.places import NotInOneKernel
from services.shared.policy.columns.reading import UnfitTable
from services.shared.policy.evaluation import PackSet
from services.shared.policy.fault import PackFault
from services.shared.policy.pack import load_pack
from services.shared.policy.text import Text
from services.shared.runtime.service_app import Runtime

PROGRESS_SECONDS = 1.0
"""Between two writings of the figures so far; the first comes after the first block."""

CHANGED = Text(
    "人口文件在计算期间被改动。用现在的文件重新发起",
    "the population's file was changed meanwhile. Ask again for the new one",
)
GONE = Text("人口文件已不在登记的文件夹中", "the population's file is no longer in the registered folder")
DIED = Text("计算多次中断，请查看 worker 的日志", "the computation broke off several times: see the worker's log")


class _Failed(Exception):
    """There will be no report; `code` and `text` say why."""

    def __init__(self, code: str, text: Text) -> None:
        super().__init__(code)
        self.code, self.text = code, text


class _TakenUp(Exception):
    """Another worker has taken the simulation up."""


def run_population_simulation(
    runtime: Runtime, policy: PublishedPolicy, prepared: PreparedPopulations, folder: Path | None, simulation_id: str
) -> None:
    """Compute the simulation and record its report, or why there is none; nothing where it has ended.

    Whoever takes it up begins with the first row, and writes only while nobody else has: no sum is ever half another's.
    """
    asked = runtime.database.read(store.find_simulation, simulation_id)
    attempt = runtime.database.transact(store.begin_run, simulation_id, runtime.now())
    if asked is None or attempt is None:
        return
    run = _Run(runtime, asked, attempt)
    try:
        with _failures():
            if attempt > MOST_ATTEMPTS:
                raise _Failed("broke_off", DIED)
            run.simulate(policy, prepared, folder)
    except _Failed as failed:
        problem = {"code": failed.code, "title": {"zh": failed.text.zh, "en": failed.text.en}}
        runtime.database.transact(store.record_failure, simulation_id, attempt, problem, runtime.now())
    except _TakenUp:
        return


@dataclass
class _Run:
    runtime: Runtime
    asked: store.PopulationSimulation
    attempt: int
    losers: list[Loser] = field(default_factory=list)
    written_at_seconds: float = 0.0

    def simulate(self, policy: PublishedPolicy, prepared: PreparedPopulations, folder: Path | None) -> None:
        path = find_population(folder, self.asked.population)
        self._check(path)
        file = open_population(path)
        reform = self._reform(_packs_of(policy, self.asked.packs), prepared)
        reform.check(file.schema)

        def tell(progress: Progress) -> None:
            now = time.monotonic()
            if now - self.written_at_seconds >= PROGRESS_SECONDS:
                self.written_at_seconds = now
                self._check(path)
                report = self._report(reform, progress.figures())
                self._record(store.record_progress, (progress.rows_done, file.rows), report)

        blocks = blocks_of(file, reform.columns)
        figures = simulate_reform(reform, blocks, self._level, tell, self._keep, most_losers=MOST_LOSERS_KEPT)
        self._check(path)
        losers = csv_of(self.losers)
        self._record(store.record_end, (file.rows, file.rows), self._report(reform, figures), losers)

    @property
    def _level(self) -> Any:
        return self.asked.region_level

    def _reform(self, packs: PackSet, prepared: PreparedPopulations) -> Reform:
        before = prepared.of(packs, self.asked.as_of)
        tried = packs
        for named in self.asked.reform["packs"]:
            files = self.runtime.database.read(pack_proposals.find_files, named["id"], named["version"])
            assert files is not None  # it was there when the simulation was asked for, and is never deleted
            tried = tried.with_pack(load_pack({name: text.encode() for name, text in files.items()}))
        after = before if tried is packs else prepared.of(tried, self.asked.as_of)
        return Reform(before, with_figures(after, [figure_of(item) for item in self.asked.reform["figures"]]))

    def _keep(self, losers: Sequence[Loser]) -> None:
        self.losers += losers[: MOST_LOSERS_KEPT - len(self.losers)]

    def _check(self, path: Path) -> None:
        if identity_of(path) != self.asked.identity:
            raise _Failed("population_changed", CHANGED)

    def _report(self, reform: Reform, figures: Any) -> bytes:
        return orjson.dumps(report_of(reform, figures, self._level))

    def _record(self, write: Any, *values: Any) -> None:
        transact: Any = self.runtime.database.transact
        if not transact(write, self.asked.id, self.attempt, *values, self.runtime.now()):
            raise _TakenUp


def figure_of(item: Mapping[str, Any]) -> Figure:
    """A figure as it is kept with what was asked."""
    return Figure(item["parameter"], item["value"], tuple(item["keys"]), item["region"])


def _packs_of(policy: PublishedPolicy, wanted: Sequence[Mapping[str, str]]) -> PackSet:
    """The packs that were in force when it was asked: those that are now, if they are the same."""
    current = policy.current()
    same = {pack.sha256 for pack in current.packs} == {pack["sha256"] for pack in wanted}
    return current if same else policy.named(wanted)


@contextmanager
def _failures() -> Iterator[None]:
    """What no second try mends, said in words."""
    try:
        yield
    except OverlayRefused as refused:
        raise _Failed("figure_refused", refused.text) from None
    except (PopulationUnfit, UnfitTable) as unfit:
        raise _Failed("population_unfit", unfit.text) from None
    except (NoPopulations, PopulationUnknown, FileNotFoundError):
        raise _Failed("population_gone", GONE) from None
    except NotInOneKernel as why:
        raise _Failed("rules_not_together", not_together(why)) from None
    except PackFault as fault:
        raise _Failed("policy_pack_unsound", fault.problem) from None
    except PackAltered as altered:
        zh, en = "内容与发布时不符", "is not what was published"
        name = f"{altered.pack_id} {altered.version}"
        raise _Failed("policy_pack_altered", Text(f"规则包 {name} {zh}", f"pack {name} {en}")) from None
