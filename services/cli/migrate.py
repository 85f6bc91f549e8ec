"""`doudi migrate`: the one command that uses the owner's address."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from services.cli import embedded_postgres
from services.cli.migration import MigrationRefused, check_address
from services.cli.migration import migrate as migrate_server
from services.cli.output import console, print_json, refuse
from services.cli.provision import SERVICES, provision
from services.cli.shipped import SHIPPED
from services.shared.runtime.environment import DEFAULT_DATA_DIR


def data_dir() -> Path:
    """The folder of the generated keys, addresses and logs: DOUDI_DATA_DIR, or .data beside the code."""
    return Path(os.environ.get("DOUDI_DATA_DIR") or DEFAULT_DATA_DIR).absolute()


def owner_url(folder: Path) -> str:
    """The owner's address: DOUDI_DATABASE_URL, or that of the embedded server, which is started for it."""
    given = os.environ.get("DOUDI_DATABASE_URL")
    if given:
        return given.replace("postgres://", "postgresql://", 1).replace("postgresql://", "postgresql+psycopg://", 1)
    try:
        return embedded_postgres.start(folder).owner_url
    except embedded_postgres.EmbeddedPostgresError as error:
        refuse(str(error))


def bring_up_to_date(folder: Path) -> dict[str, str]:
    """Provision and migrate; the environment that every process of Doudi is started with."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _alone(folder):
            owner = owner_url(folder)
            check_address(owner)
            environment = provision(folder, owner, os.environ)
            addresses = {service: environment[f"DOUDI_{service.upper()}_DATABASE_URL"] for service in SERVICES}
            migrate_server(owner, addresses, SHIPPED)
    except MigrationRefused as refusal:
        refuse(str(refusal))
    except OSError as error:
        refuse(f"数据目录无法使用 / the data folder cannot be used: {folder}: {error.strerror}")
    return environment


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    # Of two that generate keys and passwords at once, one's would be in the file and the other's in the database.
    with (folder / "migrate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def migrate(as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False) -> None:
    """Bring the database to this version: roles, schemas, shipped packs and calendars. Safe to run again."""
    folder = data_dir()
    environment = bring_up_to_date(folder)
    if as_json:
        print_json({"data_dir": str(folder), "settings": sorted(environment)})
        return
    console.print(f"数据库已是当前版本；设置在 {folder}/doudi.env / The database is up to date; settings are there")
