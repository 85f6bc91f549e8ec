"""A recorded determination's months evaluated anew under the packs of today: what is still due, line by line."""

from dataclasses import replace
from datetime import date
from typing import Any

import orjson

from services.eligibility.domain.answer import Answer
from services.eligibility.domain.redetermination import (
    Line,
    MonthAnew,
    grants_of,
    month_anew,
    months_between,
    rises_and_falls,
)
from services.eligibility.domain.request import DeterminationRequest
from services.eligibility.store.determinations import Determination
from services.eligibility.store.redeterminations import Redetermination, insert_redetermination
from services.eligibility.use_cases.evaluate_household import evaluate_household
from services.shared.policy.evaluation import PackSet
from services.shared.runtime import audit
from services.shared.runtime.database import Transaction
from services.shared.runtime.service_app import Runtime
from services.shared.vocabulary.actor import Actor
from services.shared.vocabulary.money import yuan_of


def months_anew(
    recorded: Determination, request: DeterminationRequest, packs: PackSet, first: date, until: date, today: date
) -> tuple[MonthAnew, ...]:
    """Each month of the recorded `request` under `packs`. Raises NothingGranted, MonthsWrong and PackFault."""
    granted = grants_of(orjson.loads(recorded.answer))

    def evaluate(month: date) -> Answer:
        return evaluate_household(packs, replace(request, as_of=month))

    return tuple(month_anew(granted, month, evaluate) for month in months_between(granted, first, until, today))


def redetermine(
    tx: Transaction,
    runtime: Runtime,
    actor: Actor,
    request_id: str,
    redetermination_id: str,
    recorded: Determination,
    months: tuple[MonthAnew, ...],
    until: date,
) -> bytes:
    """Record the months with their event; returns the answer's bytes. Nothing is paid or taken back by it."""
    now = runtime.now()
    rises, falls = rises_and_falls(months)
    answer = orjson.dumps(_shown(redetermination_id, recorded, months, rises, falls), option=orjson.OPT_SORT_KEYS)
    details: audit.Details = {"determination": recorded.id, "still_due_fen": rises, "granted_too_much_fen": falls}
    event = audit.Event(now, actor.subject, "redetermine", "redetermination", redetermination_id, request_id)
    event_id = audit.append(tx, runtime.tables, event, details)
    recorded_anew = Redetermination(
        id=redetermination_id,
        determination=recorded.id,
        from_month=months[0].month,
        until_month=until,
        still_due_fen=rises,
        granted_too_much_fen=falls,
        answer=answer,
        redetermined_by=actor.subject,
        event_id=event_id,
        redetermined_at=now,
    )
    insert_redetermination(tx, recorded_anew)
    return answer


def _shown(
    redetermination_id: str, recorded: Determination, months: tuple[MonthAnew, ...], rises: int, falls: int
) -> dict[str, Any]:
    return {
        "id": redetermination_id,
        "determination_id": recorded.id,
        "region": recorded.region,
        "packs_before": recorded.packs,
        "months": [
            {"month": f"{item.month:%Y-%m}", "packs": list(item.packs), "lines": [_line(line) for line in item.lines]}
            for item in months
        ],
        "still_due": yuan_of(rises),
        "granted_too_much": yuan_of(falls),
        # A cut is never decided by a computation: the household is heard first (Law Art. 48).
        "needs_hearing": falls > 0,
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "programme": line.programme,
        "subject": line.subject,
        "before": yuan_of(line.before_fen),
        "after": None if line.after_fen is None else yuan_of(line.after_fen),
        "difference": None if line.after_fen is None else yuan_of(line.difference_fen),
        "missing": list(line.missing),
    }
