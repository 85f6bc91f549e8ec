"""Awards, the second person's decision, and the people that an award names (sealed)."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, insert, or_, select

from services.eligibility.domain.award import PROPOSED, Person, Terms
from services.eligibility.store.tables import award_decisions, award_people, awards
from services.shared.runtime.database import Transaction
from services.shared.runtime.personal_data import PersonalData

PAGE_LIMIT = 501
"""The largest page, and one more row that tells whether another page follows."""


@dataclass(frozen=True, slots=True)
class Award:
    """An award as it stands: its terms, who proposed it, and the decision once there is one."""

    id: str
    determination: str
    programme: str
    subject: str
    region: str
    kind: str
    amount_fen: int
    first_month: date | None
    until_month: date | None
    basis: dict[str, Any]
    proposed_by: str
    proposed_at: datetime
    state: str
    decided_by: str | None
    decided_at: datetime | None


def insert_award(
    tx: Transaction, award_id: str, determination: str, terms: Terms, proposed_by: str, now: datetime
) -> None:
    """Record a proposal."""
    row = {name: getattr(terms, name) for name in Terms.__dataclass_fields__}
    who = {"id": award_id, "determination": determination}
    tx.execute(insert(awards).values({**row, **who, "proposed_by": proposed_by, "proposed_at": now}))


def insert_people(tx: Transaction, award_id: str, people: tuple[Person, ...], personal_data: PersonalData) -> None:
    """Record whom the award names, each field sealed for its row."""
    tx.execute(insert(award_people), [_sealed(award_id, person, personal_data) for person in people])


def insert_decision(tx: Transaction, award: Award, decision: str, decided_by: str, reason: str, now: datetime) -> None:
    """Record the second person's decision; the database refuses the proposer's own."""
    row = {"award": award.id, "proposed_by": award.proposed_by, "decision": decision, "decided_by": decided_by}
    tx.execute(insert(award_decisions).values({**row, "reason": reason, "decided_at": now}))


def find_award(tx: Transaction, award_id: str) -> Award | None:
    """The award of that id, if there is one."""
    row = tx.execute(_awards().where(awards.c.id == award_id)).mappings().first()
    return None if row is None else Award(**row)


def list_awards(tx: Transaction, region_prefixes: tuple[str, ...], after: str, limit: int) -> list[Award]:
    """Awards of the places under the prefixes whose id follows `after`, in order of id, at most `limit`."""
    within = or_(*(awards.c.region.startswith(prefix, autoescape=True) for prefix in region_prefixes))
    query = _awards().where(within, awards.c.id > after).order_by(awards.c.id).limit(min(limit, PAGE_LIMIT))
    return [Award(**row) for row in tx.execute(query).mappings()]


def find_people(tx: Transaction, award_id: str, personal_data: PersonalData) -> list[Person]:
    """Whom the award names, opened."""
    rows = tx.execute(select(award_people).where(award_people.c.award == award_id).order_by(award_people.c.member))
    return [_opened(row, personal_data) for row in rows]


def _awards():  # type: ignore[no-untyped-def]
    state = func.coalesce(award_decisions.c.decision, PROPOSED).label("state")
    joined = awards.outerjoin(award_decisions, award_decisions.c.award == awards.c.id)
    return select(awards, state, award_decisions.c.decided_by, award_decisions.c.decided_at).select_from(joined)


def _sealed(award_id: str, person: Person, personal_data: PersonalData) -> dict[str, Any]:
    row = f"{award_id}/{person.member}"
    card = person.card_number
    return {
        "award": award_id,
        "member": person.member,
        "name_sealed": personal_data.encrypt("award_people.name", row, person.name),
        "id_number_sealed": personal_data.encrypt("award_people.id_number", row, person.id_number),
        "id_number_index": personal_data.index_of("id_number", person.id_number),
        "card_number_sealed": None if card is None else personal_data.encrypt("award_people.card_number", row, card),
    }


def _opened(row: Any, personal_data: PersonalData) -> Person:
    place = f"{row.award}/{row.member}"
    card = row.card_number_sealed
    return Person(
        row.member,
        personal_data.decrypt("award_people.name", place, bytes(row.name_sealed)),
        personal_data.decrypt("award_people.id_number", place, bytes(row.id_number_sealed)),
        None if card is None else personal_data.decrypt("award_people.card_number", place, bytes(card)),
    )
