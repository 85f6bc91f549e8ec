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
    with create_engine(postgres.owner_url, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text(f"create database {name}"))
        yield postgres.owner_url.replace("@/doudi?", f"@/{name}?")
        connection.execute(text(f"drop database {name} with (force)"))
