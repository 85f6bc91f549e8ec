"""The schema `monitoring`: batches of feeds, death records, alerts and what payments answered."""

from alembic import op

from migrations.foundation import append_only, create_foundation

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
create table monitoring.feed_batches (
  id text primary key,
  feed text not null,
  partner text not null,
  region text not null,
  batch_no text not null,
  digest bytea not null,
  key_id text not null,
  as_of date not null,
  mode text not null,
  row_count integer not null,
  accepted_count integer not null,
  state text not null,
  answer bytea not null,
  received_at timestamptz not null,
  constraint feed_batch_number_is_used_once unique (partner, feed, batch_no),
  constraint feed_batch_digest_is_a_sha256 check (octet_length(digest) = 32),
  constraint feed_batch_is_full_or_delta check (mode in ('full', 'delta')),
  constraint feed_batch_state_is_known check (state in ('ACCEPTED', 'PARTIAL', 'RETURNED')),
  constraint feed_batch_accepts_no_more_than_it_has check (accepted_count between 0 and row_count),
  constraint feed_batch_region_is_a_code check (region ~ '^[0-9]{6}$')
);
create table monitoring.feed_nonces (
  key_id text not null,
  nonce text not null,
  received_at timestamptz not null,
  constraint feed_nonce_is_used_once primary key (key_id, nonce)
);
create table monitoring.death_records (
  id text primary key,
  batch_id text not null references monitoring.feed_batches (id),
  row_number integer not null,
  id_number_sealed bytea not null,
  id_number_index bytea not null,
  died_on date not null,
  source text not null,
  received_at timestamptz not null,
  constraint death_record_is_one_row_of_its_batch unique (batch_id, row_number),
  constraint death_record_row_counts_from_one check (row_number > 0),
  constraint death_record_index_is_sixteen_bytes check (octet_length(id_number_index) = 16)
);
create index death_records_by_person on monitoring.death_records (id_number_index);
create table monitoring.alerts (
  id text primary key,
  rule_id text not null,
  pack text not null,
  pack_version text not null,
  grade text not null,
  deadline_working_days integer not null,
  limit_on date not null,
  person_index bytea not null,
  death_record_id text not null references monitoring.death_records (id),
  region text not null,
  raised_at timestamptz not null,
  constraint alert_is_raised_once_for_a_person unique (rule_id, person_index),
  constraint alert_grade_is_known check (grade in ('red', 'orange', 'yellow', 'blue')),
  constraint alert_deadline_is_not_past check (deadline_working_days >= 0),
  constraint alert_region_is_a_code check (region ~ '^[0-9]{6}$')
);
create table monitoring.alert_answers (
  alert_id text primary key references monitoring.alerts (id),
  outcome text not null,
  holds jsonb not null,
  answered_at timestamptz not null,
  constraint alert_outcome_is_known check (outcome in ('HELD', 'NOT_ON_ROLL'))
);
"""


def upgrade() -> None:
    """Make the schema's tables; none of monitoring's own is ever updated or deleted from."""
    create_foundation("monitoring")
    op.execute(TABLES)
    append_only("monitoring", "feed_batches", "feed_nonces", "death_records", "alerts", "alert_answers")
