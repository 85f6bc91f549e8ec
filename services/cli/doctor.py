"""`doudi doctor`: what is configured (masked), what works, and what is missing, each with what to do."""

import os
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from sqlalchemy import MetaData, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from services.cli.migrate import data_dir
from services.cli.output import console, print_json, print_table
from services.cli.provision import PORTS, SERVICES, read_environment_file
from services.shared.runtime import jobs, outbox
from services.shared.runtime.callers import TrustedKeys, UntrustedKeys
from services.shared.runtime.database import Database, DatabaseUnavailable
from services.shared.runtime.environment import CommonSettings, environment_file
from services.shared.runtime.tables import RuntimeTables

CONNECT_SECONDS = 3
KEY_FILES = ("SIGNING_KEY_FILE", "LOG_KEY_FILE", "PERSONAL_DATA_KEY_FILE")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `remedy` says what to do where it is not well."""

    what: str
    is_well: bool
    found: str
    remedy: str = ""


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False) -> None:
    """Say what is configured (secrets masked) and what is missing; exit 1 when something is."""
    findings = list(examine(data_dir()))
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        rows = [("✓", f.what, f.found, "") if f.is_well else ("✗", f.what, f.found, f.remedy) for f in findings]
        print_table("doudi doctor", ("", "项目 / what", "现状 / found", "处理 / remedy"), rows)
    ill = sum(not finding.is_well for finding in findings)
    if ill:
        console.print(f"{ill} 项需要处理 / {ill} to put right") if not as_json else None
        raise SystemExit(1)


def examine(folder: Path) -> Iterator[Finding]:
    """Look at everything, in the order in which it is needed."""
    yield Finding("Python", (3, 11) <= sys.version_info[:2] <= (3, 13), sys.version.split()[0], "3.11–3.13")
    environment = {**read_environment_file(folder), **os.environ}
    file = environment_file()
    yield Finding(f"{file}", file.is_file(), "有 / there" if file.is_file() else "无 / not there", "doudi migrate")
    try:
        common = CommonSettings(_env_file=file)  # type: ignore[call-arg]  # pydantic-settings takes it beside the fields
    except ValidationError as error:
        names = ", ".join(f"DOUDI_{problem['loc'][0]}".upper() for problem in error.errors(include_input=False))
        yield Finding(names, False, "不是允许的值 / not an allowed value", "docs/reference/settings.md")
        return
    yield Finding("DOUDI_MODE", True, common.mode)
    is_safe = common.mode == "development" or not common.test_clock
    yield Finding("DOUDI_TEST_CLOCK", is_safe, str(common.test_clock), "" if is_safe else "unset it in production")
    yield _trusted_keys(common)
    for service in SERVICES:
        yield from _service(service, environment, common)


def _trusted_keys(common: CommonSettings) -> Finding:
    def look() -> str:
        assert common.trusted_keys_file is not None
        TrustedKeys.read(common.trusted_keys_file, common.mode == "production")
        return str(common.trusted_keys_file)

    return _tried("DOUDI_TRUSTED_KEYS_FILE", look, (AssertionError, OSError, ValueError, KeyError, UntrustedKeys))


def _service(service: str, environment: dict[str, str], common: CommonSettings) -> Iterator[Finding]:
    prefix = f"DOUDI_{service.upper()}"
    url = environment.get(f"{prefix}_DATABASE_URL", "")
    yield from _database(f"{prefix}_DATABASE_URL", url, service)
    for name in KEY_FILES:
        path = environment.get(f"{prefix}_{name}", "")
        yield Finding(f"{prefix}_{name}", bool(path) and Path(path).is_file(), path or "—", "doudi migrate")
    port = environment.get(f"{prefix}_PORT", str(PORTS[service]))
    if not port.isdecimal() or not 0 < int(port) < 65_536:
        yield Finding(f"{prefix}_PORT", False, "不是端口 / not a port", "1–65535")
        return
    yield Finding(
        f"{prefix}_PORT", True, f"{port} {'占用 / in use' if _answers(common.host, int(port)) else '空闲 / free'}"
    )


def _database(setting: str, url: str, service: str) -> Iterator[Finding]:
    """Whether the service's role gets in, and what waits there for a person."""
    tables = RuntimeTables(MetaData(schema=service))
    try:
        database = Database(url, service)
        parked, held = database.read(outbox.count_parked, tables), len(database.read(jobs.list_held, service))
        database.close()
    except (DatabaseUnavailable, DBAPIError, ArgumentError) as error:
        # The type alone: a driver's message may name the address with its password.
        away = f"连接不上 / not reached ({type(error).__name__})"
        yield Finding(setting, False, away, "启动服务器：doudi run；建库：doudi migrate / start it, or migrate")
        return
    yield Finding(setting, True, make_url(url).render_as_string(hide_password=True))
    waiting = f"{parked} 条消息、{held} 个任务搁置 / {parked} messages and {held} jobs wait for a person"
    yield Finding(
        f"{service}: outbox, jobs", parked + held == 0, waiting, "查明原因后 doudi retry / mend the cause, then"
    )


def _tried(what: str, look: Callable[[], str], expected: tuple[type[Exception], ...]) -> Finding:
    try:
        return Finding(what, True, look())
    except expected as error:
        # The type alone: a driver's message may name the address with its password.
        return Finding(what, False, type(error).__name__, "doudi migrate; see docs/reference/settings.md")


def _answers(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(CONNECT_SECONDS)
        return probe.connect_ex((host, port)) == 0
