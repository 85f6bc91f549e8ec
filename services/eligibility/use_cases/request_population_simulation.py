"""A policy officer asks what a reform does to a registered population; a worker computes it."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from services.eligibility.domain.population_simulation import MOST_OPEN, WAITING, TooManySimulations
from services.eligibility.store import pack_proposals
from services.eligibility.store.population_simulations import PopulationSimulation, count_open, insert_simulation
from services.shared.runtime import audit, jobs
from services.shared.runtime.database import Transaction
from services.shared.runtime.identifiers import new_id
from services.shared.runtime.service_app import Runtime
from services.shared.vocabulary.actor import Actor
from services.shared.vocabulary.invalid_body import BodyError, InvalidBody

JOB = "simulate_population"

Reform = Mapping[str, Any]
"""What is tried: `figures`, each as `Figure` has it, and `packs`, each the id and version of a proposal."""


def request_population_simulation(
    tx: Transaction,
    runtime: Runtime,
    actor: Actor,
    request_id: str,
    population: tuple[str, str],
    as_of: date,
    region_level: str,
    reform: Reform,
    packs: Sequence[Mapping[str, str]],
) -> Mapping[str, Any]:
    """Record what is asked of a population, by its name and its file's identity, and have it computed.

    `packs` are those in force, by which the answer stands whenever it is computed. Raises TooManySimulations, and
    InvalidBody for a pack that nobody proposed.
    """
    if count_open(tx) >= MOST_OPEN:
        raise TooManySimulations
    _check_proposals(tx, reform["packs"])
    simulation_id, now = new_id("simulation"), runtime.now()
    event = audit.Event(now, actor.subject, "simulate_population", "population_simulation", simulation_id, request_id)
    event_id = audit.append(tx, runtime.tables, event, {"population": population[0], "as_of": as_of.isoformat()})
    asked = PopulationSimulation(
        id=simulation_id,
        population=population[0],
        identity=population[1],
        as_of=as_of,
        region_level=region_level,
        reform=reform,
        packs=packs,
        requested_by=actor.subject,
        event_id=event_id,
        requested_at=now,
    )
    insert_simulation(tx, asked)
    jobs.enqueue(tx, runtime.name, JOB, simulation_id)
    return {"id": simulation_id, "state": WAITING}


def _check_proposals(tx: Transaction, packs: Sequence[Mapping[str, str]]) -> None:
    zh, en = "没有这样的规则包提案", "no such pack was proposed"
    missing = tuple(
        BodyError(f"/packs/{number}", "unknown_proposal", zh, en)
        for number, pack in enumerate(packs)
        if pack_proposals.find_proposal(tx, pack["id"], pack["version"]) is None
    )
    if missing:
        raise InvalidBody(missing)
