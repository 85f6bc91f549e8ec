"""Death records as the departments stated them; a later statement stands beside the earlier, never over it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import insert

from services.monitoring.store.tables import death_records
from services.shared.runtime.database import Transaction
from services.shared.runtime.personal_data import PersonalData

COLUMN = "death_records.id_number"


@dataclass(frozen=True, slots=True)
class StoredDeath:
    """One record with its identity number sealed; `id_number_index` finds the same person again."""

    id: str
    batch_id: str
    row_number: int
    id_number_sealed: bytes
    id_number_index: bytes
    died_on: date
    source: str
    received_at: datetime

    def id_number(self, personal_data: PersonalData) -> str:
        """The number in clear. Raises PersonalDataUnreadable."""
        return personal_data.decrypt(COLUMN, self.id, self.id_number_sealed)


def insert_deaths(tx: Transaction, records: Sequence[StoredDeath]) -> None:
    """Keep the records."""
    if records:
        tx.execute(
            insert(death_records), [{n: getattr(r, n) for n in StoredDeath.__dataclass_fields__} for r in records]
        )
