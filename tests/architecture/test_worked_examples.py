"""The households that a page works through get what the page says."""

import copy
import json

import orjson
import pytest

from services.eligibility.api.household_body import parse_request
from services.eligibility.domain.answer import render_answer
from services.eligibility.gateways.pack_folder import read_packs
from services.eligibility.use_cases.evaluate_household import evaluate_household, pack_set_of
from tests.architecture.documents import ROOT

PAGES = ("docs/explanation/what-undetermined-means.md", "docs/explanation/what-undetermined-means.zh-CN.md")
FAMILY = ROOT / "services" / "cli" / "main_job" / "requests" / "wuhan_family.json"


def savings_unknown(family):
    del family["household"]["assets"]["financial"]


def wages_of_9000_and_savings_unknown(family):
    savings_unknown(family)
    family["household"]["members"][0]["income"][0]["monthly"] = "9000.00"


def income_of_the_wife_unknown(family):
    del family["household"]["members"][1]["income"]


ROWS = [
    (lambda family: None, "1800", ["`eligible`", "1020.00"]),
    (savings_unknown, "1800", ["`undetermined`", "`household.assets.financial`", "`financial_asset_limit`"]),
    (wages_of_9000_and_savings_unknown, "9000", ["`ineligible`", "3000.00", "2060.00"]),
    (
        income_of_the_wife_unknown,
        "1800",
        ["`undetermined`", "600.00", "`household.members[m2].income`", "`old_age_allowance_counted`"],
    ),
]


@pytest.mark.parametrize("page", PAGES)
def test_the_table_of_what_is_settled_says_what_the_engine_says(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    rows = [line.replace(",", "") for line in text.splitlines() if line.startswith("| ") and "`" in line.split("|")[2]]
    assert len(rows) == len(ROWS)
    for row, (change, told, said) in zip(rows, ROWS, strict=True):
        answer = answer_to(change)
        assert told in row.split("|")[1]
        for words in said:
            assert words in row
            assert words.strip("`") in answer


def answer_to(change):
    """The results that the engine gives the changed family, as text."""
    family = copy.deepcopy(json.loads(FAMILY.read_text(encoding="utf-8")))
    change(family)
    family["programmes"] = ["dibao"]
    answer = evaluate_household(pack_set_of(read_packs()), parse_request(json.dumps(family).encode()))
    return orjson.dumps(orjson.loads(render_answer(answer))["results"]).decode()
