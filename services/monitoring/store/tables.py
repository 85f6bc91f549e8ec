"""The tables of the schema `monitoring`; every one but the runtime's is append-only."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.shared.runtime.tables import RuntimeTables, instant

metadata = MetaData(schema="monitoring")
runtime_tables = RuntimeTables(metadata)

feed_batches = Table(
    "feed_batches",
    metadata,
    Column("id", Text, primary_key=True),
    Column("feed", Text, nullable=False),
    Column("partner", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("batch_no", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("as_of", Date, nullable=False),
    Column("mode", Text, nullable=False),
    Column("row_count", Integer, nullable=False),
    Column("accepted_count", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    instant("received_at"),
    UniqueConstraint("partner", "feed", "batch_no", name="feed_batch_number_is_used_once"),
    CheckConstraint("octet_length(digest) = 32", name="feed_batch_digest_is_a_sha256"),
    CheckConstraint("mode in ('full', 'delta')", name="feed_batch_is_full_or_delta"),
    CheckConstraint("state in ('ACCEPTED', 'PARTIAL', 'RETURNED')", name="feed_batch_state_is_known"),
    CheckConstraint("accepted_count between 0 and row_count", name="feed_batch_accepts_no_more_than_it_has"),
    CheckConstraint("region ~ '^[0-9]{6}$'", name="feed_batch_region_is_a_code"),
)

feed_nonces = Table(
    "feed_nonces",
    metadata,
    Column("key_id", Text, nullable=False),
    Column("nonce", Text, nullable=False),
    instant("received_at"),
    PrimaryKeyConstraint("key_id", "nonce", name="feed_nonce_is_used_once"),
)

death_records = Table(
    "death_records",
    metadata,
    Column("id", Text, primary_key=True),
    Column("batch_id", Text, ForeignKey(feed_batches.c.id), nullable=False),
    Column("row_number", Integer, nullable=False),
    Column("id_number_sealed", LargeBinary, nullable=False),
    Column("id_number_index", LargeBinary, nullable=False),
    Column("died_on", Date, nullable=False),
    Column("source", Text, nullable=False),
    instant("received_at"),
    UniqueConstraint("batch_id", "row_number", name="death_record_is_one_row_of_its_batch"),
    CheckConstraint("row_number > 0", name="death_record_row_counts_from_one"),
    CheckConstraint("octet_length(id_number_index) = 16", name="death_record_index_is_sixteen_bytes"),
    Index("death_records_by_person", "id_number_index"),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("rule_id", Text, nullable=False),
    Column("pack", Text, nullable=False),
    Column("pack_version", Text, nullable=False),
    Column("grade", Text, nullable=False),
    Column("deadline_working_days", Integer, nullable=False),
    Column("limit_on", Date, nullable=False),
    Column("person_index", LargeBinary, nullable=False),
    Column("death_record_id", Text, ForeignKey(death_records.c.id), nullable=False),
    Column("region", Text, nullable=False),
    instant("raised_at"),
    UniqueConstraint("rule_id", "person_index", name="alert_is_raised_once_for_a_person"),
    CheckConstraint("grade in ('red', 'orange', 'yellow', 'blue')", name="alert_grade_is_known"),
    CheckConstraint("deadline_working_days >= 0", name="alert_deadline_is_not_past"),
    CheckConstraint("region ~ '^[0-9]{6}$'", name="alert_region_is_a_code"),
)

alert_answers = Table(
    "alert_answers",
    metadata,
    Column("alert_id", Text, ForeignKey(alerts.c.id), primary_key=True),
    Column("outcome", Text, nullable=False),
    Column("holds", JSONB, nullable=False),
    instant("answered_at"),
    CheckConstraint("outcome in ('HELD', 'NOT_ON_ROLL')", name="alert_outcome_is_known"),
)
