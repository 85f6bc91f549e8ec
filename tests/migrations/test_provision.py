"""`doudi migrate` from the outside: run again, run twice at once, and silent about what it keeps secret."""

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from joserfc.jwk import OKPKey
from sqlalchemy import create_engine, make_url, text

from services.cli.provision import SERVICES, read_environment_file

MIGRATE = [sys.executable, "-c", "from services.cli.main import main; main()", "migrate"]


@pytest.fixture
def start(owner_url, tmp_path):
    """Starts `doudi migrate` on a data folder of the test's own and the module's database."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DOUDI_")}
    address = owner_url.replace("postgresql+psycopg://", "postgresql://")
    environment |= {"DOUDI_DATA_DIR": str(tmp_path / "data"), "DOUDI_DATABASE_URL": address}

    def run(*options: str, **changed: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*MIGRATE, *options], env=environment | changed, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    return run


def finish(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out + err


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def settings_work(data_dir: Path) -> None:
    settings = read_environment_file(data_dir)
    trusted = json.loads(Path(settings["DOUDI_TRUSTED_KEYS_FILE"]).read_text(encoding="utf-8"))["keys"]
    public = {key["kid"]: key["x"] for key in trusted}
    for service in SERVICES:
        url = make_url(settings[f"DOUDI_{service.upper()}_DATABASE_URL"]).set(drivername="postgresql")
        psycopg.connect(url.render_as_string(hide_password=False)).close()
        file = Path(settings[f"DOUDI_{service.upper()}_SIGNING_KEY_FILE"])
        assert OKPKey.import_key(file.read_text(encoding="utf-8")).as_dict(private=False)["x"] == public[service]


def test_several_at_once_on_an_empty_folder_agree_on_keys_and_passwords(start, tmp_path):
    for process in [start() for _ in range(5)]:
        finish(process)
    settings_work(tmp_path / "data")


def test_one_waits_while_another_is_at_it(start, tmp_path):
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    with (data_dir / "migrate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = start()
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(4)
        assert set(files_in(data_dir)) == {"migrate.lock"}
    finish(waiting)
    settings_work(data_dir)


def test_again_keeps_every_key_and_address(start, tmp_path):
    finish(start())
    before = files_in(tmp_path / "data")
    finish(start("--json"))
    assert files_in(tmp_path / "data") == before
    settings_work(tmp_path / "data")


def test_it_says_nothing_secret_and_keeps_its_files_to_the_owner(start, tmp_path):
    said = finish(start()) + finish(start("--json"))
    data_dir = tmp_path / "data"
    settings = read_environment_file(data_dir)
    for service in SERVICES:
        password = make_url(settings[f"DOUDI_{service.upper()}_DATABASE_URL"]).password
        assert password and password not in said
    assert "BEGIN PRIVATE KEY" not in said
    assert data_dir.stat().st_mode & 0o077 == 0
    secret = [
        file for file in data_dir.rglob("*") if file.is_file() and file.suffix in (".pem", ".key", ".env", ".json")
    ]
    assert len(secret) > len(SERVICES)
    assert [file for file in secret if file.stat().st_mode & 0o077] == []


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://nobody:canary@/doudi?host=/nonexistent",
        "canary",
        "mysql://root:canary@localhost/doudi",
        "wrong password",
    ],
)
def test_an_owners_address_that_does_not_work_is_said_so_in_one_line(start, owner_url, tmp_path, address):
    if address == "wrong password":
        address = make_url(owner_url).set(drivername="postgresql", password="canary").render_as_string(False)
    process = start(DOUDI_DATABASE_URL=address)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1 and out == ""
    assert len(err.splitlines()) == 1 and "DOUDI_DATABASE_URL" in err and "canary" not in err
    assert not (tmp_path / "data" / "doudi.env").exists()


def test_a_data_folder_that_cannot_be_made_is_said_so_in_one_line(start, tmp_path):
    (tmp_path / "file").touch()
    _, err = start(DOUDI_DATA_DIR=str(tmp_path / "file" / "data")).communicate(timeout=60)
    assert len(err.splitlines()) == 1 and "file/data" in err


@pytest.fixture
def plain_owner(owner_url, start, tmp_path):
    """An owner of a database who is no administrator, on a server whose administrator made the roles beforehand."""
    finish(start())
    settings = read_environment_file(tmp_path / "data")
    engine = create_engine(owner_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as administrator:
        administrator.execute(text("create role plain_owner login password 'plain' nosuperuser nocreaterole"))
        administrator.execute(text("create database plain owner plain_owner"))
        names = [f"DOUDI_{service.upper()}_DATABASE_URL" for service in SERVICES]
        yield (
            make_url(owner_url).set(
                drivername="postgresql", username="plain_owner", password="plain", database="plain"
            ),
            {name: make_url(settings[name]).set(database="plain").render_as_string(False) for name in names},
        )
        administrator.execute(text("drop database plain with (force)"))
        administrator.execute(text("drop role plain_owner"))
    engine.dispose()


def test_an_owner_who_may_not_make_roles_migrates_with_those_that_an_administrator_made(start, plain_owner, tmp_path):
    owner, addresses = plain_owner
    for _ in range(2):
        folder = str(tmp_path / "other")
        finish(start(DOUDI_DATABASE_URL=owner.render_as_string(False), DOUDI_DATA_DIR=folder, **addresses))
    settings_work(tmp_path / "other")


def test_an_owner_who_may_not_give_passwords_is_told_what_to_do(start, plain_owner, tmp_path):
    owner, _ = plain_owner
    process = start(DOUDI_DATABASE_URL=owner.render_as_string(False), DOUDI_DATA_DIR=str(tmp_path / "other"))
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert len(err.splitlines()) == 1 and "roles.sql" in err
