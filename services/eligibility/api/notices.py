"""The printable notice (告知书) of a determination, and what would turn its refusals."""

from pathlib import Path
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Query, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.eligibility.api.determinations import find_permitted, policy_of
from services.eligibility.api.household_body import parse_request
from services.eligibility.domain.article_words import article_in_english
from services.eligibility.domain.nearest_change import NearestChange
from services.eligibility.use_cases.published_policy import PublishedPolicy
from services.eligibility.use_cases.write_notice import Notice, changes_by_result, write_notice
from services.shared.runtime.callers import permitted
from services.shared.runtime.service_app import Runtime, json_response, runtime_of
from services.shared.vocabulary.actor import Actor

HTML = "text/html; charset=utf-8"
NO_SCRIPTS = "default-src 'none'; style-src 'unsafe-inline'"
"""The page needs nothing but itself, so nothing else may be loaded or run in it."""

Language = Literal["zh", "en"]
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters["article_in_english"] = article_in_english

router = APIRouter(tags=["determinations"])


@router.get("/determinations/{determination_id}/notice", operation_id="get-notice", response_class=Response)
def notice(
    determination_id: str,
    actor: Annotated[Actor, Depends(permitted("read_determination"))],
    runtime: Annotated[Runtime, Depends(runtime_of)],
    policy: Annotated[PublishedPolicy, Depends(policy_of)],
    language: Annotated[Language, Query(description="in which language it is written")] = "zh",
) -> Response:
    """One page of HTML to print on A4: the result, why, what to bring, and how to object, with dates."""
    recorded = find_permitted(runtime, actor, determination_id)
    written = write_notice(recorded, parse_request(recorded.request), policy)
    headers = {"Content-Security-Policy": NO_SCRIPTS, "Content-Language": "zh-CN" if language == "zh" else "en"}
    return Response(render_notice(written, language), media_type=HTML, headers=headers)


@router.get(
    "/determinations/{determination_id}/nearest-changes",
    operation_id="list-nearest-changes",
    response_class=Response,
)
def nearest_changes(
    determination_id: str,
    actor: Annotated[Actor, Depends(permitted("read_determination"))],
    runtime: Annotated[Runtime, Depends(runtime_of)],
    policy: Annotated[PublishedPolicy, Depends(policy_of)],
) -> Response:
    """For each refused result the single facts that would turn it, the nearest first."""
    recorded = find_permitted(runtime, actor, determination_id)
    answer, request = orjson.loads(recorded.answer), parse_request(recorded.request)
    found = changes_by_result(policy.named(recorded.packs), request, answer)
    data = [
        {"programme": programme, "subject": subject, "changes": [_shown(change) for change in changes]}
        for (programme, subject), changes in found.items()
    ]
    return json_response({"data": data})


def render_notice(written: Notice, language: Language) -> str:
    """The notice as a page of HTML that holds everything it needs."""
    return _TEMPLATES.get_template("notice.html.jinja").render(notice=written, language=language)


def _shown(change: NearestChange) -> dict[str, Any]:
    text = {"zh": change.text.zh, "en": change.text.en}
    return {"path": change.path, "now": change.now, "then": change.then, "text": text}
