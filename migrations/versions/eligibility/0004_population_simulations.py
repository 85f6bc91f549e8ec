"""Reforms simulated over whole populations: what was asked, for ever, and how far the work is."""

from migrations.foundation import append_only, run_script

revision = "0004"
down_revision = "0003"

TABLES = """
create table eligibility.population_simulations (
  id text primary key,
  population text not null,
  identity text not null,
  as_of date not null,
  region_level text not null,
  reform jsonb not null,
  packs jsonb not null,
  requested_by text not null,
  event_id text not null,
  requested_at timestamptz not null,
  constraint population_simulation_has_a_level_of_regions
    check (region_level in ('province', 'prefecture', 'county'))
);
create index population_simulations_in_order_of_request on eligibility.population_simulations (requested_at);
create table eligibility.population_simulation_runs (
  simulation text primary key,
  state text not null,
  attempt integer not null default 0,
  rows_done bigint not null default 0,
  rows_total bigint,
  report bytea,
  losers bytea,
  problem jsonb,
  changed_at timestamptz not null,
  constraint population_simulation_run_is_of_a_simulation
    foreign key (simulation) references eligibility.population_simulations (id),
  constraint population_simulation_has_a_known_state
    check (state in ('WAITING', 'RUNNING', 'DONE', 'FAILED', 'FORGOTTEN')),
  constraint failed_population_simulation_says_why check ((state = 'FAILED') = (problem is not null)),
  constraint done_population_simulation_has_a_report check (state <> 'DONE' or report is not null),
  constraint population_simulation_does_no_more_than_all
    check (rows_done >= 0 and rows_done <= coalesce(rows_total, 0))
);
create index population_simulation_runs_of_a_state on eligibility.population_simulation_runs (state);
grant select, insert, update (state, attempt, rows_done, rows_total, report, losers, problem, changed_at)
  on eligibility.population_simulation_runs to doudi_eligibility;
"""


def upgrade() -> None:
    """Expand: two tables of their own."""
    run_script(TABLES)
    append_only("eligibility", "population_simulations")
