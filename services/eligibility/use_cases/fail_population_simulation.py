"""Records that a simulation over a population cannot be computed here, and why."""

from datetime import datetime

from services.eligibility.store.population_simulations import begin_run, record_failure
from services.shared.policy.text import Text
from services.shared.runtime.database import Transaction


def fail_population_simulation(tx: Transaction, simulation_id: str, code: str, text: Text, now: datetime) -> None:
    """Take it up and end it; nothing where it has ended."""
    attempt = begin_run(tx, simulation_id, now)
    if attempt is not None:
        problem = {"code": code, "title": {"zh": text.zh, "en": text.en}}
        record_failure(tx, simulation_id, attempt, problem, now)
