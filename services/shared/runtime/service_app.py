"""A service's FastAPI application: request ids, problems, health, documentation without internet, the test clock."""

import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Concatenate, ParamSpec, TypeVar

import orjson
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Query, Request, Response
from fastapi.routing import APIRoute
from fastapi_offline import FastAPIOffline
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.shared.runtime import audit, jobs, log_tree
from services.shared.runtime.callers import TrustedKeys, permitted
from services.shared.runtime.clock import ClockMayNotGoBack, Now, system_now
from services.shared.runtime.database import Database, DatabaseUnavailable, Transaction
from services.shared.runtime.environment import Configuration, SettingRefused
from services.shared.runtime.idempotency import (
    MAX_KEY_LENGTH,
    IdempotencyKeyMissing,
    answer_once,
    fingerprint_of,
)
from services.shared.runtime.identifiers import new_id
from services.shared.runtime.logs import get_logger
from services.shared.runtime.personal_data import PersonalData, read_field_keys
from services.shared.runtime.problems import (
    Catalogue,
    catalogue_page,
    fault_response,
    install_problem_handlers,
)
from services.shared.runtime.tables import RuntimeTables
from services.shared.vocabulary.actor import Actor, Permissions

API_VERSION = "1.0"
MAX_BODY_BYTES = 1_000_000
"""A household, a batch of deaths or a list of decisions is far below; larger ways in come with their own bound."""
REQUEST_ID = re.compile(rb"(?!.*\d{15})[A-Za-z0-9._-]{1,100}")
"""A caller's own id is kept, for both sides' logs, unless it could be a person's number."""
CLOCK_CONNECTIONS = 2
END_OF_TIME = datetime(2200, 1, 1, tzinfo=UTC)
"""The test clock stays where days and months can still be added to it."""

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Runtime:
    """What the edge hands to use cases: the database, the shared tables, the clock and the keys."""

    name: str
    configuration: Configuration[Any]
    database: Database
    tables: RuntimeTables
    now: Now
    personal_data: PersonalData
    log_key: Ed25519PrivateKey
    permissions: Permissions

    @property
    def log_origin(self) -> str:
        """The name that the service's log signs under (C2SP tlog-checkpoint origin)."""
        return f"doudi/{self.name}"

    def event(self, request: Request, actor: Actor, action: str, entity: str, entity_id: str) -> audit.Event:
        """An audit event of this request, now."""
        request_id = request.scope.get("request_id", "")
        return audit.Event(self.now(), actor.subject, action, entity, entity_id, request_id)

    def transact_once(
        self,
        request: Request,
        actor: Actor,
        body: BaseModel | bytes | None,
        status: int,
        use_case: Callable[Concatenate[Transaction, P], Any],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Response:
        """Run `use_case` under the request's Idempotency-Key and answer with its JSON-ready value, or its bytes.

        Raises IdempotencyKeyMissing without a key, IdempotencyKeyReused for the key with another body.
        """
        key = idempotency_key_of(request)
        if key is None:
            raise IdempotencyKeyMissing
        fingerprint = self._fingerprint_of(request, _bytes_of(body))
        # What callers take for a key is theirs to choose, a person's number included, so it is kept as an index.
        kept_key = self.personal_data.index_of("idempotency_key", key).hex()

        def work(tx: Transaction) -> Any:
            def effect() -> tuple[int, bytes]:
                value = use_case(tx, *args, **kwargs)
                return status, value if isinstance(value, bytes) else as_json(value)

            return answer_once(tx, self.tables, actor.subject, kept_key, fingerprint, self.now(), effect)

        kept = self.database.transact(work)
        headers = {"Idempotent-Replay": "true"} if kept.is_replay else {}
        return Response(kept.body, kept.status, headers, "application/json")

    def _fingerprint_of(self, request: Request, body: bytes) -> bytes:
        # Keyed: a plain hash of a body that holds an ID number gives the number to who tries them all.
        path, query = request.scope["path"], request.scope["query_string"].decode("latin-1")
        digest = fingerprint_of(f"{request.method} {path}?{query}", body)
        return self.personal_data.index_of("request", digest.hex())


def _bytes_of(body: BaseModel | bytes | None) -> bytes:
    return body.model_dump_json().encode() if isinstance(body, BaseModel) else body or b""


def as_json(value: Any) -> bytes:
    """`value` (dicts, lists, dataclasses, strings, dates) as JSON bytes."""
    return orjson.dumps(value, option=orjson.OPT_UTC_Z)


def json_response(value: Any, status: int = 200) -> Response:
    """A JSON answer that needs no model to be rendered."""
    return Response(as_json(value), status, media_type="application/json")


def idempotency_key_of(request: Request) -> str | None:
    """The request's Idempotency-Key, or None; raises IdempotencyKeyMissing for one that is too long."""
    key = request.headers.get("idempotency-key")
    if key is not None and not 0 < len(key) <= MAX_KEY_LENGTH:
        raise IdempotencyKeyMissing
    return key


IdempotencyKey = Annotated[
    str | None, Header(alias="Idempotency-Key", description="one request, one key; the same key gives the same answer")
]


async def runtime_of(request: Request) -> Runtime:
    """The dependency by which a route gets at its service's runtime."""
    return request.app.state.runtime


def new_runtime(
    name: str,
    configuration: Configuration[Any],
    tables: RuntimeTables,
    constraints: dict[str, Callable[[], Exception]],
    permissions: Permissions,
) -> Runtime:
    """Everything that a service and its worker share, from its settings; raises SettingRefused for a bad key file."""
    own = configuration.own
    url = own.database_url.get_secret_value()
    database = Database(url, name, constraints)
    log_key = _from_key_file(name, "LOG_KEY_FILE", own.log_key_file, _read_log_key)
    personal_data = _from_key_file(name, "PERSONAL_DATA_KEY_FILE", own.personal_data_key_file, _read_personal_data)
    now = _test_now(url, name, tables) if configuration.common.test_clock else system_now
    return Runtime(name, configuration, database, tables, now, personal_data, log_key, permissions)


def create_service_app(
    runtime: Runtime,
    title: str,
    routers: Sequence[APIRouter],
    catalogue: Catalogue,
    version: str,
    larger_bodies: Mapping[str, int] | None = None,
    direct: Collection[str] = (),
) -> FastAPI:
    """Wire a service: its routers under /{name}/v1, and what every service has.

    `larger_bodies`: below that prefix, the paths whose bodies have a bound of their own, in bytes. `direct`: the paths
    that are called as DirectCall says.
    """
    common = runtime.configuration.common
    prefix = f"/{runtime.name}/v1"
    app = FastAPIOffline(
        title=title,
        version=version,
        docs_url=f"/{runtime.name}/docs",
        redoc_url=None,
        openapi_url=f"/{runtime.name}/openapi.json",
        static_url=f"/{runtime.name}/static",
    )
    app.state.runtime = runtime
    app.state.permissions = runtime.permissions
    if common.trusted_keys_file is None:
        raise SettingRefused("缺少设置 / setting missing: DOUDI_TRUSTED_KEYS_FILE (doudi doctor)")
    app.state.trusted_keys = TrustedKeys.read(common.trusted_keys_file, common.mode == "production")
    for router in [*routers, _health_router(), _log_router(), *([_clock_router()] if common.test_clock else [])]:
        app.include_router(router, prefix=prefix)
    app.state.problems_path = f"/{runtime.name}/problems"
    app.add_api_route(app.state.problems_path, lambda: catalogue_page(catalogue), include_in_schema=False)
    app.add_api_route(f"{app.state.problems_path}/{{code}}", _problem_page(catalogue), include_in_schema=False)
    install_problem_handlers(app, catalogue)
    app.add_middleware(DirectCalls, calls=_direct_calls(routers, prefix, direct), handlers=app.exception_handlers)
    bounds = {f"{prefix}{path}": max_bytes for path, max_bytes in (larger_bodies or {}).items()}
    app.add_middleware(RequestFrame, larger_bodies=bounds)
    return app


class DirectCall:
    """A route past FastAPI's way to it, which costs several times the answer of a quick one (ASGI).

    Who calls is then its only dependency, and it reads what was sent itself. The route stays FastAPI's in all else: the
    API's description, other methods.
    """

    def __init__(self, route: APIRoute) -> None:
        needs = route.dependant
        if len(needs.dependencies) != 1 or needs.body_params or needs.query_params or needs.header_params:
            raise ValueError(f"{route.path} needs more than its caller")
        [caller] = needs.dependencies
        assert caller.call and caller.name and needs.request_param_name
        self.path, self._endpoint, self._caller = route.path, route.endpoint, caller.call
        self._names = needs.request_param_name, caller.name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        scope["route"] = self
        request = Request(scope, receive, send)
        given = request, await self._caller(request)
        response = await self._endpoint(**dict(zip(self._names, given, strict=True)))
        await response(scope, receive, send)


class DirectCalls:
    """Hands requests to direct calls, and all others on; their errors are answered as those of any route (ASGI)."""

    def __init__(self, app: ASGIApp, calls: Mapping[tuple[str, str], DirectCall], handlers: Mapping[Any, Any]) -> None:
        self._app = app
        self._calls = {key: ExceptionMiddleware(call, handlers) for key, call in calls.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        call = self._calls.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        await (call or self._app)(scope, receive, send)


def _direct_calls(
    routers: Sequence[APIRouter], prefix: str, paths: Collection[str]
) -> Mapping[tuple[str, str], DirectCall]:
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    return {
        (method, prefix + route.path): DirectCall(route)
        for route in routes
        if route.path in paths
        for method in route.methods or ()
    }


class RequestFrame:
    """Gives every request an id, a bound and a log line, and every answer its headers, a fault's too (pure ASGI)."""

    def __init__(self, app: ASGIApp, larger_bodies: Mapping[str, int]) -> None:
        self._app, self._larger_bodies = app, larger_bodies
        # Kept: structlog puts a logger together anew for each that is asked for.
        self._log = get_logger()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _given_request_id(scope) or new_id("request")
        scope["request_id"] = request_id
        started, status, received = time.perf_counter(), 0, 0
        max_bytes = self._larger_bodies.get(scope["path"], MAX_BODY_BYTES)

        async def bounded_receive() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > max_bytes:
                raise HTTPException(413)
            return message

        async def with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    (b"request-id", request_id.encode()),
                    (b"api-version", API_VERSION.encode()),
                ]
            await send(message)

        try:
            await self._app(scope, bounded_receive, with_headers)
        except Exception as error:
            if status != 0:
                raise  # half an answer is out: only a cut connection says that it is not whole
            await fault_response(Request(scope), error)(scope, receive, with_headers)
        finally:
            duration = round((time.perf_counter() - started) * 1000, 1)
            route = getattr(scope.get("route"), "path", "")
            self._log.info(
                "request",
                request_id=request_id,
                method=scope["method"],
                route=route,
                status=status,
                duration_ms=duration,
                caller=scope.get("caller", ""),
            )


class ClockBody(BaseModel):
    """Where the test clock is to stand."""

    model_config = ConfigDict(extra="forbid")
    now: AwareDatetime = Field(lt=END_OF_TIME)


def _given_request_id(scope: Scope) -> str | None:
    given = dict(scope["headers"]).get(b"request-id", b"")
    return given.decode() if REQUEST_ID.fullmatch(given) else None


def _health_router() -> APIRouter:
    router = APIRouter(tags=["health"])

    @router.get("/health", operation_id="get-health")
    def health() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @router.get("/ready", operation_id="get-readiness")
    def ready(runtime: Annotated[Runtime, Depends(runtime_of)]) -> Response:
        """The process can work: its database answers."""
        try:
            runtime.database.ping()
        except DatabaseUnavailable:
            return json_response({"status": "unavailable", "database": "away"}, 503)
        return json_response({"status": "ready", "database": "ok"})

    return router


def _log_router() -> APIRouter:
    router = APIRouter(tags=["log"])

    @router.get("/log/checkpoint", operation_id="get-log-checkpoint", response_class=Response)
    def checkpoint(
        runtime: Annotated[Runtime, Depends(runtime_of)], _: Annotated[Actor, Depends(permitted("read_log"))]
    ) -> Response:
        """The newest signed checkpoint of the service's log (C2SP tlog-checkpoint)."""
        note = runtime.database.read(audit.latest_checkpoint, runtime.tables)
        if note is None:
            raise audit.NotSealedYet
        return Response(note, media_type="text/plain; charset=utf-8")

    @router.get("/log/consistency", operation_id="get-log-consistency", response_class=Response)
    def consistency(
        old: Annotated[int, Query(ge=0, description="how many entries your old checkpoint has: its second line")],
        runtime: Annotated[Runtime, Depends(runtime_of)],
        _: Annotated[Actor, Depends(permitted("read_log"))],
    ) -> Response:
        """The proof that the newest checkpoint's log holds the whole old one (C2SP tlog-witness, `add-checkpoint`)."""
        proof = runtime.database.read(audit.prove_growth, runtime.tables, old)
        return Response(proof, media_type="text/plain; charset=utf-8")

    @router.get("/log/key", operation_id="get-log-key", response_class=Response)
    def key(
        runtime: Annotated[Runtime, Depends(runtime_of)], _: Annotated[Actor, Depends(permitted("read_log"))]
    ) -> Response:
        """The log's verifier key (C2SP vkey). An auditor compares it once with what the operator gave on paper."""
        vkey = log_tree.verifier_key(runtime.log_origin, runtime.log_key.public_key())
        return Response(vkey, media_type="text/plain; charset=utf-8")

    return router


def _clock_router() -> APIRouter:
    router = APIRouter(prefix="/test-helpers", tags=["test helpers"])

    @router.get("/clock", operation_id="get-test-clock")
    def read(runtime: Annotated[Runtime, Depends(runtime_of)]) -> Response:
        """Where business time stands."""
        return json_response({"now": runtime.now()})

    @router.post("/clock", operation_id="set-test-clock")
    def move(
        body: ClockBody,
        runtime: Annotated[Runtime, Depends(runtime_of)],
        _: Annotated[Actor, Depends(permitted("set_test_clock"))],
    ) -> Response:
        """Put business time forward. Only where the setting DOUDI_TEST_CLOCK is on; production refuses it."""
        runtime.database.transact(_put_clock, runtime, body.now)
        return json_response({"now": runtime.now()})

    return router


def _from_key_file(service: str, setting: str, file: Path, read: Callable[[Path], T]) -> T:
    try:
        return read(file)
    except (OSError, ValueError, KeyError, TypeError, UnsupportedAlgorithm):
        name = f"DOUDI_{service.upper()}_{setting}"
        raise SettingRefused(f"{name} 指向的文件无法使用 / the file that it names cannot be used: {file}") from None


def _read_log_key(file: Path) -> Ed25519PrivateKey:
    key = load_pem_private_key(file.read_bytes(), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError
    return key


def _read_personal_data(file: Path) -> PersonalData:
    return PersonalData(read_field_keys(file))


def _test_now(url: str, name: str, tables: RuntimeTables) -> Now:
    # Connections of its own: the clock is read inside transactions, and who holds a connection while he waits for
    # another of the same pool waits for ever when all do.
    database = Database(url, name, pool_size=CLOCK_CONNECTIONS)

    def now() -> datetime:
        stands = database.read(lambda tx: tx.execute(select(tables.test_clock.c.now)).scalar())
        return stands if stands is not None else system_now()

    return now


def _put_clock(tx: Transaction, runtime: Runtime, now: datetime) -> None:
    clock = runtime.tables.test_clock
    put = insert(clock).values(number=1, now=now)
    moved = put.on_conflict_do_update(index_elements=["number"], set_={"now": now}, where=clock.c.now <= now)
    if tx.execute(moved.returning(clock.c.now)).first() is None:
        raise ClockMayNotGoBack
    jobs.enqueue_schedules(tx, runtime.name)


def _problem_page(catalogue: Catalogue) -> Callable[[str], Response]:
    rows = {row["code"]: row for row in catalogue_page(catalogue)}

    def page(code: str) -> Response:
        return json_response(rows.get(code, {}), 200 if code in rows else 404)

    return page
