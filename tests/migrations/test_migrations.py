"""The three histories: equal to the models, safe to run again and at once, and each role shut in its own schema."""

import re
import threading
from importlib import import_module
from itertools import permutations

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, create_engine, make_url, text

from services.cli.migration import alembic_config, migrate
from services.cli.provision import SERVICES
from services.cli.shipped import SHIPPED
from services.shared.runtime.jobs import settings_for

CHANGEABLE = {
    "eligibility": ("population_simulation_runs",),
    "payments": ("award_schedules", "batches", "disbursements", "holds", "pay_files"),
}
"""Tables of a service whose rows may change: work in progress, never what was decided, paid or written down."""

INSUFFICIENT_PRIVILEGE = psycopg.errors.InsufficientPrivilege

TABLES = text(
    "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace "
    "where n.nspname = :schema and c.relkind in ('r', 'p') order by 1"
)
APPEND_ONLY = text(
    "select c.relname from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = "
    "c.relnamespace where n.nspname = :schema and t.tgname = 'rows_are_never_changed' order by 1"
)
COLUMNS = text(
    "select table_name, column_name, data_type, is_nullable, coalesce(column_default, ''), is_identity, is_generated "
    "from information_schema.columns join information_schema.tables using (table_schema, table_name) "
    "where table_schema = :schema and table_type = 'BASE TABLE' order by 1, 2"
)
CONSTRAINTS = text(
    "select c.relname, k.conname, pg_get_constraintdef(k.oid) from pg_constraint k "
    "join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace "
    "where n.nspname = :schema and k.contype <> 'n' order by 1, 2"
)
INDEXES = text("select tablename, indexname, indexdef from pg_indexes where schemaname = :schema order by 1, 2")


def metadata_of(service: str) -> MetaData:
    return import_module(f"services.{service}.store.tables").metadata


def job_tables(service: str) -> set[str]:
    """PgQueuer's own, which its installed version makes."""
    names = settings_for(service).qualified
    tables = (names.queue_table, names.queue_table_log, names.statistics_table, names.schedules_table)
    return {table.rpartition(".")[2].strip('"') for table in tables}


@pytest.fixture(scope="module")
def addresses(service_environment: dict[str, str]) -> dict[str, str]:
    """Each service's own address."""
    return {service: service_environment[f"DOUDI_{service.upper()}_DATABASE_URL"] for service in SERVICES}


@pytest.fixture(scope="module")
def owner(owner_url, addresses):
    """The owner's connection to the migrated database."""
    engine = create_engine(owner_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture(scope="module")
def roles(addresses):
    """A plain connection of each service's role; nothing that it does is kept."""
    connections = {}
    for service, address in addresses.items():
        url = make_url(address).set(drivername="postgresql")
        connections[service] = psycopg.connect(url.render_as_string(hide_password=False))
    yield connections
    for connection in connections.values():
        connection.close()


def is_refused(connection: psycopg.Connection, statement: str) -> bool:
    try:
        connection.execute(statement)
    except INSUFFICIENT_PRIVILEGE:
        return True
    except psycopg.Error:
        return False  # refused for another reason than the role's, so the role could have done it
    finally:
        connection.rollback()
    return False


def rows(connection, query, schema):
    return [tuple(row) for row in connection.execute(query, {"schema": schema})]


@pytest.mark.parametrize("service", SERVICES)
def test_alembic_finds_nothing_to_change_between_models_and_migrations(owner, service):
    ours = job_tables(service) | {"alembic_version"}

    def include(name, kind, parents):
        if kind == "schema":
            return name == service
        return kind != "table" or name not in ours

    options = {"include_schemas": True, "include_name": include, "compare_type": True, "compare_server_default": True}
    context = MigrationContext.configure(owner, opts={**options, "version_table_schema": service})
    assert compare_metadata(context, metadata_of(service)) == []


@pytest.fixture(scope="module")
def made_from_models(postgres, owner):
    """A database made by the models alone, to compare what alembic does not: checks, names, defaults, indexes."""
    engine = create_engine(postgres.owner_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("create database made_from_models"))
    models = create_engine(postgres.owner_url.replace("@/doudi?", "@/made_from_models?"), isolation_level="AUTOCOMMIT")
    with models.connect() as connection:
        for service in SERVICES:
            connection.execute(text(f"create schema {service}"))
            metadata_of(service).create_all(connection)
        yield connection
    models.dispose()
    with engine.connect() as connection:
        connection.execute(text("drop database made_from_models with (force)"))
    engine.dispose()


@pytest.mark.parametrize("query", [COLUMNS, CONSTRAINTS, INDEXES], ids=["columns", "constraints", "indexes"])
@pytest.mark.parametrize("service", SERVICES)
def test_the_models_make_what_the_migrations_make(owner, made_from_models, service, query):
    ours = job_tables(service) | {"alembic_version"}
    migrated = [row for row in rows(owner, query, service) if row[0] not in ours]
    assert migrated == rows(made_from_models, query, service)


@pytest.mark.parametrize("service", SERVICES)
def test_each_history_has_one_head_and_the_database_stands_there(owner, service):
    script = ScriptDirectory.from_config(alembic_config(owner, service))
    assert len(script.get_heads()) == 1
    at = owner.execute(text(f"select version_num from {service}.alembic_version")).scalars().all()
    assert at == script.get_heads()


@pytest.mark.parametrize(("service", "other"), list(permutations(SERVICES, 2)))
def test_a_role_sees_nothing_of_anothers_schema(owner, roles, service, other):
    tables = [name for (name,) in rows(owner, TABLES, other)]
    assert tables
    for table in tables:
        for statement in (
            f"select from {other}.{table}",
            f"insert into {other}.{table} default values",
            f"delete from {other}.{table}",
            f"truncate {other}.{table}",
        ):
            assert is_refused(roles[service], statement), statement
    assert is_refused(roles[service], f"create table {other}.mine (a int)")


@pytest.mark.parametrize("service", SERVICES)
def test_a_role_makes_and_drops_nothing_and_is_nobody_special(owner, roles, service):
    for statement in (
        f"create table {service}.mine (a int)",
        "create table public.mine (a int)",
        "create schema mine",
        "create role mine",
        "set role doudi_payments" if service != "payments" else "set role doudi_eligibility",
        f"drop table {service}.audit_events",
        f"alter table {service}.audit_events disable trigger rows_are_never_changed",
        f"update {service}.alembic_version set version_num = version_num",
        "set session_replication_role = replica",
    ):
        assert is_refused(roles[service], statement), statement
    powers = "rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls"
    query = text(f"select {powers} from pg_roles where rolname = :role")
    assert owner.execute(query, {"role": f"doudi_{service}"}).scalar_one() is False


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_append_only_can_be_added_to_and_nothing_else(owner, roles, service):
    tables = {name for (name,) in rows(owner, APPEND_ONLY, service)}
    assert {"audit_events", "audit_leaves", "audit_nodes", "audit_checkpoints"} < tables
    for table in tables:
        columns = metadata_of(service).tables[f"{service}.{table}"].columns
        column = next(column.name for column in columns if column.identity is None)
        assert not is_refused(roles[service], f"select {column} from {service}.{table} limit 1")
        for statement in (
            f"update {service}.{table} set {column} = {column}",
            f"delete from {service}.{table}",
            f"truncate {service}.{table} cascade",
        ):
            assert is_refused(roles[service], statement), statement


@pytest.mark.parametrize("service", SERVICES)
def test_every_table_that_is_not_append_only_is_named_here(owner, service):
    """Decisions, money and records of what happened are append-only; what may change is a written list."""
    changeable = {
        "outbox_messages",
        "idempotency_keys",
        "job_tries",
        "test_clock",
        "alembic_version",
        *job_tables(service),
        *CHANGEABLE.get(service, ()),
    }
    tables = {name for (name,) in rows(owner, TABLES, service)}
    append_only = {name for (name,) in rows(owner, APPEND_ONLY, service)}
    assert tables - append_only == changeable


@pytest.mark.parametrize("service", SERVICES)
def test_a_role_deletes_from_no_table_but_those_of_its_jobs(owner, roles, service):
    for (table,) in rows(owner, TABLES, service):
        if table not in job_tables(service) | {"job_tries"}:
            assert is_refused(roles[service], f"delete from {service}.{table}"), table
            assert is_refused(roles[service], f"truncate {service}.{table} cascade"), table


@pytest.mark.parametrize("service", SERVICES)
def test_no_amount_and_no_hash_is_ever_changed(owner, service):
    query = text(
        "select table_name, column_name from information_schema.column_privileges where table_schema = :schema "
        "and grantee = :role and privilege_type = 'UPDATE' and (column_name like '%fen' or column_name like '%sha256' "
        "or column_name like '%sealed' or column_name like '%index')"
    )
    assert owner.execute(query, {"schema": service, "role": f"doudi_{service}"}).all() == []


def everything_in(owner) -> dict[str, list]:
    """Columns, constraints, indexes, grants and row counts of the three schemas."""
    grants = text(
        "select c.relname, c.relacl::text from pg_class c join pg_namespace n on n.oid = c.relnamespace "
        "where n.nspname = :schema order by 1"
    )
    state = {}
    for schema in SERVICES:
        for number, query in enumerate((TABLES, COLUMNS, CONSTRAINTS, INDEXES, grants)):
            state[f"{schema} {number}"] = rows(owner, query, schema)
        for (table,) in rows(owner, TABLES, schema):
            state[f"{schema}.{table}"] = rows(owner, text(f"select count(*) from {schema}.{table}"), schema)
    return state


def test_migrating_again_changes_nothing(owner_url, owner, addresses):
    before = everything_in(owner)
    migrate(owner_url, addresses, SHIPPED)
    assert everything_in(owner) == before


def test_two_that_migrate_an_empty_database_at_once_both_succeed(postgres, owner, addresses):
    owner.execute(text("create database migrated_twice"))
    url = postgres.owner_url.replace("@/doudi?", "@/migrated_twice?")
    failures: list[Exception] = []

    def run():
        try:
            migrate(url, addresses, SHIPPED)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert failures == []
    engine = create_engine(url)
    with engine.connect() as connection:
        assert everything_in(connection) == everything_in(owner)
    engine.dispose()
    owner.execute(text("drop database migrated_twice with (force)"))


def test_no_password_is_in_the_servers_log_or_told_to_it_in_clear(postgres, owner_url, owner, addresses):
    """Even a server that logs every statement, as many do for DDL, sees a SCRAM verifier and no password."""
    owner.execute(text("alter role doudi_payments password null"))
    owner.execute(text("alter system set log_statement = 'all'"))
    owner.execute(text("select pg_reload_conf()"))
    try:
        migrate(owner_url, addresses, SHIPPED)
        owner.execute(text("select 'the log was being written'"))
    finally:
        owner.execute(text("alter system reset log_statement"))
        owner.execute(text("select pg_reload_conf()"))
    logs = [file.read_text(errors="replace") for file in log_files(postgres)]
    assert any("the log was being written" in log for log in logs)
    assert any(re.search(r"alter role .?doudi_payments", log, re.IGNORECASE) for log in logs)
    for address in (owner_url, *addresses.values()):
        password = make_url(address).password
        assert password and all(password not in log for log in logs)


def log_files(postgres):
    """Every file in the server's folder that is a log."""
    folder = postgres.socket_dir.parent
    return [file for file in folder.rglob("*") if file.is_file() and (file.suffix == ".log" or file.name == "log")]


@pytest.mark.parametrize("service", SERVICES)
def test_a_role_comes_in_with_its_password_and_no_other(addresses, service):
    url = make_url(addresses[service]).set(drivername="postgresql")
    psycopg.connect(url.render_as_string(hide_password=False)).close()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url.set(password="wrong").render_as_string(hide_password=False)).close()
