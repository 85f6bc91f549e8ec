"""A service's database as the runtime sees it: the eligibility schema, by its own role."""

from collections.abc import Iterator

import pytest

from services.eligibility.store.tables import runtime_tables
from services.shared.runtime.database import Database
from services.shared.runtime.tables import RuntimeTables


@pytest.fixture(scope="module")
def database(service_environment: dict[str, str]) -> Iterator[Database]:
    """The eligibility schema through its service's role."""
    database = Database(service_environment["DOUDI_ELIGIBILITY_DATABASE_URL"], "eligibility")
    yield database
    database.close()


@pytest.fixture(scope="module")
def tables() -> RuntimeTables:
    """The runtime's tables in that schema."""
    return runtime_tables
