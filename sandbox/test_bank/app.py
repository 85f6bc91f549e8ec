"""The test bank's HTTP face: pay files in, reports and statements out, and helpers for trials."""

import hmac
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from sandbox.test_bank import messages
from sandbox.test_bank.book import (
    Book,
    ClockWouldGoBack,
    DayNotOver,
    FileStatus,
    MsgIdUsedForOtherBytes,
    UnknownAccount,
)
from sandbox.test_bank.faults import LONGEST_HANG_SECONDS, Fault, FaultKind, Faults
from sandbox.test_bank.pay_file import LARGEST_PAY_FILE_BYTES, PayFile, PayFileUnreadable, read_pay_file

XML = "application/xml"
MsgId = Annotated[str, Path(min_length=1, max_length=35)]
WallClock = Callable[[], datetime]


class ClockBody(BaseModel):
    """Where to put the bank's clock: an instant with its zone."""

    model_config = ConfigDict(extra="forbid")
    now: AwareDatetime


class FaultBody(BaseModel):
    """What shall happen to the next pay file; null plans nothing."""

    model_config = ConfigDict(extra="forbid")
    next_pay_file: FaultKind | None
    seconds: float = Field(default=30, ge=0, le=LONGEST_HANG_SECONDS)


def create_app(book: Book, key: str, account: str, wall_clock: WallClock) -> FastAPI:
    """The bank over `book`, for callers with `key`, paying from the customer's `account`; times as `wall_clock` has."""
    faults = Faults()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        faults.stop()

    app = FastAPI(title="Doudi test bank", version="1", lifespan=lifespan, docs_url=None, redoc_url=None)
    guarded = [Depends(_key_check(key))]
    _add_pay_files(app, book, faults, wall_clock, guarded)
    _add_statements(app, book, account, wall_clock, guarded)
    _add_test_helpers(app, book, faults, wall_clock, guarded)

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "up"}

    return app


def _key_check(key: str) -> Callable[[Request], None]:
    def check(request: Request) -> None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), key.encode()):
            raise HTTPException(401, "密钥无效 / the bearer key is missing or wrong", {"WWW-Authenticate": "Bearer"})

    return check


def _add_pay_files(app: FastAPI, book: Book, faults: Faults, wall_clock: WallClock, guarded: list) -> None:
    @app.post("/pay-files", dependencies=guarded)
    async def take_pay_file(request: Request) -> Response:
        content = await _bounded_body(request)
        return await run_in_threadpool(_take, book, faults, wall_clock, content)

    @app.get("/pay-files/{msg_id}", dependencies=guarded)
    def pay_file_status(msg_id: MsgId) -> Response:
        return _xml(messages.status_report(_known(book, msg_id)))

    @app.get("/pay-files/{msg_id}/report", dependencies=guarded)
    def pay_file_report(msg_id: MsgId) -> Response:
        return _xml(messages.status_report(_known(book, msg_id), book.transfers_of(msg_id)))


def _add_statements(app: FastAPI, book: Book, account: str, wall_clock: WallClock, guarded: list) -> None:
    @app.get("/statements", dependencies=guarded)
    def closed_days(after: Annotated[date, Query()]) -> dict[str, list[date]]:
        today = book.now(wall_clock()).date()
        return {"days": book.closed_days_with_entries(account, after, today)}

    @app.get("/statements/{day}", dependencies=guarded)
    def day_statement(day: date) -> Response:
        now = book.now(wall_clock())
        try:
            return _xml(messages.statement(book.statement_of(account, day, now.date()), now))
        except DayNotOver:
            raise HTTPException(404, "该日尚未结束 / that business day is not over") from None

    @app.get("/accounts/{name}/balance", dependencies=guarded)
    def balance(name: str) -> dict[str, str]:
        try:
            balance_fen = book.balance_fen(name, book.now(wall_clock()).date())
        except UnknownAccount:
            raise HTTPException(404, "没有此账户 / no such account") from None
        return {"account": name, "balance": f"{balance_fen // 100}.{balance_fen % 100:02d}", "currency": "CNY"}


def _add_test_helpers(app: FastAPI, book: Book, faults: Faults, wall_clock: WallClock, guarded: list) -> None:
    @app.get("/test-helpers/clock", dependencies=guarded)
    def read_clock() -> dict[str, datetime]:
        return {"now": book.now(wall_clock())}

    @app.post("/test-helpers/clock", dependencies=guarded)
    def put_clock(body: ClockBody) -> dict[str, datetime]:
        china = wall_clock().tzinfo
        try:
            book.put_clock(body.now.astimezone(china))
        except ClockWouldGoBack:
            raise HTTPException(409, "时钟只能向前 / the clock only moves forward") from None
        return {"now": book.now(wall_clock())}

    @app.post("/test-helpers/faults", status_code=204, dependencies=guarded)
    def plan_fault(body: FaultBody) -> None:
        faults.plan(Fault(body.next_pay_file, body.seconds) if body.next_pay_file else None)


def _take(book: Book, faults: Faults, wall_clock: WallClock, content: bytes) -> Response:
    file = _readable(content)
    fault = faults.take()
    if fault and fault.kind is FaultKind.REFUSE_503:
        raise HTTPException(503, "银行暂停服务 / the bank is closed for a moment")
    if fault and fault.kind is FaultKind.HANG_BEFORE_ACCEPT:
        faults.hang(fault.seconds)
    try:
        status = book.take_pay_file(file, content, book.now(wall_clock()))
    except MsgIdUsedForOtherBytes:
        raise HTTPException(409, "此 MsgId 已用于另一文件 / this MsgId was used for other bytes") from None
    if fault and fault.kind is FaultKind.ACCEPT_THEN_HANG:
        faults.hang(fault.seconds)
    return _xml(messages.status_report(status))


def _readable(content: bytes) -> PayFile:
    try:
        return read_pay_file(content)
    except PayFileUnreadable as error:
        raise HTTPException(400, f"报文无法读取 / unreadable message: {error}") from None


def _known(book: Book, msg_id: str) -> FileStatus:
    status = book.find_file(msg_id)
    if status is None:
        raise HTTPException(404, "没有此 MsgId 的文件 / no file with this MsgId")
    return status


async def _bounded_body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_PAY_FILE_BYTES:
            raise HTTPException(413, f"报文过大 / a pay file has at most {LARGEST_PAY_FILE_BYTES} bytes")
    return bytes(body)


def _xml(content: bytes) -> Response:
    return Response(content, media_type=XML)
