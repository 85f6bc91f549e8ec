"""The database refuses what the domain refuses, whoever asks it to."""

# ruff: noqa: S608 - the tables and columns in these statements are our own

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, Connection, create_engine, text
from sqlalchemy.exc import DBAPIError

from services.payments.domain.disbursement import ONCE_ONLY_STATES, STEPS, DisbursementState
from services.payments.store.tables import metadata
from services.shared.runtime.database import violated_constraint

APPEND_ONLY = [
    "calendar_years",
    "beneficiaries",
    "awards",
    "payees",
    "award_members",
    "batch_lines",
    "pay_file_attempts",
    "bank_statements",
    "bank_messages",
    "disbursement_events",
    "accounts",
    "transfers",
    "award_stops",
    "exceptions",
]


@pytest.fixture(scope="module")
def filled(payments) -> None:
    """A paid line, a returned one and a hold, so that every table has a row."""
    award = payments.award(people=2)
    payments.award(magic="02", people=1)
    payments.put_clock("2023-09-06T09:00:00+08:00")
    payments.tick()
    batch_id = payments.release(payments.batch())
    payments.pay(batch_id)
    for day in ("2023-09-07", "2023-09-08"):
        payments.put_clock(f"{day}T09:00:00+08:00")
        payments.tick()
    assert payments.line(award)["state"] == "SETTLED"


@pytest.fixture
def service(payments, filled: None) -> Iterator[Connection]:
    """The service's own role, in a transaction that is rolled back."""
    with payments.runtime.database.engine.connect() as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def owner(payments, filled: None) -> Iterator[Connection]:
    """The owner, in a transaction that is rolled back."""
    engine = create_engine(payments.owner.url)
    with engine.connect() as connection:
        yield connection
        connection.rollback()
    engine.dispose()


def refusal(connection: Connection, statement: str) -> str:
    """The name of the constraint that refuses `statement`, or what else the server says."""
    with pytest.raises(DBAPIError) as refused:
        connection.execute(text(statement))
    return violated_constraint(refused.value) or str(refused.value.orig)


def test_the_tables_are_those_of_the_migration(owner: Connection) -> None:
    options = {
        "include_schemas": True,
        "include_name": lambda name, kind, parents: kind != "schema" or name == "payments",
        "include_object": lambda item, name, kind, reflected, other: (
            not (kind == "table" and reflected and other is None and name.startswith(("pgqueuer", "alembic_version")))
        ),
    }
    context = MigrationContext.configure(owner, opts=options)
    assert compare_metadata(context, metadata) == []


def test_every_check_of_the_migration_is_in_the_tables(owner: Connection) -> None:
    found = owner.execute(
        text("select conname from pg_constraint where contype = 'c' and connamespace = 'payments'::regnamespace")
    )
    every = [constraint for table in metadata.tables.values() for constraint in table.constraints]
    told = {constraint.name for constraint in every if isinstance(constraint, CheckConstraint)}
    assert {name for (name,) in found if not name.startswith("pgqueuer")} == told


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_rows_are_never_changed(owner: Connection, service: Connection, table: str) -> None:
    column = next(column.name for column in metadata.tables[f"payments.{table}"].columns if column.identity is None)
    for statement in (
        f"update payments.{table} set {column} = {column}",
        f"delete from payments.{table}",
        f"truncate payments.{table} cascade",
    ):
        assert "permission denied" in refusal(service, statement)
        service.rollback()
        if statement.startswith("truncate") or owner.execute(text(f"select 1 from payments.{table}")).first():
            assert refusal(owner, statement) == "rows_are_never_changed"
            owner.rollback()


def test_the_database_has_the_domains_steps() -> None:
    migration = Path(__file__).parents[2] / "migrations" / "versions" / "payments" / "0001_foundation.py"
    guard = migration.read_text(encoding="utf-8").split("refuse_unknown_step()")[1].split(") then")[0]
    written = set(re.findall(r"\('([A-Z]+)', '([A-Z]+)'\)", guard))
    assert written == {(step.from_state, step.to_state) for step in STEPS}


def test_no_other_step_is_taken(service: Connection) -> None:
    allowed = {(step.from_state, step.to_state) for step in STEPS}
    line_id, state = service.execute(
        text("select id, state from payments.disbursements where state = 'SETTLED' limit 1")
    ).one()
    for target in DisbursementState:
        statement = f"update payments.disbursements set state = '{target}' where id = '{line_id}'"
        if (state, target) in allowed or state == target:
            continue
        assert refusal(service, statement) == "disbursement_takes_a_known_step"
        service.rollback()


def test_amount_key_and_owner_of_a_line_never_change(service: Connection) -> None:
    for change in ("amount_fen = 1", "due_on = due_on", "award = award", "month = month", "beneficiary = 1"):
        assert "permission denied" in refusal(service, f"update payments.disbursements set {change}")
        service.rollback()


def copy_of(table: str, where: str, **changes: str) -> str:
    """A statement that inserts a copy of one row with some columns changed."""
    columns = [column.name for column in metadata.tables[f"payments.{table}"].columns if column.identity is None]
    values = ", ".join(changes.get(name, name) for name in columns)
    into = f"insert into payments.{table} ({', '.join(columns)})"
    return f"{into} select {values} from payments.{table} where {where} limit 1"


@pytest.mark.parametrize(
    ("table", "where", "changes", "constraint"),
    [
        ("disbursements", "true", {"id": "'x'"}, "a_month_is_owed_once_for_each_cause"),
        ("disbursements", "true", {"id": "'x'", "cause": "9", "amount_fen": "0"}, "disbursement_is_a_positive_amount"),
        ("disbursements", "true", {"id": "'x'", "cause": "100"}, "disbursement_key_fits_its_id"),
        (
            "disbursements",
            "true",
            {"id": "'x'", "cause": "9", "month": "month + 1"},
            "disbursement_month_is_a_first_day",
        ),
        ("disbursements", "true", {"id": "'x'", "cause": "9", "state": "'PAID'"}, "disbursement_state_is_known"),
        ("disbursements", "true", {"id": "'x'", "cause": "9", "batch": "null"}, "paid_line_is_in_a_batch"),
        ("disbursements", "true", {"id": "'x'", "cause": "9", "pay_file": "null"}, "sent_line_is_in_a_pay_file"),
        (
            "disbursements",
            "state = 'SETTLED'",
            {"id": "'x'", "cause": "9", "value_on": "null"},
            "settled_line_has_a_value_date",
        ),
        (
            "disbursement_events",
            "to_state = 'SETTLED'",
            {"number": "77", "bank": "null", "statement": "null", "line": "null"},
            "settling_needs_a_statement_line",
        ),
        (
            "disbursement_events",
            "to_state = 'SETTLED'",
            {"number": "77", "to_state": "'ACCEPTED'"},
            "bank_message_moves_one_line_once",
        ),
        ("transfers", "true", {"amount_fen": "0"}, "transfer_moves_a_positive_amount"),
        ("transfers", "true", {"amount_fen": "-1"}, "transfer_moves_a_positive_amount"),
        ("transfers", "true", {"credit_account": "debit_account"}, "transfer_moves_between_two_accounts"),
        ("transfers", "disbursement is not null", {}, "an_event_moves_money_once"),
        (
            "transfers",
            "code = 'SETTLE'",
            {"event_number": "null", "line": "null"},
            "a_line_is_booked_once_for_each_end",
        ),
        (
            "transfers",
            "true",
            {"debit_account": "'CASH'", "disbursement": "null", "line": "null"},
            "transfer_debits_an_account",
        ),
        (
            "batches",
            "true",
            {"id": "'x'", "created_by": "'x'", "decided_by": "submitted_by"},
            "batch_is_decided_by_a_second_person",
        ),
        (
            "batches",
            "true",
            {"id": "'x'", "submitted_by": "'x'", "decided_by": "created_by"},
            "batch_is_not_decided_by_its_maker",
        ),
        ("batches", "true", {"id": "'x'", "decided_by": "null"}, "batch_is_paid_only_after_two_persons"),
        ("batches", "true", {"id": "'x'", "line_count": "0"}, "batch_has_lines_and_money"),
        (
            "calendar_years",
            "true",
            {"year": "2030", "confirmed_by": "proposed_by"},
            "calendar_year_is_confirmed_by_another",
        ),
        ("calendar_years", "true", {}, "calendar_year_is_loaded_once"),
        ("bank_messages", "true", {}, "bank_message_is_taken_once"),
        ("bank_messages", "true", {"line": "99", "amount_fen": "0"}, "bank_message_is_a_positive_amount"),
        ("bank_statements", "true", {"statement": "'x'"}, "bank_has_one_statement_a_day"),
        ("awards", "true", {"id": "'x'", "amount_fen": "0"}, "award_is_a_positive_amount"),
        ("awards", "true", {"id": "'x'", "ends_on": "starts_on"}, "award_ends_after_it_starts"),
        ("beneficiaries", "true", {}, "beneficiary_is_one_person"),
    ],
)
def test_a_bad_row_is_refused_by_its_constraint(
    service: Connection, table: str, where: str, changes: dict[str, str], constraint: str
) -> None:
    assert refusal(service, copy_of(table, where, **changes)) == constraint


@pytest.mark.parametrize("state", sorted(ONCE_ONLY_STATES))
def test_a_line_ends_once(service: Connection, state: str) -> None:
    found = service.execute(
        text("select disbursement from payments.disbursement_events where to_state = 'SETTLED' limit 1")
    ).scalar_one()
    statement = (
        "insert into payments.disbursement_events values"
        " ('{id}', {n}, 'SENT', '{s}', 'c', 'a', null, null, null, 'e', now())"
    )
    if state in ("SETTLED", "RETURNED"):
        assert refusal(service, statement.format(id=found, n=80, s=state)) == "settling_needs_a_statement_line"
        return
    service.execute(text(statement.format(id=found, n=80, s=state)))
    assert refusal(service, statement.format(id=found, n=81, s=state)) == "a_line_ends_once"


def test_the_role_sees_no_other_schema(service: Connection) -> None:
    for schema, verb in itertools.product(("eligibility", "monitoring"), ("select * from {}.audit_events",)):
        assert "permission denied" in refusal(service, verb.format(schema))
        service.rollback()


def test_personal_data_lies_sealed(payments, filled: None) -> None:
    """No table holds a name, an ID number or a card of the demo people as text or bytes."""
    for table in metadata.tables.values():
        for row in payments.rows(f"select t::text from {table.schema}.{table.name} t"):
            written = row[0]
            hidden = bytes.fromhex("".join(re.findall(r"\\x([0-9a-f]*)", written))).decode("utf-8", "replace")
            for content in (written, hidden):
                assert "演示" not in content
                assert not re.search(r"990100\d{11}", content), table.name
                assert not re.search(r"(?<!\d)9\d{15}(?!\d)", content), table.name
