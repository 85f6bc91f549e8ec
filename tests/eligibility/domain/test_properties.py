"""What must hold for any household: same answer twice, nothing gained by hiding a fact, nothing by earning more."""

import copy
import itertools
import json
import os
import random
import subprocess
import sys
from pathlib import Path

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from services.eligibility.api.household_body import parse_request
from services.eligibility.domain.answer import render_answer
from services.eligibility.domain.determination import evaluate, with_overrides
from services.eligibility.domain.facts import read_facts
from services.eligibility.domain.subjects import names_of
from services.eligibility.gateways.pack_folder import read_packs
from services.eligibility.use_cases.evaluate_household import pack_set_of
from services.shared.policy.abstract import AbstractEvaluator, is_single, only_value
from services.shared.policy.evaluation import Evaluation
from services.shared.policy.explanation import Explanation, reasons_of, shown_value
from services.shared.policy.open_value import OPEN, Unknown
from services.shared.policy.reason_template import GAP
from services.shared.policy.schema import BOOL, MONEY
from services.shared.policy.tree import RuleRef
from services.shared.policy.truth import EITHER, FALSE, TRUE
from services.shared.vocabulary.money import fen_of, yuan_of
from tests.eligibility.proof.bodies import (
    at_threshold,
    digest_of_golden_answers,
    facts,
    golden_bodies,
    value_at,
    with_value,
    without,
)
from tests.eligibility.proof.bodies import outcomes as outcomes_of

PACKS = pack_set_of(read_packs())
PROGRAMMES = ("dibao", "dibao_margin", "dibao_single", "tekun", "small_advance")
PLACES = [("420100", "2023-08-01"), ("530113", "2025-08-01"), ("360700", "2025-08-01"), ("530113", "2026-03-01")]

quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
slow = settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])

money = st.sampled_from(["0.00", "0.01", "559.99", "560.00", "744.00", "1800.00", "2820.00", "2820.01", "4230.00"])
birth = st.sampled_from(
    ["1940-01-01", "1955-08-01", "1962-03-01", "1980-01-15", "2004-01-01", "2008-09-01", "2015-01-01"]
)
disability = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {
            "category": st.sampled_from(["visual", "hearing", "physical", "intellectual", "mental"]),
            "grade": st.integers(1, 4),
        }
    ),
)
income = st.lists(
    st.fixed_dictionaries(
        {"kind": st.sampled_from(["wage", "property", "base_pension", "disability_subsidy", "other"]), "monthly": money}
    ),
    max_size=2,
)
benefits = st.sampled_from([[], [{"programme": "dibao", "monthly": "100.00"}]])
supporter = st.fixed_dictionaries(
    {
        "birth_date": birth,
        "disability": disability,
        "per_capita_income": money,
        "property_ok": st.booleans(),
        "benefits": benefits,
        "circumstances": st.sampled_from([[], ["imprisoned"], ["deceased"]]),
        "legal_capacity": st.booleans(),
    }
)
person = st.fixed_dictionaries(
    {
        "birth_date": birth,
        "disability": disability,
        "serious_illness": st.booleans(),
        "employment": st.sampled_from(["employed", "unemployed"]),
        "income": income,
        "benefits": benefits,
        "circumstances": st.sampled_from([[], [], ["imprisoned"]]),
        "supporters": st.lists(supporter, max_size=2),
        "self_care_failures": st.sampled_from([0, 1, 3, 4, 6]),
        "care_arrangement": st.sampled_from(["home", "institution"]),
    }
)
assets = st.fixed_dictionaries(
    {
        "financial": st.sampled_from(["0.00", "0.00", "5000.00"]),
        "vehicles": st.sampled_from([[], [], [{"kind": "car"}], [{"kind": "farm"}]]),
        "homes": st.integers(0, 2),
        "non_residential": st.sampled_from([0, 0, 1]),
        "businesses": st.sampled_from([[], [{"registered_capital": "100000.01"}]]),
    }
)


@st.composite
def bodies(draw):
    members = draw(st.lists(person, min_size=1, max_size=3))
    relations = ["head", draw(st.sampled_from(["spouse", "parent", "child"])), "child"]
    for index, member in enumerate(members):
        member |= {"id": f"m{index}", "relation": relations[index]}
    region, as_of = draw(st.sampled_from(PLACES))
    return {
        "as_of": as_of,
        "region": region,
        "events": draw(
            st.sampled_from([[], [{"kind": "fire", "on": "2020-01-01", "requested": "900.00", "persons": 2}]])
        ),
        "household": {
            "area_type": draw(st.sampled_from(["urban", "rural"])),
            "members": members,
            "assets": draw(assets),
        },
    }


def answer(body, programme=None):
    asked = body if programme is None else {**body, "programmes": [programme]}
    request = parse_request(json.dumps(asked).encode())
    return evaluate(PACKS.prepare(request.region, request.as_of), request)


def outcomes(body, programme):
    return {result.subject: result for result in answer(body, programme).results}


@slow
@given(bodies())
def test_the_same_request_gives_the_same_bytes_from_packs_read_anew(body):
    request = parse_request(json.dumps(body).encode())
    again = pack_set_of(read_packs()).prepare(request.region, request.as_of)
    assert render_answer(answer(body)) == render_answer(evaluate(again, request))


def test_other_processes_with_other_hash_seeds_give_the_same_bytes():
    every = 80
    code = f"from {digest_of_golden_answers.__module__} import digest_of_golden_answers as d; print(d({every}))"
    root = Path(__file__).parents[3]
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert digests == {digest_of_golden_answers(every)}


def places_to_hide(body):
    household = body["household"]
    yield household, "area_type"
    for key in household["assets"]:
        yield household["assets"], key
    for member in household["members"]:
        for key in ("birth_date", "disability", "serious_illness", "employment", "income", "supporters"):
            yield member, key
        for key in ("self_care_failures", "care_arrangement", "benefits"):
            yield member, key
        for supporter in member["supporters"]:
            for key in ("birth_date", "disability", "per_capita_income", "property_ok", "benefits"):
                yield supporter, key


@quick
@given(bodies(), st.sampled_from(PROGRAMMES), st.data())
def test_hiding_facts_keeps_the_outcome_or_opens_it(body, programme, data):
    known = outcomes(body, programme)
    hidden = copy.deepcopy(body)
    places = list(places_to_hide(hidden))
    for index in data.draw(st.sets(st.integers(0, len(places) - 1), min_size=1, max_size=3)):
        places[index][0].pop(places[index][1], None)
    for subject, result in outcomes(hidden, programme).items():
        if result.outcome == "undetermined":
            assert result.missing_facts or result.missing_parameters
            continue
        assert (result.outcome, result.monthly_fen) == (known[subject].outcome, known[subject].monthly_fen)


@quick
@given(bodies(), st.sampled_from(PROGRAMMES), st.data())
def test_telling_what_is_missing_settles_the_outcome(body, programme, data):
    """One who tells every fact that an answer names, and nothing else, is never asked for another fact."""
    hidden = copy.deepcopy(body)
    places = list(places_to_hide(hidden))
    chosen = data.draw(st.sets(st.integers(0, len(places) - 1), min_size=1, max_size=4))
    for index in chosen:
        places[index][0].pop(places[index][1], None)
    for subject, result in outcomes(hidden, programme).items():
        if not result.missing_facts:
            continue
        told = copy.deepcopy(hidden)
        for path in result.missing_facts:
            tell(told, body, path)
        assert outcomes(told, programme)[subject].missing_facts == (), path


def tell(body, source, path):
    if path == "events" or path.startswith("events["):
        body["events"] = source["events"]
        return
    holder, origin = body["household"], source["household"]
    rest = path.removeprefix("household.")
    if rest.startswith("members["):
        name, rest = rest.removeprefix("members[").split("].", 1)
        index = int(name[1:])
        holder, origin = holder["members"][index], origin["members"][index]
        if rest.startswith("supporters["):
            number, rest = rest.removeprefix("supporters[").split("].", 1)
            holder, origin = holder["supporters"][int(number)], origin["supporters"][int(number)]
    elif rest.startswith("assets."):
        holder, origin, rest = holder["assets"], origin["assets"], rest.removeprefix("assets.")
    holder[rest] = origin[rest]


@quick
@given(bodies(), st.integers(0, 2), st.sampled_from(["0.01", "100.00", "744.00"]))
def test_more_income_never_raises_dibao(body, index, more):
    assume(index < len(body["household"]["members"]))
    richer = copy.deepcopy(body)
    richer["household"]["members"][index]["income"].append({"kind": "other", "monthly": more})
    before, after = outcomes(body, "dibao")["household"], outcomes(richer, "dibao")["household"]
    assert (after.monthly_fen or 0) <= (before.monthly_fen or 0) or before.outcome == "undetermined"
    if before.outcome == "ineligible":
        assert after.outcome == "ineligible"
    for subject, result in outcomes(richer, "tekun").items():
        # Support of the destitute may begin when income makes a supporter poorer in nothing: never by earning oneself.
        own = subject == f"m{index}"
        if own and outcomes(body, "tekun")[subject].outcome == "ineligible":
            assert result.outcome == "ineligible"


# --- what the law makes monotone -----------------------------------------------------------------------------------


@st.composite
def golden(draw, programme):
    """A golden request at some threshold, asked for one programme alone, so that no other takes a person away."""
    body = draw(st.sampled_from(golden_bodies()))
    alone = {**body, "programmes": [programme]}
    return at_threshold(alone, random.Random(draw(st.integers(0, 2**16))))


def is_granted(body, programme):
    return {key: found for key, found in outcomes_of(body).items() if key[0] == programme and found[0] == "eligible"}


def with_standard(body, fen):
    return {**body, "parameters": {**body.get("parameters", {}), "dibao_standard": yuan_of(fen)}}


@quick
@given(golden("dibao"), st.integers(1, 40_000))
def test_a_higher_standard_never_gives_less_dibao(body, more):
    """Dibao is the difference between standard and income (Social Assistance Law Art. 18; Decree 649 Art. 12)."""
    request = parse_request(body)
    table = PACKS.prepare(request.region, request.as_of).parameters["dibao_standard"]
    own = body.get("parameters", {}).get("dibao_standard")
    held = [value for value in table.values() if isinstance(value, int)]
    assume(own is not None or held)
    least = fen_of(own) if own is not None else max(held)
    low, high = (with_standard(body, fen) for fen in (least, least + more))
    after = outcomes_of(high)
    for key, (_, monthly, _) in is_granted(low, "dibao").items():
        assert after[key][0] == "eligible" and after[key][1] >= monthly


@quick
@given(st.sampled_from(["dibao", "tekun", "small_advance"]).flatmap(lambda name: golden(name)), st.integers(1, 10**7))
def test_more_savings_never_turn_a_refusal_into_a_grant(body, more):
    """Property above the limits refuses (Law Art. 18 and 19; Decree 649 Art. 9); a limit has no upper side."""
    savings = body["household"].get("assets", {}).get("financial")
    assume(savings is not None)
    richer = with_value(body, ("household", "assets", "financial"), yuan_of(fen_of(savings) + more))
    before = outcomes_of(body)
    for key, found in outcomes_of(richer).items():
        if found[0] == "eligible":
            assert before[key] == found


NO_RESULT = ("undetermined", None)


@quick
@given(golden("disability_care_subsidy"), st.integers(1, 3))
def test_a_worse_grade_never_loses_the_care_subsidy(body, grades_worse):
    """It is for the severely disabled; where a place extends it, to grades beside theirs (Guofa 2015 No. 52, II.2)."""
    members = body["household"]["members"]
    for index, member in enumerate(members):
        disability = member.get("disability")
        if not disability or disability.get("category", "multiple") == "multiple" or "grade" not in disability:
            continue
        worse = max(disability["grade"] - grades_worse, 1)
        changed = with_value(body, ("household", "members", index, "disability", "grade"), worse)
        after = outcomes_of(changed)
        key = ("disability_care_subsidy", member["id"])
        # Before the subsidy there was none to lose, and no result of a member.
        assert outcomes_of(body).get(key, NO_RESULT)[0] != "eligible" or after[key][0] == "eligible"


@quick
@given(golden("old_age_allowance"), st.integers(1, 30))
def test_growing_older_never_loses_the_old_age_allowance(body, years):
    """It is for the aged from eighty on, without an upper age (Law on the Elderly Art. 33)."""
    before = outcomes_of(body)
    for index, member in enumerate(body["household"]["members"]):
        born = member.get("birth_date")
        if born is None or before.get(("old_age_allowance", member["id"]), ("",))[0] != "eligible":
            continue
        older = with_value(body, ("household", "members", index, "birth_date"), f"{int(born[:4]) - years}{born[4:8]}01")
        assert outcomes_of(older)["old_age_allowance", member["id"]][0] == "eligible"


# --- unknown facts -------------------------------------------------------------------------------------------------

ABLE_SON = {
    "relation": "child",
    "birth_date": "1990-01-01",
    "disability": None,
    "employment": "employed",
    "per_capita_income": "90000.00",
    "property_ok": False,
    "legal_capacity": True,
    "benefits": [],
    "circumstances": [],
}
ABOUT = {
    "area_type": ("urban", "rural"),
    "financial": ("0.00", "5000.00", "50000.00", "2000000.00"),
    "homes": (0, 1, 2),
    "non_residential": (0, 1),
    "vehicles": ([], [{"kind": "car"}], [{"kind": "motorcycle"}]),
    "businesses": ([], [{"registered_capital": "900000.00"}]),
    "birth_date": ("1930-05-01", "1950-05-01", "1962-05-01", "1985-05-01", "2009-05-01", "2016-05-01"),
    "disability": (
        None,
        *(
            {"category": category, "grade": grade}
            for category in ("visual", "physical", "mental")
            for grade in (1, 3, 4)
        ),
    ),
    "serious_illness": (False, True),
    "employment": ("employed", "unemployed"),
    "income": (
        [],
        *([{"kind": kind, "monthly": "1234.56"}] for kind in ("wage", "base_pension", "other")),
        # So close that one lies between the standard and 1.5 times it, whatever place and size of household.
        *([{"kind": "other", "monthly": f"{yuan}.00"}] for yuan in (650, 900, 1300, 1850, 2650, 3800, 5500, 90000)),
    ),
    "benefits": ([], *([{"programme": name, "monthly": "100.00"}] for name in ("dibao", "tekun", "old_age_allowance"))),
    "circumstances": ([], ["imprisoned"], ["missing"], ["deceased"]),
    "self_care_failures": (0, 1, 3, 4, 6),
    "care_arrangement": ("home", "institution"),
    "needs_long_term_care": (False, True),
    "supporters": ([], [ABLE_SON], [{**ABLE_SON, "per_capita_income": "0.00"}]),
    "per_capita_income": ("0.00", "1500.00", "90000.00"),
    "property_ok": (False, True),
    "legal_capacity": (False, True),
}
"""For each fact that may be left out, some of what it could be."""


@st.composite
def partly_known(draw):
    """A golden request at some threshold, for one programme; the same with facts left out; and the ways to these."""
    programme = draw(st.sampled_from([*PROGRAMMES, "disability_care_subsidy", "temporary_aid"]))
    body = draw(golden(programme))
    ways = [way for way in facts(body) if way[-1] in ABOUT]
    assume(ways)
    left_out = draw(st.lists(st.sampled_from(ways), min_size=1, max_size=3, unique=True))
    # A fact inside a list that is left out is not there to be told.
    left_out = [way for way in left_out if not any(way != other and way[: len(other)] == other for other in left_out)]
    return body, without(body, left_out), left_out


def completions(hidden, ways, chance, most):
    """The request with a value at each way, in as many ways as there are or `most`, by lot."""
    options = [ABOUT[way[-1]] for way in ways]
    every = list(itertools.islice(itertools.product(*options), 5_000))
    for values in chance.sample(every, min(most, len(every))):
        body = hidden
        for way, value in zip(ways, values, strict=True):
            body = with_value(body, way, value)
        yield body


def takes_somebody_away(body, ways):
    """Whether hidden aid takes a person out of the household's dibao: that acts only where it is told to be drawn."""
    told = (item for way in ways if way[-1] == "benefits" for item in value_at(body, way))
    return any(item["programme"] in ("tekun", "orphan_allowance") for item in told)


@quick
@given(partly_known(), st.integers(0, 2**16))
def test_what_is_settled_without_a_fact_is_so_whatever_the_fact_is(household, seed):
    body, hidden, ways = household
    open_results = {
        (result.programme, result.subject)
        for result in answer(hidden).results
        # Granted by its own conditions, and said to give way perhaps to what is open still.
        if result.outcome == "undetermined" or result.may_be_excluded_by
    }
    settled = {key: found for key, found in outcomes_of(hidden).items() if key not in open_results}
    for completed in (body, *completions(hidden, ways, random.Random(seed), 8)):
        if takes_somebody_away(completed, ways):
            continue
        after = outcomes_of(completed)
        assert {key: after[key] for key in settled} == settled, completed


@quick
@given(partly_known(), st.integers(0, 2**16))
def test_each_fact_that_is_asked_for_can_change_the_result(household, seed):
    """Two households that differ in it alone, and in what else was left out alike, have different results."""
    _, hidden, ways = household
    paths = {path_of(hidden, way): way for way in ways}
    for result in answer(hidden).results:
        # Of more facts each is named that the result may hang on.
        if result.outcome != "undetermined" or not 0 < len(result.missing_facts) <= 3 or result.missing_parameters:
            continue
        for path in set(result.missing_facts) & paths.keys():
            assert changes(hidden, ways, paths[path], (result.programme, result.subject), random.Random(seed)), path


def changes(hidden, ways, way, key, chance):
    others = [other for other in ways if other != way]
    for completed in completions(hidden, others, chance, 60):
        found = {outcomes_of(with_value(completed, way, value))[key] for value in ABOUT[way[-1]]}
        if len(found) > 1:
            return True
    return False


def path_of(body, way):
    """A way as `missing_facts` spells it."""
    text = ""
    for index, key in enumerate(way):
        if isinstance(key, int):
            members = index > 0 and way[index - 1] == "members"
            text += f"[{value_at(body, way[: index + 1])['id'] if members else key}]"
        else:
            text += f".{key}" if text else key
    return text


# --- two evaluators ------------------------------------------------------------------------------------------------


def every_row(evaluation, entity):
    if entity == "household":
        return [evaluation.root]
    parent = evaluation.policy.book.schema.by_name[entity].parent
    return [row for above in every_row(evaluation, parent) for row in evaluation.rows(entity, above)]


@quick
@given(bodies(), st.data())
def test_the_program_and_the_abstract_evaluator_agree_on_every_rule(body, data):
    places = list(places_to_hide(body))
    for index in data.draw(st.sets(st.integers(0, len(places) - 1), max_size=3)):
        places[index][0].pop(places[index][1], None)
    request = parse_request(json.dumps(body).encode())
    policy = with_overrides(PACKS.prepare(request.region, request.as_of), request)
    evaluation = Evaluation(policy, read_facts(request, policy.book.presumptions))
    held = {name: policy.held(name) for name in policy.parameters}
    alone = AbstractEvaluator(
        policy.book, policy.parameters, held, (policy.as_of, policy.as_of), lambda rule, row: OPEN
    )
    for name, rule in policy.book.rules.items():
        for row in every_row(evaluation, rule.entity):
            computed = evaluation.value(name, row)
            if not isinstance(computed, Unknown):
                possible, _ = alone.rule(name, row)
                assert is_single(possible) and only_value(possible) == computed, (name, row.indices)


# --- explanations -----------------------------------------------------------------------------------------------------

explained = settings(quick, max_examples=15)


def some_evaluation(body, data):
    """The body run through its policy, with up to four facts hidden, and a means to explain it."""
    places = list(places_to_hide(body))
    for index in data.draw(st.sets(st.integers(0, len(places) - 1), max_size=4)):
        places[index][0].pop(places[index][1], None)
    request = parse_request(json.dumps(body).encode())
    policy = PACKS.prepare(request.region, request.as_of)
    evaluation = Evaluation(policy, read_facts(request, policy.book.presumptions))
    return evaluation, lambda: Explanation(evaluation, names_of(request))


def every_reason(evaluation, explanation):
    for name, rule in evaluation.policy.book.rules.items():
        for row in every_row(evaluation, rule.entity):
            yield rule, row, explanation.reason(name, row)


@explained
@given(bodies(), st.data())
def test_each_reason_is_the_same_text_whatever_was_explained_before(body, data):
    evaluation, explanation = some_evaluation(body, data)
    texts = [text for _, _, text in every_reason(evaluation, explanation())]
    rows = [
        (name, row) for name, rule in evaluation.policy.book.rules.items() for row in every_row(evaluation, rule.entity)
    ]
    another = explanation()
    assert [another.reason(name, row) for name, row in reversed(rows)] == texts[::-1]


@explained
@given(bodies(), st.data())
def test_each_value_shown_is_the_programs_own_and_open_only_where_ranges_are(body, data):
    evaluation, explanation = some_evaluation(body, data)
    for rule, row, text in every_reason(evaluation, explanation()):
        (reason,) = reasons_of([text])
        for name, node in rule.values.items():
            possible, _ = evaluation.node_seen(node, row)
            assert reason.values[name] == shown_value(possible, node.kind), (rule.id, name)
            if isinstance(node, RuleRef) and not isinstance(value := evaluation.value(node.rule, row), Unknown):
                assert reason.values[name] == (yuan_of(value) if node.kind is MONEY else reason.values[name])
        if GAP in reason.values:
            upper, lower = (evaluation.node_seen(rule.values[name], row)[0] for name in rule.written.gap)
            known = is_single(upper) and is_single(lower)
            assert not known or reason.values[GAP] == shown_value(
                (max(upper[0] - lower[0], 0),) * 2, rule.values[rule.written.gap[0]].kind
            )


@explained
@given(bodies(), st.data())
def test_a_reason_holds_as_the_rule_does_and_is_null_exactly_where_it_is_open(body, data):
    evaluation, explanation = some_evaluation(body, data)
    for rule, row, text in every_reason(evaluation, explanation()):
        (reason,) = reasons_of([text])
        possible, _ = evaluation.seen(rule.id, row)
        expected = {TRUE: True, FALSE: False, EITHER: None}[possible] if rule.kind is BOOL else None
        assert reason.holds is expected, rule.id
