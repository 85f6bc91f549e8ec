"""The house as its tests look at it: its services, found by import, with what each of them offers."""

import inspect
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

from fastapi import FastAPI

from services.cli.provision import provision
from services.shared.runtime.environment import ServiceSettings, read_configuration
from services.shared.runtime.problems import Catalogue

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("eligibility", "monitoring", "payments")
"""Written down, so that one that can no longer be imported is missed."""

NOWHERE = "postgresql+psycopg://postgres:unused@/doudi?host=/nonexistent&port=5432"


def settings_of(service: str) -> type[ServiceSettings]:
    """The service's own settings."""
    module = import_module(f"services.{service}.settings")
    [kind] = [
        value
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, ServiceSettings) and value is not ServiceSettings
    ]
    return kind


def catalogue_of(service: str) -> Catalogue:
    """The problems that the service's errors are."""
    return import_module(f"services.{service}.errors").CATALOGUE


def modules_of(service: str) -> Iterator[ModuleType]:
    """Every module of the service but its process, which runs when it is imported."""
    for file in sorted((ROOT / "services" / service).rglob("*.py")):
        name = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        if not name.endswith("__main__"):
            yield import_module(name)


@cache
def app_of(service: str) -> FastAPI:
    """The service's application as production has it, without the test clock; its database is nowhere."""
    with _environment():
        return import_module(f"services.{service}.app").create_app(read_configuration(settings_of(service)))


@contextmanager
def _environment() -> Iterator[None]:
    with tempfile.TemporaryDirectory() as folder:
        given = {name: value for name, value in os.environ.items() if not name.startswith("DOUDI_")}
        made = provision(Path(folder), NOWHERE, {})
        with patch.dict(os.environ, {**given, **made, "DOUDI_DATA_DIR": folder}, clear=True):
            yield
