"""`doudi determine` and `doudi pack`, as a person at a shell meets them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.new_pack import pack_files, request_body

GOLDEN = Path(__file__).parent.parent / "golden"


def doudi(*arguments, stdin=None, **environment):
    command = [sys.executable, "-c", "from services.cli.main import main; main()", *arguments]
    surroundings = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, input=stdin, timeout=120, env=surroundings)


def request_of(name):
    return json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))["request"]


@pytest.fixture
def request_file(tmp_path):
    def write(body):
        file = tmp_path / "request.json"
        file.write_text(json.dumps(body), encoding="utf-8")
        return str(file)

    return write


def test_determine_prints_the_answer_as_json_when_piped(request_file):
    run = doudi("determine", request_file(request_of("w05-wuhan-urban")))
    assert (run.returncode, run.stderr) == (0, "")
    answer = json.loads(run.stdout)
    assert answer["totals"] == {"monthly": "1020.00"}


def test_determine_tries_packs_that_the_request_brings(request_file):
    run = doudi("determine", request_file({**request_body(), "packs": [{"files": pack_files()}]}))
    assert (run.returncode, run.stderr) == (0, "")
    answer = json.loads(run.stdout)
    assert (answer["simulation"], answer["results"][0]["monthly"]) == (True, "200.00")
    run = doudi("determine", request_file({**request_body(), "packs": [{"files": {"pack.toml": "x"}}]}))
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith("/packs: ") and "TOML" in run.stderr and "Traceback" not in run.stderr


def test_determine_reads_standard_input():
    run = doudi("determine", "-", stdin=json.dumps(request_of("w05-wuhan-rural")))
    assert json.loads(run.stdout)["totals"] == {"monthly": "660.00"}


def test_determine_refuses_a_bad_body_in_lines_that_name_the_place(request_file):
    run = doudi("determine", request_file(request_of("b-money-number")))
    assert run.returncode == 1
    assert run.stdout == ""
    assert run.stderr.startswith("/household/members/0/income/0/monthly: money_is_a_number: ")
    assert "Traceback" not in run.stderr and "1800" not in run.stderr


def test_determine_refuses_a_file_that_is_not_there():
    run = doudi("determine", "/nowhere/request.json")
    assert run.returncode == 1
    assert "Traceback" not in run.stderr and "/nowhere/request.json" in run.stderr


def test_pack_test_counts_the_cases(tmp_path):
    run = doudi("pack", "test", "--json")
    report = json.loads(run.stdout)
    assert (run.returncode, report["failed"]) == (0, [])
    assert report["cases"] > 100


@pytest.fixture
def pack_folder(tmp_path):
    """A provincial pack without rules, to be spoiled."""
    source = Path(__file__).parents[2] / "services/eligibility/policy_packs/cn-420000"
    folder = tmp_path / "cn-410000"
    folder.mkdir()
    for name in ("pack.toml", "parameters.csv"):
        (folder / name).write_text((source / name).read_text().replace("420000", "410000"))
    (folder / "rules.toml").write_text("")
    return folder


UNKNOWN_FACT = '[[rule]]\nid = "a.b"\nentity = "household"\ntype = "bool"\nexpr = "household.x"\n'


def test_pack_validate_exits_1_and_names_the_fault(pack_folder):
    (pack_folder / "rules.toml").write_text(UNKNOWN_FACT)
    run = doudi("pack", "validate", str(pack_folder), "--json")
    assert run.returncode == 1
    assert json.loads(run.stdout)[0] == {
        "kind": "fault",
        "pack": "cn-410000",
        "where": "rule a.b",
        "column": 1,
        "problem": {"zh": "household 没有事实 x", "en": "household has no fact x"},
        "remedy": {"zh": "对照事实表核对拼写", "en": "check the spelling against the list of facts"},
    }
    assert doudi("pack", "validate").returncode == 0


def test_pack_validate_shows_square_brackets_on_a_terminal_too(pack_folder):
    (pack_folder / "rules.toml").write_text("rule = 3")
    run = doudi("pack", "validate", str(pack_folder), FORCE_COLOR="1", COLUMNS="200")
    assert "写成 [[rule]] / write [[rule]]" in run.stdout


def test_a_case_whose_request_is_refused_says_so_in_both_languages(pack_folder):
    (pack_folder / "cases").mkdir()
    (pack_folder / "cases/a.toml").write_text('[base.x]\nbody = 1\n[[case]]\nname = "n"\nbase = "x"\nexpect = {}\n')
    run = doudi("pack", "test", str(pack_folder), "--json")
    assert run.returncode == 1
    [failed] = json.loads(run.stdout)["failed"]
    [problem] = failed["problems"]
    assert problem["zh"].startswith("请求被拒绝：/as_of：缺少此项，请补上；")
    assert problem["en"].startswith("the request is refused: /as_of: ")


WITH_A_CASE = """
[base.x]
as_of = "2026-08-15"
region = "410000"
household = { area_type = "urban", members = [{ id = "m1", relation = "head", birth_date = "1980-01-15" }] }
[[case]]
name = "n"
base = "x"
expect = {}
"""


def test_pack_test_refuses_an_unsound_pack_in_one_line(pack_folder):
    (pack_folder / "rules.toml").write_text(UNKNOWN_FACT)
    (pack_folder / "cases").mkdir()
    (pack_folder / "cases/a.toml").write_text(WITH_A_CASE)
    run = doudi("pack", "test", str(pack_folder))
    assert run.returncode == 1
    [line] = run.stderr.splitlines()
    assert "cn-410000: rule a.b, column 1: household 没有事实 x；" in line
    assert " / household has no fact x; " in line
