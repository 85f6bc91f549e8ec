"""Places over HTTP: what a code stands for on a day, and which codes its area has then."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response

from services.shared.runtime.callers import permitted
from services.shared.runtime.clock import china_date
from services.shared.runtime.problems import NotFound
from services.shared.runtime.service_app import Runtime, json_response, runtime_of
from services.shared.vocabulary.actor import Actor
from services.shared.vocabulary.region import TABLE_OF, Place, living_codes, place_of, places, places_upwards

CACHED = {"Cache-Control": "private, max-age=3600"}
"""The table changes with a release of the service; a change that a day brings is seen an hour late at most."""

router = APIRouter(prefix="/regions", tags=["regions"])


@router.get("/{code}", operation_id="get-region")
def get(
    code: Annotated[str, Path(pattern="^[0-9]{6}$")],
    runtime: Annotated[Runtime, Depends(runtime_of)],
    _: Annotated[Actor, Depends(permitted("read_region"))],
    on: Annotated[date | None, Query()] = None,
) -> Response:
    """The place that has the code, or had it since 2015, and the codes of its area on the day, which is else today."""
    place = place_of(code)
    if place is None:
        raise NotFound
    response = json_response(_shown(place, on or china_date(runtime.now())))
    response.headers.update(CACHED)
    return response


def _shown(place: Place, on: date) -> dict[str, Any]:
    living = living_codes(place.code, on)
    return {
        "code": place.code,
        "name": place.name,
        "level": place.level,
        "from": place.since,
        "until": place.until,
        "parents": [_named(above) for above in places_upwards(place.code)[1:] if above in places()],
        "on": on,
        "successors": [] if living == (place.code,) else [_named(code) for code in living],
        "table_of": TABLE_OF,
    }


def _named(code: str) -> dict[str, str]:
    return {"code": code, "name": places()[code].name}
