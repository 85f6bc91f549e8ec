"""What must hold for any household: same answer twice, nothing gained by hiding a fact, nothing by earning more."""

import copy
import json

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
from services.shared.vocabulary.money import yuan_of

PACKS = pack_set_of(read_packs())
PROGRAMMES = ("dibao", "dibao_margin", "dibao_single", "tekun", "small_advance")
PLACES = [("420100", "2023-08-01"), ("530113", "2025-08-01"), ("360700", "2025-08-01"), ("530113", "2026-03-01")]

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

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


@quick
@given(bodies())
def test_the_same_request_gives_the_same_bytes_from_packs_read_anew(body):
    request = parse_request(json.dumps(body).encode())
    again = pack_set_of(read_packs()).prepare(request.region, request.as_of)
    assert render_answer(answer(body)) == render_answer(evaluate(again, request))


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
