"""The tables of the schema `eligibility`."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.shared.runtime.tables import RuntimeTables, instant

metadata = MetaData(schema="eligibility")
runtime_tables = RuntimeTables(metadata)

policy_packs = Table(
    "policy_packs",
    metadata,
    Column("id", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("files", JSONB, nullable=False),
    instant("loaded_at"),
    PrimaryKeyConstraint("id", "version", name="pack_version_is_published_once"),
    UniqueConstraint("sha256", name="pack_content_is_published_once"),
    CheckConstraint("length(sha256) = 64", name="pack_hash_is_a_sha256"),
)

pack_proposals = Table(
    "pack_proposals",
    metadata,
    Column("id", Text, primary_key=True),
    Column("pack", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("jurisdiction", Text, nullable=False),
    Column("files", JSONB, nullable=False),
    Column("proposed_by", Text, nullable=False),
    instant("proposed_at"),
    UniqueConstraint("pack", "version", name="pack_version_is_proposed_once"),
    UniqueConstraint("id", "proposed_by", name="pack_proposal_names_who_made_it"),
    CheckConstraint("length(sha256) = 64", name="proposed_pack_hash_is_a_sha256"),
)

pack_decisions = Table(
    "pack_decisions",
    metadata,
    Column("proposal", Text, primary_key=True),
    Column("proposed_by", Text, nullable=False),
    Column("decision", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    instant("decided_at"),
    ForeignKeyConstraint(
        ["proposal", "proposed_by"],
        ["eligibility.pack_proposals.id", "eligibility.pack_proposals.proposed_by"],
        name="pack_decision_names_the_proposer",
    ),
    CheckConstraint("decided_by <> proposed_by", name="pack_is_decided_by_a_second_person"),
    CheckConstraint("decision in ('PUBLISHED', 'REFUSED')", name="pack_is_published_or_refused"),
)

determinations = Table(
    "determinations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("as_of", Date, nullable=False),
    Column("region", Text, nullable=False),
    Column("request", LargeBinary, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("packs", JSONB, nullable=False),
    Column("determined_by", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    instant("determined_at"),
    CheckConstraint("length(region) = 6", name="determination_has_a_region_code"),
    Index("determinations_of_a_region", "region", "id"),
)

redeterminations = Table(
    "redeterminations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("determination", Text, nullable=False),
    Column("from_month", Date, nullable=False),
    Column("until_month", Date, nullable=False),
    Column("still_due_fen", BigInteger, nullable=False),
    Column("granted_too_much_fen", BigInteger, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("redetermined_by", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    instant("redetermined_at"),
    ForeignKeyConstraint(
        ["determination"], ["eligibility.determinations.id"], name="redetermination_is_of_a_determination"
    ),
    CheckConstraint("until_month > from_month", name="redetermination_has_months"),
    CheckConstraint("still_due_fen >= 0 and granted_too_much_fen >= 0", name="redetermination_sums_are_not_negative"),
    Index("redeterminations_of_a_determination", "determination"),
)

population_simulations = Table(
    "population_simulations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("population", Text, nullable=False),
    Column("identity", Text, nullable=False),
    Column("as_of", Date, nullable=False),
    Column("region_level", Text, nullable=False),
    Column("reform", JSONB, nullable=False),
    Column("packs", JSONB, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    instant("requested_at"),
    CheckConstraint(
        "region_level in ('province', 'prefecture', 'county')", name="population_simulation_has_a_level_of_regions"
    ),
    Index("population_simulations_in_order_of_request", "requested_at"),
)

population_simulation_runs = Table(
    "population_simulation_runs",
    metadata,
    Column("simulation", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    Column("rows_done", BigInteger, nullable=False, server_default=text("0")),
    Column("rows_total", BigInteger),
    Column("report", LargeBinary),
    Column("losers", LargeBinary),
    Column("problem", JSONB),
    instant("changed_at"),
    ForeignKeyConstraint(
        ["simulation"], ["eligibility.population_simulations.id"], name="population_simulation_run_is_of_a_simulation"
    ),
    CheckConstraint(
        "state in ('WAITING', 'RUNNING', 'DONE', 'FAILED', 'FORGOTTEN')", name="population_simulation_has_a_known_state"
    ),
    CheckConstraint("(state = 'FAILED') = (problem is not null)", name="failed_population_simulation_says_why"),
    CheckConstraint("state <> 'DONE' or report is not null", name="done_population_simulation_has_a_report"),
    CheckConstraint(
        "rows_done >= 0 and rows_done <= coalesce(rows_total, 0)", name="population_simulation_does_no_more_than_all"
    ),
    Index("population_simulation_runs_of_a_state", "state"),
)

awards = Table(
    "awards",
    metadata,
    Column("id", Text, primary_key=True),
    Column("determination", Text, nullable=False),
    Column("programme", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("first_month", Date),
    Column("until_month", Date),
    Column("basis", JSONB, nullable=False),
    Column("proposed_by", Text, nullable=False),
    instant("proposed_at"),
    ForeignKeyConstraint(["determination"], ["eligibility.determinations.id"], name="award_rests_on_a_determination"),
    UniqueConstraint("determination", "programme", "subject", name="award_is_proposed_once_for_a_result"),
    UniqueConstraint("id", "proposed_by", name="award_names_who_proposed_it"),
    CheckConstraint("amount_fen > 0", name="award_is_a_positive_amount"),
    CheckConstraint("kind in ('monthly', 'one_off')", name="award_is_monthly_or_one_off"),
    CheckConstraint(
        "num_nonnulls(first_month, until_month) = case kind when 'monthly' then 2 else 0 end",
        name="monthly_award_alone_has_months",
    ),
    CheckConstraint("until_month > first_month", name="award_ends_after_it_begins"),
    CheckConstraint(
        "extract(day from first_month) = 1 and extract(day from until_month) = 1", name="award_months_are_first_days"
    ),
    Index("awards_of_a_region", "region", "id"),
)

award_decisions = Table(
    "award_decisions",
    metadata,
    Column("award", Text, primary_key=True),
    Column("proposed_by", Text, nullable=False),
    Column("decision", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    instant("decided_at"),
    ForeignKeyConstraint(
        ["award", "proposed_by"],
        ["eligibility.awards.id", "eligibility.awards.proposed_by"],
        name="award_decision_names_the_proposer",
    ),
    CheckConstraint("decided_by <> proposed_by", name="award_is_decided_by_a_second_person"),
    CheckConstraint("decision in ('CONFIRMED', 'REFUSED')", name="award_is_confirmed_or_refused"),
)

award_people = Table(
    "award_people",
    metadata,
    Column("award", Text, nullable=False),
    Column("member", Text, nullable=False),
    Column("name_sealed", LargeBinary, nullable=False),
    Column("id_number_sealed", LargeBinary, nullable=False),
    Column("id_number_index", LargeBinary, nullable=False),
    Column("card_number_sealed", LargeBinary),
    PrimaryKeyConstraint("award", "member", name="award_names_a_member_once"),
    ForeignKeyConstraint(["award"], ["eligibility.awards.id"], name="award_person_belongs_to_an_award"),
    CheckConstraint("octet_length(id_number_index) = 16", name="id_number_index_is_a_blind_index"),
    Index("award_people_by_id_number", "id_number_index"),
    Index("award_has_one_payee", "award", unique=True, postgresql_where="card_number_sealed is not null"),
)
