"""A small service on the runtime, with the faults that a service can have: what the tests of the edge talk to."""

from collections.abc import Collection
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import insert, text

from services.eligibility.settings import EligibilitySettings
from services.eligibility.store.tables import runtime_tables
from services.shared.runtime import audit
from services.shared.runtime.callers import permitted
from services.shared.runtime.database import Transaction
from services.shared.runtime.environment import Configuration, read_configuration
from services.shared.runtime.problems import Catalogue, Problem
from services.shared.runtime.service_app import (
    IdempotencyKey,
    Runtime,
    create_service_app,
    json_response,
    new_runtime,
)
from services.shared.vocabulary.actor import Actor, Permission

PERMISSIONS = {
    "write": Permission(frozenset({"caseworker"})),
    "read_log": Permission(frozenset({"auditor"})),
    "set_test_clock": Permission(frozenset({"operator"})),
}


class PersonSeen(Exception):
    """Stands for a domain error; its message holds what no answer may show."""

    def __init__(self, name: str) -> None:
        super().__init__(f"seen before: {name}")


class Person(BaseModel):
    """A body with personal data in it."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    name: str = Field(min_length=1, max_length=50)
    id_number: str = Field(pattern=r"^\d{17}[\dX]$")
    amount: str = Field(pattern=r"^(0|[1-9]\d{0,11})\.\d{2}$")
    children: list[int] = []


class Failure(Exception):
    """A fault of ours, whose message holds a person's name."""


CATALOGUE: Catalogue = {
    PersonSeen: Problem("person_seen", 409, "此人已登记", "The person was seen before", "查看", "Look")
}
router = APIRouter()
Caseworker = Annotated[Actor, Depends(permitted("write"))]


@router.post("/people", status_code=201)
def add_person(request: Request, actor: Caseworker, body: Person, _: IdempotencyKey = None) -> Response:
    """Write one audit event and one job try; the answer names the event."""
    runtime = request.app.state.runtime
    return runtime.transact_once(request, actor, body, 201, _add_person, runtime, actor, request, body)


@router.post("/seen", status_code=201)
def see_person(request: Request, actor: Caseworker, body: Person) -> Response:
    """Always refused by the domain."""
    raise PersonSeen(body.name)


@router.post("/names")
async def name_person(request: Request, actor: Caseworker) -> Response:
    """Say who asked and how much was sent: by itself, or as FastAPI calls it."""
    sent = await request.body()
    if sent == b"seen":
        raise PersonSeen("王小明")
    if sent == b"broken":
        raise Failure("42010219900307663X")
    return json_response({"by": actor.subject, "bytes": len(sent)})


@router.get("/people/{person}")
def find_person(request: Request, actor: Caseworker, person: str) -> Response:
    """Ask the database with whatever the path holds."""
    query = text("select event_id from audit_events where event_id = :person")
    database = request.app.state.runtime.database
    return json_response(database.read(lambda tx: tx.execute(query, {"person": person}).scalar()))


@router.get("/broken/{name}")
def break_down(name: str) -> Response:
    """Fail with a message that holds the name."""
    raise Failure(f"{name} 42010219900307663X")


def _add_person(tx: Transaction, runtime: Runtime, actor: Actor, request: Request, body: Person) -> dict[str, Any]:
    event = audit.append(tx, runtime.tables, runtime.event(request, actor, "add_person", "person", "person_1"))
    return {"event_id": event}


def configuration() -> Configuration[EligibilitySettings]:
    """The settings of this process."""
    return read_configuration(EligibilitySettings)


def create_probe(of: Configuration[EligibilitySettings], direct: Collection[str] = ()) -> FastAPI:
    """The probe, in the schema `eligibility`."""
    runtime = new_runtime("eligibility", of, runtime_tables, {}, PERMISSIONS)
    return create_service_app(runtime, "Probe", [router], CATALOGUE, "1", direct=direct)


def put_job(tx: Transaction, job: int) -> None:
    """One row that can be there once."""
    tx.execute(insert(runtime_tables.job_tries).values(job=job, tries=1))
