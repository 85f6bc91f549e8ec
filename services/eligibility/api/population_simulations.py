"""Reforms over whole populations over HTTP: asked for, looked at while they are computed, read when they are done."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.eligibility.api.determinations import JSON, policy_of
from services.eligibility.domain.population_simulation import DONE, NothingToTry
from services.eligibility.gateways.population_folder import find_population, identity_of
from services.eligibility.store import population_simulations as store
from services.eligibility.use_cases.published_policy import PublishedPolicy
from services.eligibility.use_cases.request_population_simulation import request_population_simulation
from services.shared.runtime.callers import permitted
from services.shared.runtime.problems import NotFound
from services.shared.runtime.service_app import IdempotencyKey, Runtime, runtime_of
from services.shared.vocabulary.actor import Actor
from services.shared.vocabulary.region import NATION

MAX_FIGURES, MAX_PACKS, MAX_KEYS = 50, 10, 4
NAME, CODE = r"^[a-z][a-z0-9_]{0,79}$", r"^[A-Za-z0-9_.-]{1,40}$"
Value = Annotated[str, Field(pattern=CODE)] | bool | Annotated[int, Field(ge=0, le=10**9)]

router = APIRouter(tags=["simulations"])


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class FigureBody(_Body):
    """A figure to put in the place of those in force, for a place's packs, and for one key where it has keys."""

    parameter: str = Field(pattern=NAME)
    value: Value
    keys: list[Annotated[str, Field(pattern=CODE)]] = Field(default=[], max_length=MAX_KEYS)
    region: str = Field(default=NATION, pattern=r"^(cn|[0-9]{6})$")


class ProposedPackBody(_Body):
    """A pack that was proposed, by its id and version."""

    id: str = Field(pattern=CODE)
    version: str = Field(pattern=CODE)


class PopulationSimulationBody(_Body):
    """Over which registered population, for which day, and what is tried."""

    population: str = Field(min_length=1, max_length=60)
    as_of: Annotated[date, Field(strict=False)]
    region_level: Literal["province", "prefecture", "county"] = "province"
    parameters: dict[Annotated[str, Field(pattern=NAME)], Value] = Field(default={}, max_length=MAX_FIGURES)
    figures: list[FigureBody] = Field(default=[], max_length=MAX_FIGURES)
    packs: list[ProposedPackBody] = Field(default=[], max_length=MAX_PACKS)

    @property
    def reform(self) -> Mapping[str, Any]:
        """What is tried: figures for everywhere first, then those for places."""
        everywhere = [FigureBody(parameter=name, value=value) for name, value in self.parameters.items()]
        return {
            "figures": [figure.model_dump() for figure in (*everywhere, *self.figures)],
            "packs": [pack.model_dump() for pack in self.packs],
        }


@router.post(
    "/simulations/population", status_code=202, operation_id="create-population-simulation", response_class=Response
)
def create(
    body: PopulationSimulationBody,
    request: Request,
    actor: Annotated[Actor, Depends(permitted("simulate_population"))],
    runtime: Annotated[Runtime, Depends(runtime_of)],
    policy: Annotated[PublishedPolicy, Depends(policy_of)],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask what a reform costs a registered population, and who gains and loses; a worker computes it."""
    if not (body.parameters or body.figures or body.packs):
        raise NothingToTry
    path = find_population(runtime.configuration.own.populations_dir, body.population)
    packs = [dict(pack.identity) for pack in policy.current().packs]
    asked = ((body.population, identity_of(path)), body.as_of, body.region_level, body.reform, packs)
    return runtime.transact_once(
        request, actor, body, 202, request_population_simulation, runtime, actor, request.scope["request_id"], *asked
    )


@router.get(
    "/simulations/population/{simulation_id}", operation_id="get-population-simulation", response_class=Response
)
def get(
    simulation_id: str,
    _: Annotated[Actor, Depends(permitted("read_population_simulation"))],
    runtime: Annotated[Runtime, Depends(runtime_of)],
) -> Response:
    """How far it is, and the figures of the rows that are done; the whole report in the state DONE."""
    asked = runtime.database.read(store.find_simulation, simulation_id)
    run = runtime.database.read(store.find_run, simulation_id)
    if asked is None or run is None:
        raise NotFound
    return Response(orjson.dumps(_shown(asked, run)), media_type=JSON)


@router.get(
    "/simulations/population/{simulation_id}/losers",
    operation_id="list-population-simulation-losers",
    response_class=Response,
)
def losers(
    simulation_id: str,
    _: Annotated[Actor, Depends(permitted("simulate_population"))],
    runtime: Annotated[Runtime, Depends(runtime_of)],
) -> Response:
    """Who loses, as CSV: rows of the population's file by number, programmes and amounts; the first ten thousand."""
    found = runtime.database.read(store.find_losers, simulation_id)
    if found is None:
        raise NotFound
    return Response(found, media_type="text/csv; charset=utf-8", headers={"Cache-Control": "no-store"})


def _shown(asked: store.PopulationSimulation, run: store.Run) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": asked.id,
        "state": run.state,
        "population": asked.population,
        "as_of": asked.as_of.isoformat(),
        "region_level": asked.region_level,
        "reform": dict(asked.reform),
        "requested_by": asked.requested_by,
        "requested_at": asked.requested_at.isoformat(),
        "changed_at": run.changed_at.isoformat(),
        "progress": {"done": run.rows_done, "unit": "rows"},
    }
    if run.rows_total is not None:
        shown["progress"]["total"] = run.rows_total
    if run.report is not None:
        shown["report" if run.state == DONE else "so_far"] = orjson.Fragment(run.report)
    if run.problem is not None:
        shown["problem"] = dict(run.problem)
    return shown
