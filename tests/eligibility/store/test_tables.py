"""The database refuses what the domain refuses, whoever asks: here the service's own role, past all of its code."""

# ruff: noqa: S608 - the tables and columns in these statements are our own

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from services.eligibility.store.tables import metadata
from services.shared.runtime.database import violated_constraint

APPEND_ONLY = ("policy_packs", "determinations", "awards", "award_decisions", "award_people")
PROPOSER, OTHER = "development/caseworker-1", "development/confirmer-1"


@pytest.fixture(scope="module")
def award(eligibility) -> str:
    """A proposed award beside one that is decided, so that every table has a row."""
    eligibility.decide(eligibility.proposed())
    return eligibility.proposed()


@pytest.fixture
def role(eligibility, award: str) -> Iterator[Connection]:
    """The service's own role, in a transaction that is rolled back."""
    with eligibility.runtime.database.engine.connect() as connection:
        yield connection
        connection.rollback()


def refusal(connection: Connection, statement: str, **values: str) -> str:
    """The name of the constraint that refuses `statement`, or what else the server says."""
    with pytest.raises(DBAPIError) as refused:
        connection.execute(text(statement), values)
    return violated_constraint(refused.value) or str(refused.value.orig)


def decision(proposed_by: str, decided_by: str, word: str = "CONFIRMED") -> str:
    return (
        "insert into eligibility.award_decisions (award, proposed_by, decision, decided_by, decided_at)"
        f" values (:award, '{proposed_by}', '{word}', '{decided_by}', now())"
    )


def test_who_proposed_cannot_decide_by_direct_sql(role, award):
    assert refusal(role, decision(PROPOSER, PROPOSER), award=award) == "award_is_decided_by_a_second_person"


def test_nor_by_naming_another_as_the_proposer(role, award):
    assert refusal(role, decision(OTHER, PROPOSER), award=award) == "award_decision_names_the_proposer"


def test_a_second_person_decides_once(role, award):
    role.execute(text(decision(PROPOSER, OTHER)), {"award": award})
    assert refusal(role, decision(PROPOSER, OTHER, "REFUSED"), award=award) == "award_decisions_pkey"


def test_a_decision_is_one_of_two_words_about_an_award_that_exists(role, award):
    assert refusal(role, decision(PROPOSER, OTHER, "PERHAPS"), award=award) == "award_is_confirmed_or_refused"
    role.rollback()
    assert refusal(role, decision(PROPOSER, OTHER), award="none") == "award_decision_names_the_proposer"


def test_the_proposer_is_not_changed_afterwards(role, award):
    change = f"update eligibility.awards set proposed_by = '{OTHER}' where id = :award"
    assert "permission denied" in refusal(role, change, award=award)


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_rows_are_never_changed(eligibility, role, table):
    column = next(iter(metadata.tables[f"eligibility.{table}"].columns)).name
    statements = (
        f"update eligibility.{table} set {column} = {column}",
        f"delete from eligibility.{table}",
        f"truncate eligibility.{table} cascade",
    )
    for statement in statements:
        assert "permission denied" in refusal(role, statement)
        role.rollback()
        with eligibility.owner.connect() as owner:
            assert refusal(owner, statement) == "rows_are_never_changed"


def copy_of(table: str, **changes: str) -> str:
    """A statement that inserts a copy of one row with some columns changed."""
    columns = [column.name for column in metadata.tables[f"eligibility.{table}"].columns]
    values = ", ".join(changes.get(name, name) for name in columns)
    return f"insert into eligibility.{table} ({', '.join(columns)}) select {values} from eligibility.{table} limit 1"


@pytest.mark.parametrize(
    ("table", "changes", "constraint"),
    [
        ("policy_packs", {}, "pack_version_is_published_once"),
        ("policy_packs", {"version": "'new'"}, "pack_content_is_published_once"),
        ("policy_packs", {"version": "'new'", "sha256": "'short'"}, "pack_hash_is_a_sha256"),
        ("determinations", {}, "determinations_pkey"),
        ("determinations", {"id": "'x'", "region": "'4201'"}, "determination_has_a_region_code"),
        ("awards", {"id": "'x'"}, "award_is_proposed_once_for_a_result"),
        ("awards", {"id": "'x'", "programme": "'p'", "determination": "'none'"}, "award_rests_on_a_determination"),
        ("awards", {"id": "'x'", "programme": "'p'", "amount_fen": "0"}, "award_is_a_positive_amount"),
        ("awards", {"id": "'x'", "programme": "'p'", "amount_fen": "-1"}, "award_is_a_positive_amount"),
        ("awards", {"id": "'x'", "programme": "'p'", "kind": "'weekly'"}, "award_is_monthly_or_one_off"),
        ("awards", {"id": "'x'", "programme": "'p'", "kind": "'one_off'"}, "monthly_award_alone_has_months"),
        ("awards", {"id": "'x'", "programme": "'p'", "until_month": "null"}, "monthly_award_alone_has_months"),
        (
            "awards",
            {"id": "'x'", "programme": "'p'", "kind": "'one_off'", "first_month": "null"},
            "monthly_award_alone_has_months",
        ),
        ("awards", {"id": "'x'", "programme": "'p'", "until_month": "first_month"}, "award_ends_after_it_begins"),
        ("awards", {"id": "'x'", "programme": "'p'", "until_month": "until_month + 1"}, "award_months_are_first_days"),
        ("award_people", {}, "award_names_a_member_once"),
        ("award_people", {"member": "'m9'", "award": "'none'"}, "award_person_belongs_to_an_award"),
        ("award_people", {"member": "'m9'", "id_number_index": "'\\x00'"}, "id_number_index_is_a_blind_index"),
    ],
)
def test_bad_rows_are_refused(role, table, changes, constraint):
    assert refusal(role, copy_of(table, **changes)) == constraint


def test_an_award_has_one_payee(role, award):
    second = copy_of("award_people", member="'m9'", card_number_sealed="'\\x00'", award=":award")
    assert refusal(role, second, award=award) == "award_has_one_payee"


def test_a_good_row_is_taken(role):
    role.execute(
        text(copy_of("awards", id="'x'", programme="'p'", until_month="(first_month + interval '1 month')::date"))
    )
    months = {"kind": "'one_off'", "first_month": "null", "until_month": "null"}
    role.execute(text(copy_of("awards", id="'y'", programme="'q'", amount_fen="1", **months)))


@pytest.mark.parametrize("schema", ["payments", "monitoring"])
def test_no_other_services_rows_are_seen(role, schema):
    assert "permission denied" in refusal(role, f"select 1 from {schema}.audit_events")
