"""Kernel, SQL and scalar engine agree on every output, in every place that has a pack, on three dates."""

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import cycle, islice

import pytest

from services.eligibility.domain.facts import SCHEMA
from services.eligibility.use_cases.prepare_population import prepare_population
from services.shared.policy.columns.kernel import KNOWN, OPEN
from services.shared.policy.columns.places import NotInOneKernel
from services.shared.policy.columns.table import rows_to_table
from services.shared.policy.evaluation import Evaluation
from services.shared.policy.open_value import Unknown, unknown_parameter
from tests.eligibility.population.agreement import compare, compare_sql, said_by_scalar, with_real_days
from tests.eligibility.proof.bases import bases, likely
from tests.eligibility.proof.population import with_unknowns
from tests.eligibility.proof.rows import places, with_value
from tests.eligibility.proof.worlds import DATES, shipped, worlds

HOUSEHOLDS = 1_200
BY_SQL = 300
THREADS = 4
CHANGED = 2
"""Facts of a golden household that are drawn by lot."""


@pytest.fixture(scope="module", params=DATES, ids=str)
def on(request):
    return request.param


@pytest.fixture(scope="module")
def policy(on, tmp_path_factory):
    return prepare_population(shipped(), [], on, tmp_path_factory.mktemp("kernel"), presume=False)


@pytest.fixture(scope="module")
def households(on):
    """Golden households with facts changed and, of every other, facts unknown; in every place that has a pack."""
    chance = random.Random(f"population {on}")
    regions = cycle(pack.jurisdiction for pack in shipped().packs if pack.jurisdiction != "cn")
    found = []
    for number, (_, row) in enumerate(islice(cycle(bases(worlds(on))[::2]), HOUSEHOLDS)):
        for place in chance.sample(list(places(row)), CHANGED if number >= HOUSEHOLDS // 3 else 0):
            row = with_value(row, place, likely(place.fact, worlds(on).as_of, chance))
        row = with_unknowns(row, chance) if number % 2 else row
        found.append((next(regions), with_real_days(row)))
    return found


def test_every_output_is_that_of_one_household(on, policy, households):
    found = compare(policy, households, partial(shipped().prepare, as_of=on))
    assert found.differing == []
    assert min(found.outcomes.values()) > HOUSEHOLDS / 10 and len(found.outcomes) == 3


def test_sql_gives_what_the_kernel_gives(policy, households):
    count, differing = compare_sql(policy, households[:BY_SQL])
    assert differing == []
    assert count > BY_SQL * len(policy.program.columns)


def test_both_forms_of_the_kernel_are_used_and_agree_where_all_is_known(policy, households):
    table = rows_to_table(SCHEMA, [row for _, row in households], [region for region, _ in households])
    facts, _, _ = policy.reader.read(table, policy.place_of)
    assert {KNOWN, OPEN} == set(facts.mode)
    results = policy.kernel.run(facts)
    facts.mode[:] = OPEN
    again = policy.kernel.run(facts)
    for entity in results.words:
        assert (results.words[entity] == again.words[entity]).all()
    for entity in results.amounts:
        assert (results.amounts[entity] == again.amounts[entity]).all()


def test_other_figures_need_no_other_kernel(on, policy, households):
    figures = {"dibao_standard": 250_000, "disability_living_rate": 7_700}
    changed = policy.with_parameters(figures)
    assert changed.kernel._compiled is policy.kernel._compiled

    def scalar(region):
        return shipped().prepare(region, on).with_parameters(figures)

    assert compare(changed, households[:BY_SQL], scalar).differing == []
    first = households[:BY_SQL]
    before = [said_by_scalar(shipped().prepare(region, on), region, row) for region, row in first]
    assert before != [said_by_scalar(scalar(region), region, row) for region, row in first]


def test_a_kernel_is_not_used_for_other_rules_or_for_figures_that_it_takes_to_be_there(on, policy):
    kernel, policies = policy.kernel, policy.policies
    with pytest.raises(NotInOneKernel, match="other rules"):
        kernel.with_policies(tuple(reversed(policies)))
    name = next(name for name in policies[0].parameters if all(known(one.parameters[name]) for one in policies))
    lost = {**policies[0].parameters, name: dict.fromkeys(policies[0].parameters[name], unknown_parameter(name))}
    with pytest.raises(NotInOneKernel, match=name):
        kernel.with_policies((replace(policies[0], parameters=lost), *policies[1:]))


def known(table):
    return not any(isinstance(value, Unknown) for value in table.values())


def test_rules_alone_are_computed_where_no_programme_is_asked_for(on, households, tmp_path):
    rules = ("dibao.eligible", "dibao.amount", "income.per_head")
    known = [rule for rule in rules if rule in shipped().prepare("420100", on).book.rules]
    policy = prepare_population(shipped(), ["420100"], on, tmp_path, observed=known, only_observed=True, presume=False)
    some = [("420100", row) for _, row in households[:BY_SQL]]
    results, _ = policy.run(rows_to_table(SCHEMA, [row for _, row in some], ["420100"] * len(some)))
    assert results.schema.names == ["row", *known]
    for said, (region, row) in zip(results.to_pylist(), some, strict=True):
        evaluation = Evaluation(shipped().prepare(region, on), row)
        for rule in known:
            value = evaluation.settled(rule, evaluation.root)
            assert said[rule] == (None if isinstance(value, Unknown) else int(value))


def test_threads_that_share_a_policy_do_not_disturb_one_another(policy, households):
    table = rows_to_table(SCHEMA, [row for _, row in households], [region for region, _ in households])
    alone = policy.run(table)[0]
    with ThreadPoolExecutor(THREADS) as threads:
        together = list(threads.map(lambda _: policy.run(table)[0], range(3 * THREADS)))
    assert all(found.equals(alone) for found in together)
