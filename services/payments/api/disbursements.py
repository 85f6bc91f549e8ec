"""Payment lines over HTTP, for auditors: listed, opened back to the law, and proved."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response

from services.payments.api.bodies import MONTH_PATTERN, REGION_PATTERN, first_of_month, month_text, prefixes_within
from services.payments.api.list_answers import DEFAULT_PAGE, MAX_PAGE, list_answer
from services.payments.domain.disbursement import DisbursementState
from services.payments.store import awards, disbursements, ledger
from services.payments.store.awards import AwardRecord
from services.payments.store.disbursements import Disbursement, Filter
from services.shared.runtime import audit
from services.shared.runtime.callers import permitted
from services.shared.runtime.database import Transaction
from services.shared.runtime.problems import NotFound
from services.shared.runtime.service_app import Runtime, json_response, runtime_of
from services.shared.vocabulary.actor import Actor
from services.shared.vocabulary.identifiers import mask_card, mask_name
from services.shared.vocabulary.money import yuan_of

COLUMNS = (
    "id",
    "award_id",
    "month",
    "programme",
    "region",
    "amount",
    "member",
    "state",
    "due_on",
    "value_on",
    "reason",
    "batch_id",
    "pay_file",
    "end_to_end_id",
    "replaces",
)

router = APIRouter(prefix="/disbursements", tags=["disbursements"])
CurrentRuntime = Annotated[Runtime, Depends(runtime_of)]
Reader = Annotated[Actor, Depends(permitted("read_disbursement"))]
EventNumber = Annotated[int | None, Query(ge=1, le=999, description="default: the settling event, else the latest")]


@router.get("", operation_id="list-disbursements")
def list_all(
    request: Request,
    actor: Reader,
    runtime: CurrentRuntime,
    region: Annotated[str | None, Query(pattern=REGION_PATTERN)] = None,
    month: Annotated[str | None, Query(pattern=MONTH_PATTERN)] = None,
    programme: Annotated[str | None, Query(max_length=60)] = None,
    state: Annotated[DisbursementState | None, Query()] = None,
    cursor: Annotated[str, Query(max_length=60)] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = DEFAULT_PAGE,
) -> Response:
    """Lines by month, place, programme and state, in order of their making; JSON, CSV or NDJSON by Accept."""
    wanted = Filter(prefixes_within(actor, region), first_of_month(month) if month else None, programme, state)
    found = runtime.database.read(disbursements.list_disbursements, wanted, cursor, limit)
    return list_answer(request, [shown(line) for line in found], limit, COLUMNS)


@router.get("/{disbursement_id}", operation_id="get-disbursement")
def get(disbursement_id: str, actor: Reader, runtime: CurrentRuntime) -> Response:
    """One line back to its determination, rule and law, with every event and every movement in the ledger."""
    return json_response(runtime.database.read(_opened, runtime, actor, disbursement_id))


@router.get("/{disbursement_id}/proof", operation_id="get-disbursement-proof", response_class=Response)
def proof(
    disbursement_id: str,
    request: Request,
    actor: Reader,
    runtime: CurrentRuntime,
    event: EventNumber = None,
) -> Response:
    """The proof that the line's event is in the log (C2SP tlog-proof), its leaf at …/leaf; as JSON, both in one."""
    found = runtime.database.read(_prove, runtime, actor, disbursement_id, event)
    if request.headers.get("accept", "").startswith("application/json"):
        return json_response({"proof": found.text, "leaf": orjson.loads(found.leaf)})
    return Response(found.text, media_type="text/plain; charset=utf-8")


@router.get("/{disbursement_id}/leaf", operation_id="get-disbursement-leaf", response_class=Response)
def leaf(
    disbursement_id: str,
    actor: Reader,
    runtime: CurrentRuntime,
    event: EventNumber = None,
) -> Response:
    """The exact bytes that the proof is of: canonical JSON without personal data."""
    found = runtime.database.read(_prove, runtime, actor, disbursement_id, event)
    return Response(found.leaf, media_type="application/json")


def shown(line: Disbursement) -> dict[str, Any]:
    """A line as lists show it; nothing in it is personal data."""
    return {
        "id": line.id,
        "award_id": line.award,
        "month": month_text(line.month),
        "programme": line.programme,
        "region": line.region,
        "kind": line.kind.name.lower(),
        "amount": yuan_of(line.amount_fen),
        "member": line.member,
        "state": line.state,
        "due_on": line.due_on,
        "value_on": line.value_on,
        "reason": line.reason,
        "batch_id": line.batch,
        "pay_file": line.pay_file,
        "end_to_end_id": line.end_to_end_id,
        "replaces": line.replaces,
    }


def _visible(tx: Transaction, actor: Actor, disbursement_id: str) -> Disbursement:
    line = disbursements.find_disbursement(tx, disbursement_id)
    if line is None or not actor.covers(line.region):
        raise NotFound
    return line


def _opened(tx: Transaction, runtime: Runtime, actor: Actor, disbursement_id: str) -> dict[str, Any]:
    line = _visible(tx, actor, disbursement_id)
    record = awards.find_award(tx, line.award)
    assert record is not None, "a line rests on an award"
    details = awards.find_payees(tx, [line.award], runtime.personal_data)[line.award]
    payee = {"name": mask_name(details.payee.name), "card_number": mask_card(details.payee.card_number)}
    transfers = [
        {
            **{"code": t.code, "debit": t.debit_account, "credit": t.credit_account, "amount": yuan_of(t.amount_fen)},
            "booked_at": t.booked_at,
            "value_on": t.value_on,
        }
        for t in ledger.list_of_disbursement(tx, line.id)
    ]
    events = disbursements.list_events(tx, line.id)
    return {**shown(line), "payee": payee, "award": _award(record), "events": events, "transfers": transfers}


def _award(record: AwardRecord) -> dict[str, Any]:
    award = record.award
    return {
        "id": award.id,
        "determination_id": record.determination,
        "programme": award.programme,
        "region": award.region,
        "subject": record.subject,
        "amount": yuan_of(award.amount_fen),
        "starts_on": award.starts_on,
        "ends_on": award.ends_on,
        "confirmed_on": record.confirmed_on,
        "members": award.members,
        "rule": record.basis.get("rule"),
        "citation": {name: record.basis.get(name) for name in ("instrument", "article")},
        "packs": record.basis.get("packs", []),
    }


def _prove(tx: Transaction, runtime: Runtime, actor: Actor, disbursement_id: str, number: int | None) -> audit.Proof:
    line = _visible(tx, actor, disbursement_id)
    events = disbursements.list_events(tx, line.id)
    settling = [event for event in events if event.to_state == DisbursementState.SETTLED]
    wanted = [event for event in events if event.number == number] if number else settling or events
    if not wanted:
        raise NotFound
    return audit.prove(tx, runtime.tables, wanted[-1].event_id)
