"""What each service promises beside its code: callers, a catalogue, an agreed API, documented settings and units."""

import inspect
import re
import string
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from services.cli import reference
from services.shared.runtime.environment import CommonSettings
from services.shared.runtime.problems import FAULT, HTTP_PROBLEMS, OTHER_HTTP, SHARED_PROBLEMS
from tests.architecture import snapshots
from tests.architecture.house import ROOT, SERVICES, app_of, catalogue_of, modules_of, settings_of

OPEN_TO_ALL = {
    "/{service}/v1/health": "says that the process lives",
    "/{service}/v1/ready": "says whether it can work",
    "/{service}/docs": "documentation",
    "/docs/oauth2-redirect": "documentation",
    "/{service}/openapi.json": "documentation",
    "/{service}/static": "documentation",
    "/{service}/problems": "what each error means",
    "/{service}/problems/{code}": "what each error means",
}
"""Paths that need no token, and why; every other route has a caller."""

OPEN_HERE = {"monitoring": {"/monitoring/v1/feeds/deaths/schema": "what a department is to send; documentation"}}
"""The same, of one service."""

KNOWN_BY_SIGNATURE = {"monitoring": {"/monitoring/v1/feeds/deaths/batches": "signed_body"}}
"""Paths whose caller is known by the signature of the message: the dependency that verifies it."""

WRITES_WITHOUT_KEY = {
    "eligibility": {
        "/eligibility/v1/simulations": "records nothing",
        "/eligibility/v1/determinations/{determination_id}/replay": "records nothing",
    },
    "monitoring": {"/monitoring/v1/feeds/deaths/batches": "the batch's number and digest are its key"},
}
"""POSTs that need no Idempotency-Key, and why."""

NEVER_ANSWERED = {
    "eligibility": {
        "_OutOfRuns": "ends a bounded search inside the domain",
        "NotAtOnce": "the work is handed to a thread and answered from there",
        "CliffsRefused": "`doudi simulate --cliffs` says so and ends",
        "TooManyLines": "`doudi simulate --cliffs` says so and ends",
        "OverlayRefused": "the simulation over a population has failed, or `doudi simulate` says so and ends",
        "PopulationUnfit": "the simulation over a population has failed, or `doudi simulate` says so and ends",
        "_Failed": "a job's; the simulation over a population has failed and says why",
        "_TakenUp": "a job's; another worker goes on",
        "ScreeningRefused": "`doudi screen` says so and ends",
        "ScreeningStopped": "`doudi screen` says so and ends",
    },
    "monitoring": {"SignalPackInvalid": "raised when the process starts"},
    "payments": {
        "EndToEndIdInvalid": "a line of the bank's; becomes an exception for a person",
        "PayFileStepRefused": "a job's; the job is tried again or held",
        "PayFileBytesDiffer": "a job's; the job is held",
        "BankUnavailable": "a job's; the job comes again",
        "BankRefusedFile": "a job's; the file is refused",
        "BankMessageInvalid": "a job's; becomes an exception for a person",
        "PaymentPackInvalid": "raised when the process starts",
    },
}
"""Errors of a service that no request meets, and what becomes of them instead."""

HARDENED = (
    "NoNewPrivileges=yes",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "PrivateTmp=yes",
    "CapabilityBoundingSet=",
    "EnvironmentFile=/etc/doudi/doudi.env",
    "Restart=always",
)


def routes_of(service: str) -> Iterator[Any]:
    """Every route, as it is reached: path, methods and dependencies."""
    for route in app_of(service).routes:
        contexts = getattr(route, "effective_route_contexts", None)
        yield from contexts() if contexts else [route]


def open_paths_of(service: str) -> set[str]:
    return {path.replace("{service}", service) for path in OPEN_TO_ALL} | OPEN_HERE.get(service, {}).keys()


def dependencies_of(dependant: Any) -> Iterator[Callable[..., Any]]:
    for inner in dependant.dependencies:
        yield inner.call
        yield from dependencies_of(inner)


def actions_of(route: Any) -> list[str]:
    calls = dependencies_of(route.dependant) if getattr(route, "dependant", None) else ()
    return [call.action for call in calls if hasattr(call, "action")]  # type: ignore[attr-defined]


@pytest.mark.parametrize("service", SERVICES)
def test_every_route_has_a_caller_or_is_on_the_list(service):
    is_open = open_paths_of(service)
    unknown = [
        f"{route.path} {sorted(getattr(route, 'methods', None) or [])}"
        for route in routes_of(service)
        if route.path not in is_open and not actions_of(route) and not verifies_a_signature(service, route)
    ]
    assert unknown == []
    assert len(list(routes_of(service))) > len(is_open)


def verifies_a_signature(service: str, route: Any) -> bool:
    verifier = KNOWN_BY_SIGNATURE.get(service, {}).get(route.path)
    return verifier in [call.__name__ for call in dependencies_of(route.dependant)]


@pytest.mark.parametrize("service", SERVICES)
def test_every_route_of_the_list_exists(service):
    """A list that names what is gone would hide what comes back under the name."""
    paths = {route.path for route in routes_of(service)}
    assert open_paths_of(service) <= paths
    assert set(KNOWN_BY_SIGNATURE.get(service, ())) <= paths


@pytest.mark.parametrize("service", SERVICES)
def test_every_action_of_a_route_is_in_the_table_of_permissions(service):
    table = app_of(service).state.permissions
    used = {action for route in routes_of(service) for action in actions_of(route)}
    assert used <= table.keys()
    files = (ROOT / "services" / service).rglob("*.py")
    sources = "".join(file.read_text("utf-8") for file in files if file.name != "permission.py")
    elsewhere = {action for action in table if f'"{action}"' in sources}
    assert table.keys() - used - elsewhere - {"set_test_clock"} == set()


@pytest.mark.parametrize("service", SERVICES)
def test_every_write_is_a_post_with_an_idempotency_key_or_on_the_list(service):
    """What is written stays, so there is nothing to put or delete."""
    without = set()
    for path, operations in app_of(service).openapi()["paths"].items():
        assert operations.keys() <= {"get", "post"}, path
        headers = {parameter["name"] for parameter in operations.get("post", {}).get("parameters", ())}
        if "post" in operations and "Idempotency-Key" not in headers:
            without.add(path)
    assert without == WRITES_WITHOUT_KEY.get(service, {}).keys()


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_has_a_name_of_its_own(service):
    paths = app_of(service).openapi()["paths"].values()
    names = [operation["operationId"] for operations in paths for operation in operations.values()]
    assert len(names) == len(set(names))
    assert [name for name in names if not re.fullmatch(r"[a-z]+(-[a-z]+)*", name)] == []


def errors_of(service: str) -> Iterator[type[Exception]]:
    for module in modules_of(service):
        for value in vars(module).values():
            if inspect.isclass(value) and issubclass(value, Exception) and value.__module__ == module.__name__:
                yield value


@pytest.mark.parametrize("service", SERVICES)
def test_every_error_is_in_the_catalogue_or_never_answered(service):
    catalogue = {**SHARED_PROBLEMS, **catalogue_of(service)}
    answered = {error.__name__ for error in errors_of(service) if set(error.__mro__) & catalogue.keys()}
    every = {error.__name__ for error in errors_of(service)}
    assert every - answered == set(NEVER_ANSWERED[service])


@pytest.mark.parametrize("service", SERVICES)
def test_each_problem_has_its_own_code_and_both_languages(service):
    domain = {**SHARED_PROBLEMS, **catalogue_of(service)}
    rows = [*domain.values(), *HTTP_PROBLEMS.values(), OTHER_HTTP, FAULT]
    codes = [row.code for row in rows]
    assert len(codes) == len(set(codes))
    for row in rows:
        assert re.fullmatch(r"[a-z][a-z0-9_]{2,59}", row.code)
        assert 400 <= row.status <= 599
        for text in (row.zh, row.remedy_zh):
            assert re.search(r"[\u4e00-\u9fff]", text), row.code
        for text in (row.en, row.remedy_en):
            assert text and not re.search(r"[\u4e00-\u9fff]", text), row.code


@pytest.mark.parametrize("service", SERVICES)
def test_what_a_problem_says_of_its_error_the_error_has(service):
    """A text with a field that the error lacks would fail while answering."""
    for error, row in {**SHARED_PROBLEMS, **catalogue_of(service)}.items():
        named = {name for text in (row.zh, row.en) for _, name, _, _ in string.Formatter().parse(text) if name}
        assert named <= public_fields(error), row.code


def public_fields(error: type[Exception]) -> set[str]:
    if is_dataclass(error):
        return {field.name for field in fields(error)}
    return set(re.findall(r"self\.([a-z]\w*)\b", inspect.getsource(error)))


@pytest.mark.parametrize("service", SERVICES)
def test_every_constraint_that_stands_for_an_error_exists(service):
    from importlib import import_module

    metadata = import_module(f"services.{service}.store.tables").metadata
    names = {item.name for table in metadata.tables.values() for item in (*table.constraints, *table.indexes)}
    names |= {f"{table.name}_pkey" for table in metadata.tables.values()}
    shipped = "".join(file.read_text("utf-8") for file in (ROOT / "migrations").rglob("*.py"))
    constraints = import_module(f"services.{service}.errors").CONSTRAINTS
    assert [name for name in constraints if name not in names and name not in shipped] == []


@pytest.mark.parametrize("service", SERVICES)
def test_the_api_is_the_one_that_was_agreed(service):
    assert not snapshots.is_stale(service), "python -m tests.architecture.snapshots --update, and say why in the commit"


@pytest.mark.parametrize("path", reference.pages(), ids=lambda path: path.name)
def test_the_reference_pages_are_what_the_code_makes(path):
    assert path.read_text("utf-8") == reference.pages()[path], "python -m services.cli.reference"


@pytest.mark.parametrize("service", ["", *SERVICES])
def test_every_setting_is_described_in_the_documents_and_in_deploy(service):
    kind = settings_of(service) if service else CommonSettings
    page = (ROOT / "docs" / "reference" / "settings.md").read_text("utf-8")
    example = (ROOT / "deploy" / "systemd" / f"{service or 'doudi'}.env.example").read_text("utf-8")
    for name, field in kind.model_fields.items():
        variable = f"{kind.model_config['env_prefix']}{name}".upper()
        assert field.description, variable
        assert f"`{variable}`" in page
        assert re.search(rf"^#?{variable}=", example, re.MULTILINE), variable


@pytest.mark.parametrize("command", ["serve", "worker"])
@pytest.mark.parametrize("service", SERVICES)
def test_every_process_has_its_hardened_unit(service, command):
    suffix = "" if command == "serve" else "-worker"
    unit = (ROOT / "deploy" / "systemd" / f"doudi-{service}{suffix}.service").read_text("utf-8").splitlines()
    assert f"ExecStart=/opt/doudi/.venv/bin/python -m services.{service} {command}" in unit
    assert f"User=doudi-{service}" in unit and f"EnvironmentFile=/etc/doudi/{service}.env" in unit
    assert [line for line in HARDENED if line not in unit] == []
    others = [other for other in SERVICES if other != service]
    assert not any(other in line for line in unit for other in others)
