"""Keeps the compiled policies of a process, so that a simulation need not wait for them."""

import threading
from collections import OrderedDict
from datetime import date
from pathlib import Path

from services.eligibility.use_cases.prepare_population import prepare_population
from services.eligibility.use_cases.simulating.outcomes import OBSERVED
from services.shared.policy.columns.population import PopulationPolicy
from services.shared.policy.evaluation import PackSet

MOST_KEPT = 4


class PreparedPopulations:
    """Policies by the packs that they are of and the day; what was compiled is also kept in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._one_at_a_time = threading.Lock()
        self._kept: OrderedDict[tuple[tuple[str, ...], date], PopulationPolicy] = OrderedDict()

    def of(self, packs: PackSet, as_of: date) -> PopulationPolicy:
        """The policy of these packs on a day. Raises PackFault and NotInOneKernel."""
        key = tuple(sorted(pack.sha256 for pack in packs.packs)), as_of
        with self._one_at_a_time:
            if key not in self._kept:
                policy = prepare_population(packs, [], as_of, self._folder, observed=OBSERVED)
                if len(self._kept) >= MOST_KEPT:
                    self._kept.popitem(last=False)
                self._kept[key] = policy
            self._kept.move_to_end(key)
            return self._kept[key]
