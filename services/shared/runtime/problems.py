"""Errors as RFC 9457 problems, in Chinese and English, from one catalogue; what was sent is never echoed."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from services.shared.runtime.audit import NotSealedYet, OldBeyondCheckpoint
from services.shared.runtime.body_errors import errors_of_list
from services.shared.runtime.callers import Forbidden, Unauthenticated
from services.shared.runtime.clock import ClockMayNotGoBack
from services.shared.runtime.database import DatabaseUnavailable
from services.shared.runtime.idempotency import IdempotencyKeyMissing, IdempotencyKeyReused
from services.shared.runtime.logs import get_logger, where_raised
from services.shared.runtime.service_client import PeerUnavailable
from services.shared.vocabulary.actor import NotAllowedInThisState
from services.shared.vocabulary.invalid_body import BodyError, InvalidBody

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 5


class NotFound(Exception):
    """Nothing by that name, or nothing that this caller may know of."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One row of the catalogue: a stable code, its HTTP status, what it means and what to do, zh and en.

    The texts may name public fields of the exception in braces, such as `{state}`.
    """

    code: str
    status: int
    zh: str
    en: str
    remedy_zh: str
    remedy_en: str


Catalogue = Mapping[type[Exception], Problem]

SHARED_PROBLEMS: Catalogue = {
    InvalidBody: Problem(
        "invalid_body", 400, "请求内容有误", "The body has errors", "按 errors 逐项改正后重发", "Correct each of errors"
    ),
    Unauthenticated: Problem(
        "unauthenticated",
        401,
        "没有有效的令牌",
        "No valid token",
        "在 Authorization 头中带上有效令牌",
        "Send a valid bearer token",
    ),
    Forbidden: Problem(
        "forbidden",
        403,
        "无权进行此操作",
        "Not yours to do",
        "由有相应角色和辖区的人办理",
        "Ask someone with the role and region",
    ),
    NotFound: Problem("not_found", 404, "没有找到", "Not found", "核对编号", "Check the identifier"),
    NotAllowedInThisState: Problem(
        "not_allowed_in_this_state",
        409,
        "当前状态 {state} 不能进行此操作",
        "Not possible in state {state}",
        "先查看其状态，再决定下一步",
        "Look at its state, then take the next step",
    ),
    IdempotencyKeyMissing: Problem(
        "idempotency_key_missing",
        400,
        "缺少 Idempotency-Key 头",
        "The Idempotency-Key header is missing",
        "带上不超过 200 个字符的唯一键，重发时用同一个",
        "Send one of at most 200 characters, the same when sending again",
    ),
    IdempotencyKeyReused: Problem(
        "idempotency_key_reused",
        409,
        "此 Idempotency-Key 已用于另一请求",
        "The Idempotency-Key belongs to another body",
        "新的请求用新的键",
        "Use a new key for a new request",
    ),
    DatabaseUnavailable: Problem(
        "database_unavailable",
        503,
        "数据库暂时不可用，没有确认任何改动",
        "The database is away; no change was confirmed",
        "稍后用同一个 Idempotency-Key 重发",
        "Send it again later with the same Idempotency-Key",
    ),
    NotSealedYet: Problem(
        "not_sealed_yet",
        409,
        "已记录，尚未有签名的检查点覆盖",
        "Recorded, but no signed checkpoint covers it yet",
        "几秒后重试",
        "Try again in a few seconds",
    ),
    OldBeyondCheckpoint: Problem(
        "old_beyond_checkpoint",
        422,
        "最新检查点共 {size} 条，少于 old",
        "The newest checkpoint has {size} entries, fewer than old",
        "核对旧检查点属于本服务；若确属本服务，日志已被截短，旧检查点就是证据，请保存",
        "Check that the old checkpoint is this service's; if it is, entries are gone, and it is the evidence: keep it",
    ),
    ClockMayNotGoBack: Problem(
        "clock_may_not_go_back",
        409,
        "测试时钟只能向前",
        "The test clock only moves forward",
        "给一个更晚的时刻",
        "Give a later instant",
    ),
    PeerUnavailable: Problem(
        "peer_unavailable", 503, "{peer} 暂时不可用", "{peer} is away", "稍后重试", "Try again later"
    ),
}

SEE_DOCS = ("见本服务的 docs 页", "See the service's docs page")
HTTP_PROBLEMS = {
    404: Problem("no_such_path", 404, "没有这个地址", "No such path", *SEE_DOCS),
    405: Problem("method_not_allowed", 405, "此地址不支持该方法", "Method not allowed here", *SEE_DOCS),
    415: Problem(
        "unsupported_media_type",
        415,
        "请求内容须为 application/json",
        "The body must be application/json",
        "设置 Content-Type 头后重发",
        "Set the Content-Type header and send it again",
    ),
    413: Problem("body_too_large", 413, "请求内容过大", "The body is too large", "分批发送", "Send it in parts"),
}
OTHER_HTTP = Problem("refused", 400, "请求被拒绝", "The request was refused", *SEE_DOCS)
FAULT = Problem(
    "internal_fault",
    500,
    "系统出错，已记录",
    "A fault of ours; it is logged",
    "用同一个 Idempotency-Key 重发，并告知 request_id",
    "Send it again with the same key, and tell us the request_id",
)


def install_problem_handlers(app: FastAPI, catalogue: Catalogue) -> None:
    """Answer every error of `catalogue`, of the shared one and of HTTP as a problem."""
    for kind, problem in {**SHARED_PROBLEMS, **catalogue}.items():
        app.add_exception_handler(kind, _handler(problem))
    app.add_exception_handler(RequestValidationError, _refuse_request)
    app.add_exception_handler(HTTPException, _refuse_http)


@dataclass(eq=False)
class ManyFindings(Exception):
    """An error that lists all that is wrong, each finding JSON-ready; its problem's `errors` are these."""

    findings: Sequence[Mapping[str, Any]]


def problem_response(
    request: Request,
    problem: Problem,
    values: Mapping[str, Any] | None = None,
    errors: Sequence[Mapping[str, Any]] = (),
) -> Response:
    """The problem in the reader's language first, and whole in both."""
    texts = (problem.zh, problem.en, problem.remedy_zh, problem.remedy_en)
    zh, en, remedy_zh, remedy_en = (text.format_map(values or {}) for text in texts)
    is_english = request.headers.get("accept-language", "").lower().startswith("en")
    body = {
        "type": f"{request.scope.get('root_path', '')}{request.app.state.problems_path}/{problem.code}",
        "title": en if is_english else zh,
        "status": problem.status,
        "detail": remedy_en if is_english else remedy_zh,
        "code": problem.code,
        "text": {"zh": f"{zh}。{remedy_zh}。", "en": f"{en}. {remedy_en}."},
        "request_id": request.scope.get("request_id", ""),
    }
    if errors:
        body["errors"] = errors
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if problem.status == 503 else {}
    if problem.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(json.dumps(body, ensure_ascii=False), problem.status, headers, MEDIA_TYPE)


def fault_response(request: Request, error: Exception) -> Response:
    """The answer to a fault of ours, which is logged by its type and place: its message may hold what was sent."""
    request_id = request.scope.get("request_id", "")
    get_logger().error("fault", error_type=type(error).__name__, where=where_raised(error), request_id=request_id)
    return problem_response(request, FAULT)


def catalogue_page(catalogue: Catalogue) -> list[dict[str, str | int]]:
    """Every problem of a service as a table, for the page behind `type`."""
    rows = [*{**SHARED_PROBLEMS, **catalogue}.values(), *HTTP_PROBLEMS.values(), OTHER_HTTP, FAULT]
    return [{field.name: getattr(row, field.name) for field in fields(Problem)} for row in rows]


def _handler(problem: Problem) -> Callable[[Request, Exception], Response]:
    def handle(request: Request, error: Exception) -> Response:
        return problem_response(request, problem, _public_fields(error), _listed(error))

    return handle


def _listed(error: Exception) -> Sequence[Mapping[str, Any]]:
    if isinstance(error, InvalidBody):
        return [_body_error(each) for each in error.errors]
    return error.findings if isinstance(error, ManyFindings) else ()


def _body_error(error: BodyError) -> Mapping[str, Any]:
    return {"pointer": error.pointer, "code": error.code, "text": {"zh": error.zh, "en": error.en}}


def _public_fields(error: Exception) -> dict[str, Any]:
    if is_dataclass(error):
        return {field.name: getattr(error, field.name) for field in fields(error)}
    return {key: value for key, value in vars(error).items() if not key.startswith("_")}


def _refuse_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    listed = [_body_error(each) for each in errors_of_list(error.errors())]
    return problem_response(request, SHARED_PROBLEMS[InvalidBody], errors=listed)


def _refuse_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    problem = HTTP_PROBLEMS.get(error.status_code) or replace(OTHER_HTTP, status=error.status_code)
    answer = problem_response(request, problem)
    answer.headers.update(error.headers or {})
    return answer
