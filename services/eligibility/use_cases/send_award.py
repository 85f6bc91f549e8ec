"""Tell payments of a confirmed award: what the message of the outbox says is read when it is sent."""

from typing import Any

from services.eligibility.store import awards
from services.shared.runtime.clock import china_date
from services.shared.runtime.service_app import Runtime
from services.shared.runtime.service_client import ServiceClient
from services.shared.vocabulary.money import yuan_of


def send_award(runtime: Runtime, client: ServiceClient, message_id: str, award_id: str) -> None:
    """Tell payments of a confirmed award, under the message's id; raises PeerUnavailable or PeerRefused."""
    award = runtime.database.read(awards.find_award, award_id)
    people = runtime.database.read(awards.find_people, award_id, runtime.personal_data)
    assert award is not None and award.decided_at is not None, "a message about an award follows its confirmation"
    client.post("/payments/v1/awards", _message(award, people), message_id)


def _message(award: awards.Award, people: list[awards.Person]) -> dict[str, Any]:
    payee = next(person for person in people if person.card_number is not None)
    assert award.decided_at is not None
    return {
        "award_id": award.id,
        "determination_id": award.determination,
        "programme": award.programme,
        "subject": award.subject,
        "region": award.region,
        "kind": award.kind,
        "amount": yuan_of(award.amount_fen),
        "from": _month(award.first_month),
        "until": _month(award.until_month),
        "confirmed_on": china_date(award.decided_at).isoformat(),
        "members": [{"member": p.member, "name": p.name, "id_number": p.id_number} for p in people],
        "payee": {
            "member": payee.member,
            "name": payee.name,
            "id_number": payee.id_number,
            "card_number": payee.card_number,
        },
        "basis": award.basis,
    }


def _month(month: Any) -> str | None:
    return None if month is None else f"{month:%Y-%m}"
