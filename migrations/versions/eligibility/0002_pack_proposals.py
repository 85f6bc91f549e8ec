"""Proposed packs, and the second person's decision on each."""

from migrations.foundation import append_only, run_script

revision = "0002"
down_revision = "0001"

TABLES = """
create table eligibility.pack_proposals (
  id text primary key,
  pack text not null,
  version text not null,
  sha256 text not null,
  jurisdiction text not null,
  files jsonb not null,
  proposed_by text not null,
  proposed_at timestamptz not null,
  constraint pack_version_is_proposed_once unique (pack, version),
  constraint pack_proposal_names_who_made_it unique (id, proposed_by),
  constraint proposed_pack_hash_is_a_sha256 check (length(sha256) = 64)
);
create table eligibility.pack_decisions (
  proposal text primary key,
  proposed_by text not null,
  decision text not null,
  decided_by text not null,
  reason text not null default '',
  decided_at timestamptz not null,
  constraint pack_decision_names_the_proposer
    foreign key (proposal, proposed_by) references eligibility.pack_proposals (id, proposed_by),
  constraint pack_is_decided_by_a_second_person check (decided_by <> proposed_by),
  constraint pack_is_published_or_refused check (decision in ('PUBLISHED', 'REFUSED'))
);
"""


def upgrade() -> None:
    """Expand: what was published before came with the software, and has no proposal."""
    run_script(TABLES)
    append_only("eligibility", "pack_proposals", "pack_decisions")
