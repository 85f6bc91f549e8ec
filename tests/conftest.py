"""Fixtures that every test may use: one PostgreSQL for the whole run, a fresh database for each module."""

import itertools
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from services.cli import embedded_postgres
from services.cli.migration import migrate
from services.cli.provision import SERVICES, provision
from services.cli.shipped import SHIPPED

# Ends the server when its input ends: when the fixture closes it, and when pytest is killed, which runs no fixture.
STOP_AT_END_OF_INPUT = """
import shutil, sys
from pathlib import Path
from services.cli import embedded_postgres
from services.cli.migration import migrate
from services.cli.provision import SERVICES, provision
from services.cli.shipped import SHIPPED
sys.stdin.read()
embedded_postgres.stop(Path(sys.argv[1]))
shutil.rmtree(sys.argv[1], ignore_errors=True)
"""

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[embedded_postgres.Server]:
    """The run's own server, in a temporary folder."""
    folder = tempfile.mkdtemp(prefix="doudi-test-")  # not tmp_path: its names can be too long for a socket
    stopper = subprocess.Popen(
        [sys.executable, "-c", STOP_AT_END_OF_INPUT, folder], stdin=subprocess.PIPE, start_new_session=True
    )
    try:
        yield embedded_postgres.start(Path(folder))
    finally:
        stopper.communicate(timeout=120)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def owner_url(postgres: embedded_postgres.Server) -> Iterator[str]:
    """The owner's address (SQLAlchemy, psycopg) of an empty database that this module has to itself."""
    name = f"test_{next(_numbers)}"
    with create_engine(postgres.owner_url, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text(f"create database {name}"))
        yield postgres.owner_url.replace("@/doudi?", f"@/{name}?")
        connection.execute(text(f"drop database {name} with (force)"))


@pytest.fixture(scope="module")
def service_environment(owner_url: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of services on a freshly migrated database: addresses, keys, a test clock that is not set."""
    data_dir = tmp_path_factory.mktemp("data")
    environment = provision(data_dir, owner_url, {})
    addresses = {service: environment[f"DOUDI_{service.upper()}_DATABASE_URL"] for service in SERVICES}
    migrate(owner_url, addresses, SHIPPED)
    return {**environment, "DOUDI_DATA_DIR": str(data_dir), "DOUDI_TEST_CLOCK": "true"}


@pytest.fixture(scope="module")
def configured(service_environment: dict[str, str]) -> Iterator[dict[str, str]]:
    """The same, standing in this process's environment while the module runs, so that settings are read from it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in service_environment.items():
            patch.setenv(name, value)
        yield service_environment
