"""`doudi population` and `doudi screen`, as a person at a shell meets them, with the shipped packs."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from services.eligibility.api.household_body import parse_request
from services.eligibility.domain.facts import SCHEMA
from services.eligibility.gateways.pack_folder import read_packs
from services.eligibility.use_cases.evaluate_household import evaluate_household, pack_set_of

GOLDEN = Path(__file__).parent.parent / "golden"
ON = "2026-08-01"


@pytest.fixture(scope="module")
def doudi(tmp_path_factory):
    surroundings = {**os.environ, "DOUDI_DATA_DIR": str(tmp_path_factory.mktemp("data"))}

    def run(*arguments):
        command = [sys.executable, "-c", "from services.cli.main import main; main()", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=300, env=surroundings)

    return run


def requests():
    """The golden requests that can be read and bring nothing of their own."""
    for file in sorted(GOLDEN.glob("w*.json")):
        request = json.loads(file.read_text(encoding="utf-8"))["request"]
        if not request.get("parameters") and not request.get("packs"):
            yield request


@pytest.fixture(scope="module")
def population(doudi, tmp_path_factory):
    folder = tmp_path_factory.mktemp("population")
    lines = [json.dumps(request) for request in requests()]
    (folder / "lines.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    run = doudi("population", folder / "lines.jsonl", folder / "in.parquet")
    assert (run.returncode, run.stderr) == (0, "")
    assert not (folder / "in.parquet.rejects.jsonl").exists()
    return folder / "in.parquet"


def test_a_population_gets_what_each_household_gets(doudi, population, tmp_path):
    run = doudi("screen", population, tmp_path / "out.parquet", "--as-of", ON, "--json")
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["rejected"] == 0
    found = pq.read_table(tmp_path / "out.parquet").to_pylist()
    packs = pack_set_of(read_packs())
    asked = [parse_request(json.dumps(request).encode()) for request in requests()]
    answers = [
        evaluate_household(packs, replace(each, as_of=date.fromisoformat(ON), programmes=None)) for each in asked
    ]
    assert [each["id"] for each in found] == list(range(1, len(asked) + 1))
    assert [(each["category"], each["monthly_total_fen"]) for each in found] == [
        (answer.category, answer.monthly_total_fen) for answer in answers
    ]


def test_the_programmes_of_a_request_are_not_kept(doudi, tmp_path):
    good = next(requests())
    lines = [{**good, "programmes": ["dibao"]}, {key: value for key, value in good.items() if key != "programmes"}]
    (tmp_path / "lines.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    assert doudi("population", tmp_path / "lines.jsonl", tmp_path / "in.parquet").returncode == 0
    one, other = pq.read_table(tmp_path / "in.parquet").drop_columns(["id"]).to_pylist()
    assert one == other and one["asked_tekun"] is True


def test_wrong_lines_are_listed_and_the_others_written(doudi, tmp_path):
    good, whole = next(requests()), tmp_path / "lines.jsonl"
    secret = {**good, "region": "99x001"}
    event = {"kind": "fire", "on": good["as_of"], "requested": "100.00", "persons": 1}
    here, away = ({**good, "events": [{**event, "region": place}]} for place in (good["region"], "110000"))
    assert good["region"] != "110000"
    lines = [json.dumps(good), "{", json.dumps(secret), json.dumps({**good, "parameters": {"dibao_floor": "9.00"}})]
    lines += [json.dumps(here), json.dumps(away)]
    whole.write_text("\n".join(lines), encoding="utf-8")
    run = doudi("population", whole, tmp_path / "in.parquet", "--json")
    assert (run.returncode, json.loads(run.stdout)["wrong_lines"]) == (3, 4)
    listed = [json.loads(line) for line in (tmp_path / "in.parquet.rejects.jsonl").read_text().splitlines()]
    assert [each["line"] for each in listed] == [2, 3, 4, 6] and "99x001" not in str(listed)
    assert all(error["zh"] and error["en"] for each in listed for error in each["errors"])
    assert pq.read_table(tmp_path / "in.parquet", columns=["id"])["id"].to_pylist() == [1, 5]


def test_rejected_rows_exit_3_and_a_second_run_says_the_same(doudi, population, tmp_path):
    table = pq.read_table(population)
    at = table.schema.get_field_index("region")
    pq.write_table(table.set_column(at, "region", [["000000"] * table.num_rows]), tmp_path / "in.parquet")
    for _ in range(2):
        run = doudi("screen", tmp_path / "in.parquet", tmp_path / "out.parquet", "--as-of", ON)
        assert run.returncode == 3
        assert f"{table.num_rows} rejected" in run.stdout


@pytest.mark.parametrize(
    "arguments, code, said",
    [
        (["--as-of", "1 August"], 2, "2026-08-01"),
        (["--as-of", ON, "--engine", "dask"], 2, "spark"),
        (["--as-of", ON, "--region-column", "place"], 1, "--region-column"),
        (["--as-of", ON, "--packs", "/nowhere"], 1, "unsound"),
    ],
)
def test_what_cannot_begin_says_why_in_one_line(doudi, population, tmp_path, arguments, code, said):
    run = doudi("screen", population, tmp_path / "out.parquet", *arguments)
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (code, "", 1)
    assert said in run.stderr and not list(tmp_path.iterdir())


def test_the_reference_names_every_column():
    text = (Path(__file__).parents[2] / "docs" / "reference" / "population-files.md").read_text(encoding="utf-8")
    parts = dict(zip(SCHEMA.by_name, text.split("\n### ")[1:], strict=True))
    for entity in SCHEMA.entities:
        wanted = {fact.name for fact in entity.facts} | {code for fact in entity.facts for code in fact.kind.codes}
        assert [name for name in sorted(wanted) if f"`{name}`" not in parts[entity.name]] == []
