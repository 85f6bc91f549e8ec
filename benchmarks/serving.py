"""A PostgreSQL and an eligibility service of two processes of their own, in a temporary folder, to be measured."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.load import free_port, wait_ready
from services.cli import embedded_postgres
from services.cli.migrate import owner_url
from services.cli.migration import ShippedData, migrate
from services.cli.provision import SERVICES, provision
from services.cli.shipped import SHIPPED, load_policy_packs

PROCESSES = 2


@dataclass(frozen=True, slots=True)
class Serving:
    """Where a service listens, and the processes whose CPU time is read: its own, and its database's if it has one."""

    port: int
    service: int
    postmaster: int | None


@contextmanager
def eligibility_serving(packs: Path | None = None) -> Iterator[Serving]:
    """The service with the packs that ship, or with those of a folder; all ends with the block."""
    with tempfile.TemporaryDirectory(prefix="doudi-bench-") as temporary:
        folder = Path(temporary)
        os.environ["DOUDI_DATA_DIR"] = temporary
        try:
            with _served(_migrated(folder, packs), folder) as serving:
                yield serving
        finally:
            embedded_postgres.stop(folder)
            del os.environ["DOUDI_DATA_DIR"]


def _migrated(folder: Path, packs: Path | None) -> dict[str, str]:
    owner = owner_url(folder)
    environment = provision(folder, owner, os.environ)
    addresses = {service: environment[f"DOUDI_{service.upper()}_DATABASE_URL"] for service in SERVICES}
    shipped: dict[str, ShippedData] = dict(SHIPPED)
    if packs is not None:
        shipped["eligibility"] = partial(load_policy_packs, folder=packs)
    migrate(owner, addresses, shipped)
    return environment


@contextmanager
def _served(environment: dict[str, str], folder: Path) -> Iterator[Serving]:
    port = free_port()
    settings = {**os.environ, **environment, "DOUDI_ELIGIBILITY_PORT": str(port), "DOUDI_LOG_LEVEL": "WARNING"}
    argv = [sys.executable, "-m", "services.eligibility", "serve", "--workers", str(PROCESSES)]
    service = subprocess.Popen(argv, env=settings, start_new_session=True)
    try:
        wait_ready(port)
        postmaster = int((folder / "postgres" / "cluster" / "postmaster.pid").read_text().split("\n")[0])
        yield Serving(port, service.pid, postmaster)
    finally:
        service.terminate()
        service.wait(30)
