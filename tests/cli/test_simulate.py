"""`doudi simulate` as it is typed: cliffs of a household, and what is wrong said in one line that repeats no value."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from services.cli import main_job
from services.eligibility.domain.facts import SCHEMA
from services.shared.policy.columns.table import rows_to_table
from tests.eligibility.population.agreement import with_real_days
from tests.eligibility.proof.bases import bases
from tests.eligibility.proof.worlds import worlds
from tests.shared.policy.test_pack import FILES as LEAST_PACK

COUPLE = Path(main_job.__file__).parent / "requests" / "wuhan_couple.json"
DOUDI = [sys.executable, "-c", "from services.cli.main import main; main()"]


def simulate(*arguments):
    return subprocess.run([*DOUDI, "simulate", *map(str, arguments)], capture_output=True, text=True, timeout=120)


def test_cliffs_are_shown_and_drawn(tmp_path):
    chart = tmp_path / "curve.svg"
    done = simulate("--cliffs", COUPLE, "--member", "m1", "--to", "4000.00", "--json", "--chart", chart)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["cliffs"] == [] and found["points"][0]["income"] == "0.00"
    assert found["points"][-1] == {"income": "4000.00", "support": "0.00", "disposable": "4000.00"}
    assert any(["dibao", "household"] in line["ends"] for line in found["lines"])
    assert chart.read_text(encoding="utf-8").startswith("<svg")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ((), 2, "name a population"),
        (("p.parquet", "--as-of", "tomorrow", "--set", "a=1"), 2, "--as-of"),
        (("p.parquet", "--as-of", "2026-08-01", "--by", "village", "--set", "a=1"), 2, "--by is one of"),
        (("p.parquet", "--as-of", "2026-08-01", "--losers", "x.txt", "--set", "a=1"), 2, ".csv"),
        (("p.parquet", "--as-of", "2026-08-01", "--set", "secret value"), 2, "write --set as"),
        (("p.parquet", "--as-of", "2026-08-01", "--set", "a=1"), 1, "p.parquet does not exist"),
        (("--cliffs", COUPLE, "--member", "m9"), 1, "--member is in the household"),
        (("--cliffs", COUPLE, "--member", "m1", "--to", "4000"), 2, "write an amount as"),
        (("--cliffs", COUPLE, "--member", "m1", "--chart", "x.png"), 2, ".svg"),
        (("--cliffs", "nowhere.json", "--member", "m1"), 1, "cannot be read"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(arguments, code, says):
    done = simulate(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr and done.stderr.count("\n") == 1 and "secret" not in done.stderr


@pytest.fixture
def county(tmp_path):
    rows = [with_real_days(row) for _, row in bases(worlds(date(2026, 8, 1)))[:3]]
    pq.write_table(rows_to_table(SCHEMA, rows, ["420100"] * 3), tmp_path / "county.parquet")
    return tmp_path / "county.parquet"


def test_the_population_is_never_written_over(county):
    before, link = county.read_bytes(), county.with_name("losers.parquet")
    link.hardlink_to(county)
    for losers in (county, link):
        done = simulate(county, "--as-of", "2026-08-01", "--set", "dibao_standard=1.00", "--losers", losers)
        assert (done.returncode, done.stdout) == (2, "") and "cannot be the population's own file" in done.stderr
    assert county.read_bytes() == before


def test_a_national_pack_without_income_a_head_is_told_in_one_line(county, tmp_path):
    packs = tmp_path / "packs"
    (packs / "cn").mkdir(parents=True)
    for name, content in LEAST_PACK.items():
        (packs / "cn" / name).write_bytes(content)
    done = simulate(county, "--as-of", "2026-08-01", "--packs", packs, "--against", packs)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no pack has the rule income.per_head" in done.stderr and done.stderr.count("\n") == 1
