"""The command's own manners: one clear line in two languages, nothing echoed, no traceback."""

import os
import subprocess
import sys

import pytest

ID_NUMBER = "990100198001150010"
SECRET = "s3cretvalue"


def doudi(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from services.cli.main import main; main()", *arguments]
    env = {**os.environ, **environment}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    "arguments",
    [
        ("token",),
        ("token", "auditor", ID_NUMBER),
        ("token", "auditor", "--region", "abc"),
        ("token", "auditor", f"--nonsense={ID_NUMBER}"),
        ("determine",),
        ("determine", f"/nowhere/{ID_NUMBER}.json"),
        ("nonsense", ID_NUMBER),
        ("doctor", "--jsn"),
    ],
)
def test_wrong_usage_is_one_line_in_two_languages_that_repeats_nothing(arguments, tmp_path):
    done = doudi(*arguments, DOUDI_DATA_DIR=str(tmp_path))
    assert done.returncode in (1, 2)
    (line,) = done.stderr.strip().splitlines()
    assert "/" in line and any("一" <= character <= "鿿" for character in line)
    assert arguments[0] == "determine" or ID_NUMBER not in line


@pytest.mark.parametrize("arguments", [(), ("--help",), ("token", "--help"), ("pack",), ("retry", "--help")])
def test_help_is_help(arguments):
    done = doudi(*arguments)
    assert "Usage" in done.stdout + done.stderr and "Traceback" not in done.stderr


def test_a_wrong_setting_is_named_and_not_shown(tmp_path):
    done = doudi("doctor", DOUDI_DATA_DIR=str(tmp_path), DOUDI_MODE=SECRET)
    assert done.returncode == 1 and "DOUDI_MODE" in done.stdout
    assert SECRET not in done.stdout + done.stderr and "Traceback" not in done.stderr


def test_doctor_looks_at_what_is_in_force(tmp_path):
    assert "9999" in doudi("doctor", DOUDI_DATA_DIR=str(tmp_path), DOUDI_ELIGIBILITY_PORT="9999").stdout


@pytest.mark.parametrize("command", ["run", "migrate"])
def test_a_data_folder_that_is_a_file_is_one_line(command, tmp_path):
    (tmp_path / "file").touch()
    done = doudi(command, DOUDI_DATA_DIR=str(tmp_path / "file"))
    assert done.returncode == 1 and len(done.stderr.strip().splitlines()) == 1 and "Traceback" not in done.stderr


def test_a_damaged_development_key_is_one_line(tmp_path):
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "development.pem").write_text("damaged")
    done = doudi("token", "auditor", DOUDI_DATA_DIR=str(tmp_path))
    assert done.returncode == 1 and len(done.stderr.strip().splitlines()) == 1


def test_retry_says_how_many_went_on_their_way(service_environment):
    done = doudi("retry", **service_environment)
    assert done.returncode == 0 and len(done.stdout.strip().splitlines()) == 3


def test_doctor_asks_for_a_look_at_what_is_parked(service_environment, owner_url):
    from sqlalchemy import create_engine, text

    engine = create_engine(owner_url)
    with engine.begin() as owner:
        owner.execute(
            text(
                "insert into eligibility.outbox_messages (id, kind, entity_id, created_at, parked_at)"
                " values ('message_x', 'award_confirmed', 'award_x', now(), now())"
            )
        )
    engine.dispose()
    assert "doudi retry" in doudi("doctor", **service_environment).stdout
    assert "eligibility: 1 条消息" in doudi("retry", **service_environment).stdout
    assert "doudi retry" not in doudi("doctor", **service_environment).stdout
