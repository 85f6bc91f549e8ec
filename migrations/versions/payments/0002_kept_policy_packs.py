"""The policy packs that awards rest on, kept here for when eligibility is away."""

from migrations.foundation import append_only, run_script

revision = "0002"
down_revision = "0001"

TABLES = """
create table payments.named_policy_packs (
  sha256 text not null,
  id text not null,
  version text not null,
  named_at timestamptz not null,
  constraint policy_pack_is_named_once primary key (sha256),
  constraint policy_pack_hash_is_a_sha256 check (length(sha256) = 64)
);
create table payments.kept_policy_packs (
  sha256 text not null,
  id text not null,
  version text not null,
  files jsonb not null,
  kept_at timestamptz not null,
  constraint policy_pack_is_kept_once primary key (sha256),
  constraint kept_policy_pack_was_named foreign key (sha256) references payments.named_policy_packs (sha256),
  constraint policy_pack_version_has_one_content unique (id, version)
);
create table payments.policy_pack_refusals (
  sha256 text not null,
  reason text not null,
  refused_at timestamptz not null,
  constraint policy_pack_is_refused_once_at_a_time primary key (sha256, refused_at),
  constraint refused_policy_pack_was_named foreign key (sha256) references payments.named_policy_packs (sha256)
);
"""

NAMED_BEFORE = """
insert into payments.named_policy_packs (sha256, id, version, named_at)
select distinct on (pack ->> 'sha256') pack ->> 'sha256', pack ->> 'id', pack ->> 'version', applied_at
from payments.awards, jsonb_array_elements(basis -> 'packs') pack
order by pack ->> 'sha256', applied_at;
"""


def upgrade() -> None:
    """Expand: and note what the awards that are there already rest on, so that it is fetched too."""
    run_script(TABLES)
    run_script(NAMED_BEFORE)
    append_only("payments", "named_policy_packs", "kept_policy_packs", "policy_pack_refusals")
