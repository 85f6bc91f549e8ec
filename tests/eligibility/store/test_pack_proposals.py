"""The database refuses what publishing refuses, whoever asks: here the service's own role, past all of its code."""

# ruff: noqa: S608 - the tables and columns in these statements are our own

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text

from services.eligibility.store.pack_proposals import PAGE_LIMIT, list_proposals
from services.eligibility.store.tables import metadata
from tests.eligibility.store.test_tables import refusal
from tests.new_pack import ID, pack_files

PROPOSER, OTHER = "development/policy_officer-1", "development/policy_officer-2"


@pytest.fixture(scope="module")
def proposal(eligibility) -> str:
    """The id of a proposal; beside it stands one that is decided."""
    for version, monthly in (("1", "200.00"), ("2", "210.00")):
        files = pack_files(version, f"{int(monthly[:3]) + 500}.00", monthly)
        assert eligibility.post("/policy-packs", {"files": files}, "policy_officer").status_code == 201
    decided = eligibility.post(f"/policy-packs/{ID}/2/refuse", {"reason": "no"}, "policy_officer:2")
    assert decided.status_code == 200, decided.text
    return eligibility.rows("select id from eligibility.pack_proposals where version = '1'")[0][0]


@pytest.fixture
def role(eligibility, proposal: str) -> Iterator[Connection]:
    """The service's own role, in a transaction that is rolled back."""
    with eligibility.runtime.database.engine.connect() as connection:
        yield connection
        connection.rollback()


def decision(proposed_by: str, decided_by: str, word: str = "PUBLISHED") -> str:
    return (
        "insert into eligibility.pack_decisions (proposal, proposed_by, decision, decided_by, decided_at)"
        f" values (:proposal, '{proposed_by}', '{word}', '{decided_by}', now())"
    )


def copy_of(table: str, **changes: str) -> str:
    columns = [column.name for column in metadata.tables[f"eligibility.{table}"].columns]
    values = ", ".join(changes.get(name, name) for name in columns)
    return f"insert into eligibility.{table} ({', '.join(columns)}) select {values} from eligibility.{table} limit 1"


def test_who_proposed_cannot_decide_by_direct_sql(role, proposal):
    assert refusal(role, decision(PROPOSER, PROPOSER), proposal=proposal) == "pack_is_decided_by_a_second_person"


def test_nor_by_naming_another_as_the_proposer(role, proposal):
    assert refusal(role, decision(OTHER, PROPOSER), proposal=proposal) == "pack_decision_names_the_proposer"


def test_a_second_person_decides_once(role, proposal):
    role.execute(text(decision(PROPOSER, OTHER)), {"proposal": proposal})
    assert refusal(role, decision(PROPOSER, OTHER, "REFUSED"), proposal=proposal) == "pack_decisions_pkey"


def test_a_decision_is_one_of_two_words_about_a_proposal_that_exists(role, proposal):
    assert refusal(role, decision(PROPOSER, OTHER, "PERHAPS"), proposal=proposal) == "pack_is_published_or_refused"
    role.rollback()
    assert refusal(role, decision(PROPOSER, OTHER), proposal="none") == "pack_decision_names_the_proposer"


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"id": "'x'"}, "pack_version_is_proposed_once"),
        ({"id": "'x'", "version": "'9'", "sha256": "'short'"}, "proposed_pack_hash_is_a_sha256"),
        ({"version": "'9'"}, "pack_proposals_pkey"),
    ],
)
def test_bad_proposals_are_refused(role, changes, constraint):
    assert refusal(role, copy_of("pack_proposals", **changes)) == constraint


def test_a_good_proposal_is_taken(role):
    role.execute(text(copy_of("pack_proposals", id="'x'", version="'9'")))


@pytest.mark.parametrize("table", ["pack_proposals", "pack_decisions"])
def test_rows_are_never_changed(eligibility, role, table):
    column = next(iter(metadata.tables[f"eligibility.{table}"].columns)).name
    for statement in (
        f"update eligibility.{table} set {column} = {column}",
        f"delete from eligibility.{table}",
        f"truncate eligibility.{table} cascade",
    ):
        assert "permission denied" in refusal(role, statement)
        role.rollback()
        with eligibility.owner.connect() as owner:
            assert refusal(owner, statement) == "rows_are_never_changed"


def test_no_page_is_larger_than_the_bound(eligibility, proposal):
    copies = (
        "insert into eligibility.pack_proposals select 'proposal_x' || n, pack, 'v' || n, sha256, jurisdiction, '{}',"
        f" proposed_by, proposed_at from eligibility.pack_proposals, generate_series(1, {PAGE_LIMIT}) n where id = :id"
    )
    with eligibility.owner.begin() as owner:
        owner.execute(text(copies), {"id": proposal})
    assert len(eligibility.runtime.database.read(list_proposals, None, "", PAGE_LIMIT + 1)) == PAGE_LIMIT
