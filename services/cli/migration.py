"""Brings a server to the schema of this version: roles, three histories, and the data that ships."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from psycopg import sql
from sqlalchemy import Connection, create_engine, make_url, text

from services.cli.provision import SERVICES

ROOT = Path(__file__).resolve().parents[2]
ROLES_SQL = ROOT / "deploy" / "database" / "roles.sql"
MIGRATION_LOCK = 0x0D0D2
"""Advisory lock: of two that migrate at once the second waits, and then finds nothing to do."""

ShippedData = Callable[[Connection], None]


def migrate(owner_url: str, addresses: Mapping[str, str], shipped: Mapping[str, ShippedData]) -> None:
    """Make roles and schemas, run every history to its head and load each service's shipped data.

    `addresses` are the services' own database addresses: their roles get the passwords in them. Safe to run again.
    """
    engine = create_engine(owner_url, hide_parameters=True)
    with engine.connect() as guard:
        guard.execute(text("select pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
        with engine.begin() as connection:
            _make_roles(connection, addresses)
        for service in SERVICES:
            with engine.begin() as connection:
                _upgrade(connection, service)
            if service in shipped:
                with engine.begin() as connection:
                    shipped[service](connection)
    engine.dispose()


def alembic_config(connection: Connection, service: str) -> Config:
    """Alembic's settings for one service's history on `connection`."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.set_main_option("version_locations", str(ROOT / "migrations" / "versions" / service))
    config.set_main_option("path_separator", "os")
    config.attributes.update(connection=connection, service=service)
    return config


def _make_roles(connection: Connection, addresses: Mapping[str, str]) -> None:
    # Past SQLAlchemy, which would read the script's percent signs as placeholders.
    raw: Any = connection.connection.dbapi_connection
    raw.execute(ROLES_SQL.read_text(encoding="utf-8"))
    for address in addresses.values():
        url = make_url(address)
        assert url.username and url.password
        # Its verifier and not the password, which a server that logs statements would keep.
        verifier = raw.pgconn.encrypt_password(url.password.encode(), url.username.encode(), b"scram-sha-256").decode()
        give = sql.SQL("alter role {} login password {}")
        raw.execute(give.format(sql.Identifier(url.username), sql.Literal(verifier)))


def _upgrade(connection: Connection, service: str) -> None:
    command.upgrade(alembic_config(connection, service), "head")
