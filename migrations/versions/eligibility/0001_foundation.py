"""Packs, determinations, awards, the second person's decision, and the people that an award names."""

from migrations.foundation import append_only, create_foundation, run_script

revision = "0001"
down_revision = None

TABLES = """
create table eligibility.policy_packs (
  id text not null,
  version text not null,
  sha256 text not null,
  files jsonb not null,
  loaded_at timestamptz not null,
  constraint pack_version_is_published_once primary key (id, version),
  constraint pack_content_is_published_once unique (sha256),
  constraint pack_hash_is_a_sha256 check (length(sha256) = 64)
);
create table eligibility.determinations (
  id text primary key,
  as_of date not null,
  region text not null,
  request bytea not null,
  answer bytea not null,
  packs jsonb not null,
  determined_by text not null,
  event_id text not null,
  determined_at timestamptz not null,
  constraint determination_has_a_region_code check (length(region) = 6)
);
create index determinations_of_a_region on eligibility.determinations (region, id);
create table eligibility.awards (
  id text primary key,
  determination text not null,
  programme text not null,
  subject text not null,
  region text not null,
  kind text not null,
  amount_fen bigint not null,
  first_month date,
  until_month date,
  basis jsonb not null,
  proposed_by text not null,
  proposed_at timestamptz not null,
  constraint award_rests_on_a_determination foreign key (determination) references eligibility.determinations (id),
  constraint award_is_proposed_once_for_a_result unique (determination, programme, subject),
  constraint award_names_who_proposed_it unique (id, proposed_by),
  constraint award_is_a_positive_amount check (amount_fen > 0),
  constraint award_is_monthly_or_one_off check (kind in ('monthly', 'one_off')),
  constraint monthly_award_alone_has_months
    check (num_nonnulls(first_month, until_month) = case kind when 'monthly' then 2 else 0 end),
  constraint award_ends_after_it_begins check (until_month > first_month),
  constraint award_months_are_first_days
    check (extract(day from first_month) = 1 and extract(day from until_month) = 1)
);
create index awards_of_a_region on eligibility.awards (region, id);
create table eligibility.award_decisions (
  award text primary key,
  proposed_by text not null,
  decision text not null,
  decided_by text not null,
  reason text not null default '',
  decided_at timestamptz not null,
  constraint award_decision_names_the_proposer
    foreign key (award, proposed_by) references eligibility.awards (id, proposed_by),
  constraint award_is_decided_by_a_second_person check (decided_by <> proposed_by),
  constraint award_is_confirmed_or_refused check (decision in ('CONFIRMED', 'REFUSED'))
);
create table eligibility.award_people (
  award text not null,
  member text not null,
  name_sealed bytea not null,
  id_number_sealed bytea not null,
  id_number_index bytea not null,
  card_number_sealed bytea,
  constraint award_names_a_member_once primary key (award, member),
  constraint award_person_belongs_to_an_award foreign key (award) references eligibility.awards (id),
  constraint id_number_index_is_a_blind_index check (octet_length(id_number_index) = 16)
);
create index award_people_by_id_number on eligibility.award_people (id_number_index);
create unique index award_has_one_payee on eligibility.award_people (award) where card_number_sealed is not null;
"""


def upgrade() -> None:
    """Expand: the first tables."""
    create_foundation("eligibility")
    run_script(TABLES)
    append_only("eligibility", "policy_packs", "determinations", "awards", "award_decisions", "award_people")
