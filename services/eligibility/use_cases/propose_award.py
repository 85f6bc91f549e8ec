"""A caseworker proposes that what a determination found be paid."""

from datetime import date
from typing import Any

import orjson

from services.eligibility.domain.award import (
    PROPOSED,
    DemoPersonRefused,
    Person,
    check_people,
    places_of,
    terms_of,
)
from services.eligibility.store import awards
from services.eligibility.store.determinations import find_determination
from services.shared.runtime import audit
from services.shared.runtime.callers import Forbidden
from services.shared.runtime.database import Transaction
from services.shared.runtime.identifiers import new_id
from services.shared.runtime.problems import NotFound
from services.shared.runtime.service_app import Runtime
from services.shared.vocabulary.actor import Actor
from services.shared.vocabulary.identifiers import DEMO_ID_PREFIX
from services.shared.vocabulary.money import yuan_of


def propose_award(
    tx: Transaction,
    runtime: Runtime,
    actor: Actor,
    request_id: str,
    determination_id: str,
    programme: str,
    subject: str,
    until_month: date | None,
    people: tuple[Person, ...],
) -> dict[str, Any]:
    """Record the proposal; nothing is paid until a second person confirms it.

    Raises NotFound, NothingToAward, AwardMonthsWrong, PeopleDoNotMatch, DemoPersonRefused, AlreadyProposed, and
    Forbidden to who may see the determination but does not act for the place that pays.
    """
    determination = find_determination(tx, determination_id)
    if determination is None:
        raise NotFound
    answer = orjson.loads(determination.answer)
    if not any(map(actor.covers, places_of(answer))):
        raise NotFound
    terms = terms_of(answer, programme, subject, until_month)
    if not actor.covers(terms.region):
        raise Forbidden
    check_people(_members_of(determination.request), subject, people)
    if runtime.configuration.common.mode == "production" and any(_is_demo(person) for person in people):
        raise DemoPersonRefused
    award_id, now = new_id("award"), runtime.now()
    awards.insert_award(tx, award_id, determination.id, terms, actor.subject, now)
    awards.insert_people(tx, award_id, people, runtime.personal_data)
    details: audit.Details = {"determination": determination.id, "programme": programme, "amount_fen": terms.amount_fen}
    event = audit.Event(now, actor.subject, "propose_award", "award", award_id, request_id)
    audit.append(tx, runtime.tables, event, details)
    return {"id": award_id, "state": PROPOSED, "amount": yuan_of(terms.amount_fen), "kind": terms.kind}


def _members_of(request: bytes) -> tuple[str, ...]:
    return tuple(member["id"] for member in orjson.loads(request)["household"]["members"])


def _is_demo(person: Person) -> bool:
    return person.id_number.startswith(DEMO_ID_PREFIX)
