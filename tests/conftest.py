"""Fixtures that every test may use: one PostgreSQL for the whole run, a fresh database for each module."""

import itertools
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from services.cli import embedded_postgres

# Ends the server when its input ends: when the fixture closes it, and when pytest is killed, which runs no fixture.
STOP_AT_END_OF_INPUT = """
import shutil, sys
from pathlib import Path
from services.cli import embedded_postgres
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
    with psycopg.connect(libpq_address(postgres.owner_url), autocommit=True) as connection:
        connection.execute(f"create database {name}")
        yield postgres.owner_url.replace("@/doudi?", f"@/{name}?")
        connection.execute(f"drop database {name} with (force)")


def libpq_address(url: str) -> str:
    """The same address without SQLAlchemy's driver name, as psycopg itself reads it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)
