"""DDL that all three histories begin with: the runtime's tables of 2026-11, the append-only guard and the grants."""

from alembic import op
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment

from services.shared.runtime.jobs import settings_for

RUNTIME_TABLES = """
create table {s}.audit_events (
  id bigint generated always as identity primary key,
  event_id text not null,
  entity text not null,
  entity_id text not null,
  action text not null,
  leaf bytea not null,
  written_by xid8 not null default pg_current_xact_id(),
  constraint audit_event_has_its_own_id unique (event_id)
);
create index audit_events_in_order_of_transactions on {s}.audit_events (written_by, id);
create table {s}.audit_leaves (
  leaf_index bigint primary key,
  audit_event bigint not null references {s}.audit_events (id),
  constraint audit_event_is_sealed_once unique (audit_event),
  constraint audit_leaf_index_counts_from_zero check (leaf_index >= 0)
);
create table {s}.audit_nodes (
  level smallint not null,
  position bigint not null,
  hash bytea not null,
  constraint audit_node_is_hashed_once primary key (level, position),
  constraint audit_node_is_a_sha256 check (octet_length(hash) = 32)
);
create table {s}.audit_checkpoints (
  size bigint primary key,
  note text not null,
  signed_at timestamptz not null
);
create table {s}.outbox_messages (
  id text primary key,
  kind text not null,
  entity_id text not null,
  created_at timestamptz not null,
  delivered_at timestamptz,
  parked_at timestamptz,
  tries integer not null default 0,
  last_failure text,
  constraint outbox_message_is_delivered_or_parked_not_both check (delivered_at is null or parked_at is null)
);
create table {s}.idempotency_keys (
  caller text not null,
  key text not null,
  fingerprint bytea not null,
  status smallint,
  answer bytea,
  created_at timestamptz not null,
  constraint idempotency_key_is_used_once primary key (caller, key),
  constraint idempotency_answer_is_whole check ((status is null) = (answer is null))
);
create table {s}.job_tries (
  job bigint primary key,
  tries integer not null
);
create table {s}.test_clock (
  number smallint primary key,
  now timestamptz not null,
  constraint test_clock_is_one check (number = 1)
);
grant select, insert, update on {s}.outbox_messages, {s}.test_clock to doudi_{s};
grant select, insert, update (status, answer) on {s}.idempotency_keys to doudi_{s};
grant select, insert, update, delete on {s}.job_tries to doudi_{s};
"""

REFUSE_CHANGE = """
create function {s}.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'rows of % are never changed', tg_table_name
    using errcode = 'integrity_constraint_violation', constraint = 'rows_are_never_changed';
end
$$;
"""

APPEND_ONLY = """
create trigger rows_are_never_changed before update or delete on {s}.{t}
  for each row execute function {s}.refuse_change();
create trigger rows_are_never_truncated before truncate on {s}.{t}
  for each statement execute function {s}.refuse_change();
grant select, insert on {s}.{t} to doudi_{s};
"""

JOB_GRANTS = """
grant select, insert, update, delete on {tables} to doudi_{s};
grant usage, select on all sequences in schema {s} to doudi_{s};
"""


def create_foundation(service: str) -> None:
    """Make what every service's schema begins with."""
    run_script(RUNTIME_TABLES.format(s=service))
    run_script(REFUSE_CHANGE.format(s=service))
    append_only(service, "audit_events", "audit_leaves", "audit_nodes", "audit_checkpoints")
    create_job_tables(service)


def run_script(script: str) -> None:
    """Run several statements as they stand: past SQLAlchemy, which would read signs in them as placeholders."""
    op.get_bind().connection.dbapi_connection.execute(script)


def append_only(service: str, *tables: str) -> None:
    """Let rows of `tables` be inserted and read, and never changed by anyone, their owner included."""
    for table in tables:
        run_script(APPEND_ONLY.format(s=service, t=table))


def create_job_tables(service: str) -> None:
    """PgQueuer's tables, as its installed version makes them, in the service's schema."""
    settings = settings_for(service)
    install = QueryBuilderEnvironment(settings=settings).build_install_query(create_schema=False)
    run_script(install)
    names = settings.qualified
    tables = (names.queue_table, names.queue_table_log, names.statistics_table, names.schedules_table)
    run_script(JOB_GRANTS.format(s=service, tables=", ".join(tables)))
