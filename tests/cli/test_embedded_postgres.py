"""The embedded server under everything that happens to it: races, kills, long names, other versions."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from typing import Any

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.pool import NullPool

from services.cli import embedded_postgres
from services.cli.embedded_postgres import EmbeddedPostgresError

START = """
import sys
from pathlib import Path
from services.cli import embedded_postgres
print(embedded_postgres.start(Path(sys.argv[1])).owner_url)
"""

LOOP = """
import sys
from sqlalchemy import create_engine
create_engine(sys.argv[1]).connect().exec_driver_sql("do $$ begin loop end loop; end $$")
"""


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    yield from _folder("doudi-pg-")


@pytest.fixture
def fresh_dir() -> Iterator[Path]:
    yield from _folder("doudi-pg-")


def _folder(prefix: str) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    yield folder
    embedded_postgres.stop(folder)
    rmtree(folder)


def _postmaster(data_dir: Path) -> int:
    return int((data_dir / "postgres/cluster/postmaster.pid").read_text().split()[0])


def _query(url: str, sql: str) -> Any:
    with create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool).connect() as connection:
        result = connection.execute(text(sql))
        return result.scalar_one() if result.returns_rows else None


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_gives_an_owner_address_that_sqlalchemy_and_psycopg_open(data_dir: Path) -> None:
    url = embedded_postgres.start(data_dir).owner_url
    assert url.startswith("postgresql+psycopg://postgres:")
    assert _query(url, "select current_database()") == "doudi"
    assert _query(url, "select current_user") == "postgres"


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("data_checksums", "on"),
        ("fsync", "on"),
        ("max_connections", "200"),
        ("listen_addresses", ""),
        ("server_encoding", "UTF8"),
        ("lc_collate", "C.UTF-8"),
        ("password_encryption", "scram-sha-256"),
        ("log_min_error_statement", "panic"),
    ],
)
def test_settings(data_dir: Path, setting: str, value: str) -> None:
    url = embedded_postgres.start(data_dir).owner_url
    if setting == "lc_collate":
        assert _query(url, "select datcollate from pg_database where datname = 'doudi'") == value
    else:
        assert _query(url, f"show {setting}") == value


def test_what_it_writes_is_its_owners_alone(data_dir: Path) -> None:
    server = embedded_postgres.start(data_dir)
    assert _mode(data_dir / "postgres") == _mode(server.socket_dir) == 0o700
    assert _mode(data_dir / "postgres/password") == 0o600


def test_the_password_is_needed_and_in_no_repr(data_dir: Path) -> None:
    server = embedded_postgres.start(data_dir)
    password = (data_dir / "postgres/password").read_text()
    assert password in server.owner_url
    assert password not in repr(server)
    with pytest.raises(OperationalError, match="password authentication failed"):
        _query(server.owner_url.replace(password, "wrong"), "select 1")


def test_the_log_holds_no_value_of_a_failed_statement(data_dir: Path) -> None:
    url = embedded_postgres.start(data_dir).owner_url
    with pytest.raises(IntegrityError):
        _query(url, "create table seen (value text unique); insert into seen values ('v-42-v'), ('v-42-v')")
    log = (data_dir / "postgres/server.log").read_text()
    assert "duplicate key" in log
    assert "v-42-v" not in log


def test_a_second_start_gives_the_same_server(data_dir: Path) -> None:
    first = embedded_postgres.start(data_dir)
    pid = _postmaster(data_dir)
    assert embedded_postgres.start(data_dir) == first
    assert _postmaster(data_dir) == pid


def test_stop_and_start_keep_the_data(data_dir: Path) -> None:
    url = embedded_postgres.start(data_dir).owner_url
    _query(url, "create table kept as select 7 as n")
    assert embedded_postgres.is_running(data_dir)
    embedded_postgres.stop(data_dir)
    assert not embedded_postgres.is_running(data_dir)
    embedded_postgres.stop(data_dir)  # again, to no effect
    assert embedded_postgres.start(data_dir).owner_url == url
    assert _query(url, "select n from kept") == 7


def test_stop_cuts_open_sessions(data_dir: Path) -> None:
    url = embedded_postgres.start(data_dir).owner_url
    with create_engine(url).connect() as connection:
        connection.execute(text("select 1"))
        embedded_postgres.stop(data_dir)
        with pytest.raises(OperationalError):
            connection.execute(text("select 1"))


def test_a_killed_server_recovers_committed_work(data_dir: Path) -> None:
    url = embedded_postgres.start(data_dir).owner_url
    _query(url, "create table survives as select 8 as n")
    os.kill(_postmaster(data_dir), signal.SIGKILL)
    assert embedded_postgres.start(data_dir).owner_url == url
    assert _query(url, "select n from survives") == 8


def test_a_session_that_outlives_its_killed_server_does_not_stop_the_next(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_postgres, "LEFTOVER_TIMEOUT_S", 1)
    url = embedded_postgres.start(data_dir).owner_url
    busy = subprocess.Popen([sys.executable, "-c", LOOP, url], stderr=subprocess.DEVNULL)
    while _query(url, "select count(*)::int from pg_stat_activity where query like 'do %'") == 0:
        time.sleep(0.05)
    os.kill(_postmaster(data_dir), signal.SIGKILL)
    embedded_postgres.start(data_dir)
    assert _query(url, "select 1") == 1
    assert busy.wait(timeout=10) != 0


def test_a_pid_file_that_names_another_living_process_is_seen_through(data_dir: Path) -> None:
    url = embedded_postgres.start(data_dir).owner_url
    pid_file = data_dir / "postgres/cluster/postmaster.pid"
    lines = pid_file.read_text().splitlines()
    os.kill(_postmaster(data_dir), signal.SIGKILL)
    with subprocess.Popen(["sleep", "60"]) as stranger:
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        embedded_postgres.start(data_dir)
        assert stranger.poll() is None
        stranger.kill()
    assert _query(url, "select 1") == 1


def test_a_server_whose_socket_was_removed_is_started_anew(data_dir: Path) -> None:
    server = embedded_postgres.start(data_dir)
    pid = _postmaster(data_dir)
    (server.socket_dir / ".s.PGSQL.5432").unlink()
    assert not embedded_postgres.is_running(data_dir)
    embedded_postgres.start(data_dir)
    assert _postmaster(data_dir) != pid


def test_an_unfinished_creation_is_begun_anew(fresh_dir: Path) -> None:
    (fresh_dir / "postgres.new/cluster/base").mkdir(parents=True)
    (fresh_dir / "postgres.new/password").write_text("half")
    assert _query(embedded_postgres.start(fresh_dir).owner_url, "select 1") == 1
    assert not (fresh_dir / "postgres.new").exists()


def test_racing_starters_get_one_server_that_outlives_them_all(fresh_dir: Path) -> None:
    starters = [
        subprocess.Popen([sys.executable, "-c", START, fresh_dir], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    urls = {starter.communicate(timeout=60)[0].strip() for starter in starters}
    assert [starter.returncode for starter in starters] == [0] * 4
    assert len(urls) == 1
    assert _query(urls.pop(), "select 1") == 1


@pytest.mark.parametrize("after_s", [0.1, 0.2, 0.3, 0.5, 0.7, 0.9])
def test_a_starter_killed_at_any_moment_leaves_a_folder_that_starts(fresh_dir: Path, after_s: float) -> None:
    starter = subprocess.Popen([sys.executable, "-c", START, fresh_dir], stdout=subprocess.DEVNULL)
    time.sleep(after_s)
    starter.kill()
    starter.wait()
    assert _query(embedded_postgres.start(fresh_dir).owner_url, "select 1") == 1


@pytest.mark.parametrize("folder", ["long-" * 30, "a,b", "a:b"])
def test_a_folder_that_no_address_can_name_has_its_socket_elsewhere(fresh_dir: Path, folder: str) -> None:
    data_dir = fresh_dir / folder
    try:
        server = embedded_postgres.start(data_dir)
        assert _query(server.owner_url, "select 1") == 1
        assert _mode(server.socket_dir) == 0o700
        assert not server.socket_dir.is_relative_to(data_dir)
    finally:
        embedded_postgres.stop(data_dir)


def test_a_folder_with_an_odd_name(fresh_dir: Path) -> None:
    data_dir = fresh_dir / "中 文 $HOME 'q' \"d\" `x` & #?%+@"
    try:
        server = embedded_postgres.start(data_dir)
        assert server.socket_dir.is_relative_to(data_dir)
        assert _query(server.owner_url, "select 1") == 1
    finally:
        embedded_postgres.stop(data_dir)


@pytest.mark.parametrize(("path_bytes", "inside"), [(107, True), (108, False)])
def test_the_socket_leaves_the_data_folder_one_byte_above_the_limit(
    fresh_dir: Path, path_bytes: int, inside: bool
) -> None:
    rest = len(str(fresh_dir / "x" / "postgres/socket/.s.PGSQL.5432")) - 1
    data_dir = fresh_dir / ("x" * (path_bytes - rest))
    try:
        server = embedded_postgres.start(data_dir)
        assert server.socket_dir.is_relative_to(data_dir) == inside
        assert _query(server.owner_url, "select 1") == 1
    finally:
        embedded_postgres.stop(data_dir)


def test_a_socket_folder_that_others_may_enter_is_refused(fresh_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(fresh_dir))
    long_dir = fresh_dir / ("long-" * 20)
    outside = embedded_postgres._socket_dir(long_dir)
    assert outside.is_relative_to(fresh_dir)
    outside.chmod(0o755)
    with pytest.raises(EmbeddedPostgresError, match="权限过宽"):
        embedded_postgres._socket_dir(long_dir)


def test_a_folder_of_another_major_version_is_refused_in_one_line(data_dir: Path) -> None:
    embedded_postgres.start(data_dir)
    embedded_postgres.stop(data_dir)
    version = data_dir / "postgres/cluster/PG_VERSION"
    version.write_text("17\n")
    try:
        with pytest.raises(EmbeddedPostgresError, match=r"PostgreSQL 17.*18.*made by PostgreSQL 17") as refusal:
            embedded_postgres.start(data_dir)
        assert "\n" not in str(refusal.value)
    finally:
        version.write_text("18\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs a user namespace")
def test_root_without_user_namespaces_is_told_so_in_one_line(fresh_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forbidden = fresh_dir / "bin"
    forbidden.mkdir()
    unshare = forbidden / "unshare"
    unshare.write_text("#!/bin/sh\necho 'unshare: unshare failed: Operation not permitted' >&2\nexit 1\n")
    unshare.chmod(0o755)
    monkeypatch.setenv("PATH", str(forbidden), prepend=":")
    with pytest.raises(EmbeddedPostgresError, match=r"用户命名空间.*not permitted.*DOUDI_DATABASE_URL") as refusal:
        embedded_postgres.start(fresh_dir)
    assert "\n" not in str(refusal.value)
    assert not (fresh_dir / "postgres").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="as an ordinary user nothing is mapped")
def test_root_keeps_its_folder_closed(fresh_dir: Path) -> None:
    fresh_dir.chmod(0o700)
    embedded_postgres.start(fresh_dir)
    assert _mode(fresh_dir) == 0o700
    assert (fresh_dir / "postgres/cluster").stat().st_uid == 0


def test_variables_meant_for_another_server_do_no_harm(fresh_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {"PGPORT": "5999", "PGDATA": "/elsewhere", "PGUSER": "someone", "LC_ALL": "xx_XX"}
    for name, value in {**variables, "PGCLIENTENCODING": "LATIN1"}.items():
        monkeypatch.setenv(name, value)
    url = embedded_postgres.start(fresh_dir).owner_url
    assert _query(url, "select current_user") == "postgres"
    monkeypatch.delenv("PGCLIENTENCODING")
    assert _query(url, "show client_encoding") == "UTF8"


def test_a_start_bears_with_the_session_of_a_killed_starter_that_still_makes_the_database(fresh_dir: Path) -> None:
    server = embedded_postgres.start(fresh_dir)
    address = server.owner_url.replace("+psycopg", "").replace("/doudi?", "/postgres?")

    def leftover() -> None:
        # Whichever comes second is told so; here that is no matter.
        with psycopg.connect(address, autocommit=True) as session, suppress(psycopg.Error):
            session.execute("create database doudi")

    for _ in range(5):
        with psycopg.connect(address, autocommit=True) as session:
            session.execute("drop database doudi with (force)")
        sessions = [threading.Thread(target=leftover) for _ in range(3)]
        for thread in sessions:
            thread.start()
        embedded_postgres.start(fresh_dir)
        for thread in sessions:
            thread.join(60)
    embedded_postgres.stop(fresh_dir)
