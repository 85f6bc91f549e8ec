"""Alerts: whom a record concerns (masked), which rule says so, by when, and what payments did."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from services.monitoring.domain.signal import Signal
from services.monitoring.store import alerts
from services.monitoring.store.alerts import AlertFilter, ListedAlert
from services.shared.runtime.callers import permitted
from services.shared.runtime.personal_data import PersonalData
from services.shared.runtime.problems import NotFound
from services.shared.runtime.service_app import Runtime, json_response, runtime_of
from services.shared.vocabulary.actor import Actor
from services.shared.vocabulary.identifiers import mask_id_number

router = APIRouter(prefix="/alerts", tags=["alerts"])

DEFAULT_LIMIT = 50
MAX_LIMIT = 200

Reader = Annotated[Actor, Depends(permitted("read_alerts"))]
ALERT_ID = r"^alert_[0-9a-z]{26}$"


@router.get("", operation_id="list-alerts", response_class=Response)
def list_alerts(
    request: Request,
    runtime: Annotated[Runtime, Depends(runtime_of)],
    actor: Reader,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(pattern=ALERT_ID, description="`next_cursor` of the page before")] = None,
    state: Literal["RAISED", "HELD", "NOT_ON_ROLL"] | None = None,
    grade: Literal["red", "orange", "yellow", "blue"] | None = None,
    rule: Annotated[str | None, Query(pattern=r"^M[0-9]{2}$")] = None,
    batch: Annotated[str | None, Query(pattern=r"^batch_[0-9a-z]{26}$")] = None,
) -> Response:
    """The newest alerts first, of the caller's regions."""
    wanted = AlertFilter(state, grade, rule, batch, cursor)
    # One more than asked for tells whether there is a next page.
    found = runtime.database.read(alerts.list_alerts, wanted, actor.regions, limit + 1)
    page = found[:limit]
    answer: dict[str, Any] = {
        "alerts": [_shown(listed, request.app.state.signals, runtime.personal_data) for listed in page]
    }
    if len(found) > limit:
        answer["next_cursor"] = page[-1].alert.id
    return json_response(answer)


@router.get("/{alert_id}", operation_id="get-alert", response_class=Response)
def get_alert(
    alert_id: str, request: Request, runtime: Annotated[Runtime, Depends(runtime_of)], actor: Reader
) -> Response:
    """One alert; of another region, it is not there."""
    listed = runtime.database.read(alerts.find_alert, alert_id)
    if listed is None or not actor.covers(listed.alert.region):
        raise NotFound
    return json_response(_shown(listed, request.app.state.signals, runtime.personal_data))


def _shown(listed: ListedAlert, signals: Mapping[str, Signal], personal_data: PersonalData) -> dict[str, Any]:
    alert, record = listed.alert, listed.record
    shown = {
        "id": alert.id,
        "state": listed.state,
        "grade": alert.grade,
        "rule": _rule(listed, signals),
        "person": {"id_number_masked": mask_id_number(record.id_number(personal_data))},
        "died_on": record.died_on,
        "source": record.source,
        "partner": listed.partner,
        "batch_id": alert.batch_id,
        "region": alert.region,
        "raised_at": alert.raised_at,
        "deadline_working_days": alert.deadline_working_days,
        "limit_on": alert.limit_on,
    }
    return shown | _payments(listed)


def _rule(listed: ListedAlert, signals: Mapping[str, Signal]) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "id": listed.alert.rule_id,
        "pack": {"id": listed.alert.pack, "version": listed.alert.pack_version},
    }
    for signal in signals.values():
        if (signal.id, signal.pack, signal.pack_version) == (rule["id"], *rule["pack"].values()):
            rule["title"] = {"zh": signal.title_zh, "en": signal.title_en}
            rule["citation"] = {"instrument": signal.instrument, "article": signal.article, "quote": signal.quote}
            rule["deadline_source"] = signal.deadline_source
    return rule


def _payments(listed: ListedAlert) -> dict[str, Any]:
    if listed.answer is None:
        return {}
    holds = [{"id": h.id} | ({"answer_by": h.answer_by} if h.answer_by else {}) for h in listed.answer.holds]
    return {"payments": {"outcome": listed.answer.outcome, "holds": holds, "answered_at": listed.answered_at}}
