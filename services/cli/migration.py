"""Brings a server to the schema of this version: roles, three histories, and the data that ships."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from psycopg import sql
from sqlalchemy import Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, OperationalError

from services.cli.provision import SERVICES

ROOT = Path(__file__).resolve().parents[2]
ROLES_SQL = ROOT / "deploy" / "database" / "roles.sql"
MIGRATION_LOCK = 0x0D0D2
"""Advisory lock: of two that migrate at once the second waits, and then finds nothing to do."""

CONNECT_SECONDS = 5


class MigrationRefused(Exception):
    """The server cannot be brought up to date; the message says why and what to do, in one line (zh and en)."""


ShippedData = Callable[[Connection], None]


def migrate(owner_url: str, addresses: Mapping[str, str], shipped: Mapping[str, ShippedData]) -> None:
    """Make roles and schemas, run every history to its head and load each service's shipped data.

    `addresses` are the services' own database addresses: where one does not work, its role gets the password in it.
    Safe to run again. Raises MigrationRefused when the server is away, refuses the owner or allows him too little.
    """
    engine = _reachable(owner_url)
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


def check_address(owner_url: str) -> None:
    """Raise MigrationRefused unless the owner can log in with `owner_url` now."""
    _reachable(owner_url).dispose()


def _reachable(owner_url: str) -> Engine:
    try:
        engine = create_engine(owner_url, hide_parameters=True, connect_args={"connect_timeout": CONNECT_SECONDS})
        engine.connect().close()
    except (ArgumentError, OperationalError, ImportError):
        raise MigrationRefused(
            "连不上数据库，请检查 DOUDI_DATABASE_URL（postgresql://所有者:密码@主机/库） / "
            "the database cannot be reached: check DOUDI_DATABASE_URL (postgresql://owner:password@host/database)"
        ) from None
    return engine


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
    try:
        raw.execute(ROLES_SQL.read_text(encoding="utf-8"))
        _give_passwords(raw, [address for address in addresses.values() if not _works(address)])
    except psycopg.errors.InsufficientPrivilege:
        raise MigrationRefused(
            "数据库所有者无权建立角色或模式：见 deploy/database/roles.sql / "
            "the database's owner may not make roles or schemas: see deploy/database/roles.sql"
        ) from None


def _works(address: str) -> bool:
    dsn = make_url(address).set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        psycopg.connect(dsn, connect_timeout=CONNECT_SECONDS).close()
    except psycopg.OperationalError:
        return False
    return True


def _give_passwords(raw: Any, addresses: Sequence[str]) -> None:
    for url in map(make_url, addresses):
        if not (url.username and url.password):
            raise MigrationRefused("服务的数据库地址须有用户和密码 / a service's address has a user and a password")
        # Its verifier and not the password, which a server that logs statements would keep.
        verifier = raw.pgconn.encrypt_password(url.password.encode(), url.username.encode(), b"scram-sha-256").decode()
        give = sql.SQL("alter role {} login password {}")
        raw.execute(give.format(sql.Identifier(url.username), sql.Literal(verifier)))


def _upgrade(connection: Connection, service: str) -> None:
    command.upgrade(alembic_config(connection, service), "head")
