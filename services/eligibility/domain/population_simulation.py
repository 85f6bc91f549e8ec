"""A reform simulated over a registered population as a job: its states, its bounds and what can be wrong with it."""

import re
from dataclasses import dataclass
from datetime import timedelta

WAITING, RUNNING, DONE, FAILED, FORGOTTEN = "WAITING", "RUNNING", "DONE", "FAILED", "FORGOTTEN"
OPEN_STATES = (WAITING, RUNNING)

MOST_OPEN = 10
"""Simulations that wait or run at once; each reads a whole population."""
MOST_ATTEMPTS = 5
"""So often a simulation is begun anew after its worker died; then it has failed."""
KEPT_FOR = timedelta(days=90)
"""After this the figures and the list of losers are forgotten; what was asked, and by whom, stays."""
MOST_LOSERS_KEPT = 10_000
"""Lines of the list of losers; the report says how many there are."""

POPULATION_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")
"""What a registered population may be called: a file's stem, and nothing that leads out of a folder."""


class NoPopulations(Exception):
    """The operator has registered no folder of populations."""


@dataclass(eq=False)
class PopulationUnknown(Exception):
    """No population of that name is registered; `known` lists those that are."""

    known: str


class TooManySimulations(Exception):
    """MOST_OPEN simulations wait or run."""


class NothingToTry(Exception):
    """Neither figures nor packs are named, so that there is no reform."""
