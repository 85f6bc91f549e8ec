"""`doudi doctor`: what is configured (masked), what works, and what is missing, each with what to do."""

import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError

from services.cli.migrate import data_dir
from services.cli.output import console, print_json, print_table
from services.cli.provision import PORTS, SERVICES, read_environment_file
from services.shared.runtime.callers import TrustedKeys, UntrustedKeys
from services.shared.runtime.environment import CommonSettings, environment_file

CONNECT_SECONDS = 3
KEY_FILES = ("SIGNING_KEY_FILE", "LOG_KEY_FILE", "PERSONAL_DATA_KEY_FILE")
PARKED_MESSAGES = text("select count(*) from outbox_messages where parked_at is not null")
HELD_JOBS = text("select count(*) from pgqueuer where status = 'failed'")


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
    environment = read_environment_file(folder)
    file = environment_file()
    yield Finding(f"{file}", bool(environment), f"{len(environment)} settings", "" if environment else "doudi migrate")
    common = CommonSettings(_env_file=file)  # type: ignore[call-arg]  # pydantic-settings takes it beside the fields
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
    yield _tried(f"{prefix}_DATABASE_URL", lambda: _look_at_database(url, service), (DBAPIError, ArgumentError))
    for name in KEY_FILES:
        path = environment.get(f"{prefix}_{name}", "")
        yield Finding(f"{prefix}_{name}", bool(path) and Path(path).is_file(), path or "—", "doudi migrate")
    port = int(environment.get(f"{prefix}_PORT", PORTS[service]))
    yield Finding(f"{prefix}_PORT", True, f"{port} ({'in use' if _answers(common.host, port) else 'free'})")


def _look_at_database(url: str, service: str) -> str:
    engine = create_engine(
        url, connect_args={"connect_timeout": CONNECT_SECONDS, "options": f"-c search_path={service}"}
    )
    try:
        with engine.connect() as connection:
            parked, held = (connection.execute(query).scalar_one() for query in (PARKED_MESSAGES, HELD_JOBS))
    finally:
        engine.dispose()
    masked = make_url(url).render_as_string(hide_password=True)
    return f"{masked}; parked messages {parked}, held jobs {held}"


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
