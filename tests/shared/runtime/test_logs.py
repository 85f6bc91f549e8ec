"""Logs: JSON lines with keys of the list; a known person's data comes through no way in."""

import json
import subprocess
import sys

import pytest

from services.shared.runtime.logs import ALLOWED_KEYS, keep_allowed_keys

ID_NUMBER, CARD, NAME = "99010219900307663X", "9000000000000000004", "王小明"

SCRIPT = f"""
import asyncio, logging, warnings
from services.shared.runtime.logs import configure_logs, get_logger

configure_logs("payments", "serve")
log = get_logger()
log.info("request", request_id="request_1", name="{NAME}", id_number="{ID_NUMBER}", body={{"card": "{CARD}"}})
log.info("person {ID_NUMBER} and {CARD}", caller="{ID_NUMBER}", count={CARD}, code=b"{ID_NUMBER}", peer=["{NAME}"])
log.debug("below the level")
logging.getLogger("library").warning("no row for %s", "{NAME}")
logging.getLogger("library").warning(ValueError("{NAME} {ID_NUMBER}"))
logging.getLogger("library").info("below the level")
try:
    raise ValueError("{NAME} {ID_NUMBER}")
except ValueError:
    logging.getLogger("library").exception("it failed")
    log.exception("fault", error_type="ValueError")


async def forget():
    async def fail():
        raise ValueError("{NAME} {CARD}")
    asyncio.get_running_loop().create_task(fail())
    await asyncio.sleep(0.05)


asyncio.run(forget())
log.info("last")
"""


@pytest.fixture(scope="module")
def output() -> str:
    """What a process that does all this writes."""
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    return run.stdout + run.stderr


@pytest.mark.parametrize("canary", [ID_NUMBER, CARD, NAME, ID_NUMBER[:11], "Traceback"])
def test_no_personal_data_in_any_line(output, canary):
    assert "last" in output
    assert canary not in output


def test_each_line_is_one_json_object_with_allowed_keys_of_this_process(output):
    lines = [json.loads(line) for line in output.splitlines()]
    assert len(lines) == 8
    for line in lines:
        assert set(line) <= ALLOWED_KEYS
        assert (line["service"], line["process"]) == ("payments", "serve")


def test_the_record_of_a_library_keeps_its_text_its_name_and_the_errors_type(output):
    assert '"event": "no row for %s"' in output and '"logger": "library"' in output
    assert '"error_type": "ValueError"' in output


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("1234567890", "1234567890"),
        ("12345678901", "…"),
        ("at 13800138000 home", "at … home"),
        (9_999_999_999, 9_999_999_999),
        (10_000_000_000, "…"),
        (-10_000_000_000, "…"),
        (1.5, 1.5),
        (True, True),
        (None, None),
        ({"a": 1}, "dict"),
        ("a" * 299 + ID_NUMBER, "a" * 299 + "…"),
        ("a" * 295 + ID_NUMBER, "a" * 295 + "…"),
    ],
)
def test_long_digit_runs_are_masked_and_shorter_ones_kept(value, kept):
    assert keep_allowed_keys(None, "", {"event": value}) == {"event": kept}
