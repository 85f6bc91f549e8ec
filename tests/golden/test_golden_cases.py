"""The contract's cases, in process: those of the programmes and places that the packs hold; the others are listed."""

import json
from pathlib import Path

import pytest

from services.eligibility.api.household_body import parse_request
from services.eligibility.domain.answer import render_answer
from services.eligibility.gateways.pack_folder import read_packs
from services.eligibility.use_cases.evaluate_household import evaluate_household, pack_set_of
from services.shared.vocabulary.invalid_body import InvalidBody

CASES = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in Path(__file__).parent.glob("*.json")}

ABSENT = set()
LEFT_OPEN = {"undetermined"}
LATER: dict[str, dict[str, set[str]]] = {}
"""Cases of programmes and places that no pack holds yet, with the outcomes that each wanted programme has meanwhile:
left open where the request names it, absent where it asks for all that there is. A pack that comes changes its line."""

REFUSED = {"b-money-number": [("/household/members/0/income/0/monthly", "money_is_a_number")]}
"""Cases that are refused: where, and why."""


@pytest.fixture(scope="module")
def packs():
    return pack_set_of(read_packs())


@pytest.mark.parametrize("name", sorted(CASES.keys() - LATER))
def test_case_holds(packs, name):
    case = CASES[name]
    if case["expect"].get("error"):
        with pytest.raises(InvalidBody) as refused:
            parse_request(_body(case))
        assert [(error.pointer, error.code) for error in refused.value.errors] == REFUSED[name]
        return
    answer = _answer(packs, case)
    expect = dict(case["expect"])
    for wanted in expect.pop("results"):
        found = [result for result in answer["results"] if _is_about(wanted, result)]
        assert any(wanted.items() <= result.items() for result in found), (wanted, found)
    assert {key: answer[key] for key in expect} == expect


@pytest.mark.parametrize("name", sorted(LATER))
def test_a_case_of_a_later_programme_is_left_open_and_not_guessed(packs, name):
    results = _answer(packs, CASES[name])["results"]
    wanted = {result["programme"] for result in CASES[name]["expect"]["results"]}
    found = {code: {result["outcome"] for result in results if result["programme"] == code} for code in wanted}
    assert found == LATER[name]
    for result in results:
        assert result["outcome"] == "eligible" or not result.keys() & {"monthly", "one_off"}


def test_every_case_of_the_lists_exists():
    assert set(CASES) >= LATER.keys() | REFUSED.keys()


def _body(case):
    return json.dumps(case["request"]).encode()


def _answer(packs, case):
    return json.loads(render_answer(evaluate_household(packs, parse_request(_body(case)))))


def _is_about(wanted, result):
    return wanted["programme"] == result["programme"] and wanted.get("subject", result["subject"]) == result["subject"]
