"""Keeps the compiled policies of a process, so that a simulation need not wait for them."""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from services.eligibility.use_cases.prepare_population import prepare_population
from services.eligibility.use_cases.simulating.outcomes import OBSERVED
from services.shared.policy.columns.places import NotInOneKernel
from services.shared.policy.columns.population import PopulationPolicy
from services.shared.policy.evaluation import PackSet
from services.shared.policy.text import Text

MOST_KEPT = 4


def prepare_compared(packs: PackSet, as_of: date, folder: Path, unknown: Iterable[str] = ()) -> PopulationPolicy:
    """The policy of these packs on a day, with what is shown of it beside its results.

    Raises PackFault, and NotInOneKernel also where no pack has a rule that is shown.
    """
    written = {rule.id for pack in packs.packs for rule in pack.rules}
    for name in OBSERVED:
        if name not in written:
            raise NotInOneKernel(f"no pack has the rule {name}, by which households are ordered")
    return prepare_population(packs, [], as_of, folder, observed=OBSERVED, unknown=unknown)


def not_together(why: NotInOneKernel) -> Text:
    """What is said of rules that no simulation can be made with."""
    return Text(
        f"各地规则不能一起计算（{why}）。换用能一起计算的规则包",
        f"the places' rules cannot be computed together ({why}). Try packs that can",
    )


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
                policy = prepare_compared(packs, as_of, self._folder)
                if len(self._kept) >= MOST_KEPT:
                    self._kept.popitem(last=False)
                self._kept[key] = policy
            self._kept.move_to_end(key)
            return self._kept[key]
