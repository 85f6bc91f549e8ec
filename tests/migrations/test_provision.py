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
from sqlalchemy import make_url

from services.cli.provision import SERVICES, read_environment_file

MIGRATE = [sys.executable, "-c", "from services.cli.main import main; main()", "migrate"]


@pytest.fixture
def start(owner_url, tmp_path):
    """Starts `doudi migrate` on a data folder of the test's own and the module's database."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DOUDI_")}
    address = owner_url.replace("postgresql+psycopg://", "postgresql://")
    environment |= {"DOUDI_DATA_DIR": str(tmp_path / "data"), "DOUDI_DATABASE_URL": address}

    def run(*options: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*MIGRATE, *options], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
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
