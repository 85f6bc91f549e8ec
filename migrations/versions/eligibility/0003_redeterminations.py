"""Redeterminations: recorded months anew, after a standard was raised for the past."""

from migrations.foundation import append_only, run_script

revision = "0003"
down_revision = "0002"

TABLES = """
create table eligibility.redeterminations (
  id text primary key,
  determination text not null,
  from_month date not null,
  until_month date not null,
  still_due_fen bigint not null,
  granted_too_much_fen bigint not null,
  answer bytea not null,
  redetermined_by text not null,
  event_id text not null,
  redetermined_at timestamptz not null,
  constraint redetermination_is_of_a_determination
    foreign key (determination) references eligibility.determinations (id),
  constraint redetermination_has_months check (until_month > from_month),
  constraint redetermination_sums_are_not_negative check (still_due_fen >= 0 and granted_too_much_fen >= 0)
);
create index redeterminations_of_a_determination on eligibility.redeterminations (determination);
"""


def upgrade() -> None:
    """Expand: a table of its own."""
    run_script(TABLES)
    append_only("eligibility", "redeterminations")
