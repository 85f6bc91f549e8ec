"""Every figure of a reform is that of counting households one by one, whatever the blocks."""

import csv
import random
from dataclasses import astuple, replace
from datetime import date
from functools import cache
from itertools import cycle, islice

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from services.eligibility.domain.facts import SCHEMA
from services.eligibility.domain.reform import GROUP, MONEY_MOVES, MOVES, deciles_of, shown_figures
from services.eligibility.use_cases.prepare_population import prepare_population
from services.eligibility.use_cases.simulate_reform import Reform, report_of, simulate_reform
from services.eligibility.use_cases.simulating.loser_file import loser_file
from services.eligibility.use_cases.simulating.losers import Loser
from services.eligibility.use_cases.simulating.outcomes import OBSERVED
from services.eligibility.use_cases.simulating.overlay import Figure, OverlayRefused, _replaced, with_figures
from services.eligibility.use_cases.simulating.population_blocks import PopulationUnfit, blocks_of, open_population
from services.eligibility.use_cases.simulating.prepared import prepare_compared
from services.shared.policy.columns.places import NotInOneKernel
from services.shared.policy.columns.table import rows_to_table
from services.shared.policy.evaluation import Evaluation, PackSet, parameter_value
from services.shared.policy.open_value import Unknown
from services.shared.vocabulary.money import yuan_of
from tests.eligibility.population.agreement import said_by_scalar, with_real_days
from tests.eligibility.proof.bases import bases, likely
from tests.eligibility.proof.population import with_unknowns
from tests.eligibility.proof.rows import places, with_value
from tests.eligibility.proof.worlds import shipped, worlds

ON = date(2026, 8, 1)
HOUSEHOLDS, BLOCK = 480, 97
STANDARD, RAISED = Figure("dibao_standard", "900.00"), Figure("dibao_standard", "1300.00")
CUT = Figure("dibao_standard", "500.00", region="420000")
REFORMS = {
    "a figure where there was none": ((), (STANDARD,)),
    "a cut in one province": ((STANDARD,), (STANDARD, CUT)),
    "both": ((STANDARD,), (RAISED, CUT)),
}
"""The figures of the policy in force, and of the one that is tried."""


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    return prepare_population(shipped(), [], ON, tmp_path_factory.mktemp("kernel"), observed=OBSERVED, presume=False)


@pytest.fixture(scope="module")
def households():
    """Households at thresholds, with facts unknown in every third, in every place that has a pack."""
    chance = random.Random("reform")
    regions = cycle(pack.jurisdiction for pack in shipped().packs if pack.jurisdiction != "cn")
    found = []
    for number, (_, row) in enumerate(islice(cycle(bases(worlds(ON))), HOUSEHOLDS)):
        place = chance.choice(list(places(row)))
        row = with_value(row, place, likely(place.fact, worlds(ON).as_of, chance))
        row = with_unknowns(row, chance) if number % 3 == 0 else row
        found.append((next(regions) if number % 2 else "420100", with_real_days(row)))
    return found


@pytest.fixture(scope="module")
def table(households):
    found = rows_to_table(SCHEMA, [row for _, row in households], [region for region, _ in households])
    return found.append_column("id", pa.array([f"h{number}" for number in range(len(households))]))


def blocks(table, size=BLOCK):
    return ((first, table.slice(first, size)) for first in range(0, table.num_rows, size))


def reform_of(policy, figures):
    return Reform(*(with_figures(policy, each) for each in figures))


def simulated(policy, figures, table, size=BLOCK, level="province"):
    losers = []
    reform = reform_of(policy, figures)
    found = simulate_reform(reform, blocks(table, size), level, lambda _: None, losers.extend, "id")
    return found, losers


# --- the plain count -------------------------------------------------------------------------------------------------


def scalar_policy(region, figures):
    policy = shipped().prepare(region, ON)
    for figure in figures:
        if figure.region == "cn" or figure.region in [pack.jurisdiction for pack in policy.book.chain]:
            fen = int(figure.value.replace(".", ""))
            policy = policy.with_parameters({figure.parameter: fen})
    return policy


class Counted:
    """Sums by name, by counting."""

    def __init__(self, households, figures):
        self.programmes, self.groups, self.losers = {}, {}, []
        for number, (region, row) in enumerate(households):
            before_policy = scalar_policy(region, figures[0])
            before = said_by_scalar(before_policy, region, row)
            after = said_by_scalar(scalar_policy(region, figures[1]), region, row)
            persons = len(before["members"])
            for item in before_policy.book.programmes.values():
                self._programme(number, item, persons, before, after)
            monthly = [item for item in before_policy.book.programmes.values() if item.monthly]
            group = self._group(persons, before, after, monthly)
            income = Evaluation(before_policy, row)
            value = income.settled("income.per_head", income.root)
            for key in ("all", region[:2] + "0000", None if isinstance(value, Unknown) else ("income", value)):
                sums = self.groups.setdefault(key, dict.fromkeys(GROUP, 0))
                for name, more in group.items():
                    sums[name] += more

    def _programme(self, number, item, persons, before, after):
        sums = self.programmes.setdefault(item.id, {"households": {}, "persons": {}, "before": 0, "after": 0, "one": 0})
        was, now = ([side] if item.entity == "household" else side["members"] for side in (before, after))
        for place, (one, other) in enumerate(zip(was, now, strict=True)):
            weight = persons if item.entity == "household" else 1
            count(sums["persons"], weight, kind(one, item), kind(other, item), paid(one, item), paid(other, item))
            if kind(one, item) == "eligible" and (
                kind(other, item) != "eligible" or paid(other, item) < paid(one, item)
            ):
                member = 0 if item.entity == "household" else place + 1
                result = (kind(other, item), paid(one, item), paid(other, item))
                self.losers.append((number, f"h{number}", item.id, member, "eligible", *result))
        kinds = [whole([kind(each, item) for each in side]) for side in (was, now)]
        sums_paid = [sum(paid(each, item) for each in side) for side in (was, now)]
        count(sums["households"], 1, *kinds, *sums_paid)
        sums["before"] += sums_paid[0]
        sums["after"] += sums_paid[1]
        sums["one"] += (sums_paid[1] - sums_paid[0]) * (kinds.count("undetermined") == 1)

    def _group(self, persons, before, after, monthly):
        was, now = before["monthly_total_fen"], after["monthly_total_fen"]
        moves = {
            "gained": was == 0 < now,
            "lost": now == 0 < was,
            "more": 0 < was < now,
            "less": 0 < now < was,
            "undetermined_before": any(is_open(before, item) for item in monthly),
            "undetermined_after": any(is_open(after, item) for item in monthly),
        }
        return {
            "households": 1,
            "persons": persons,
            "monthly_before_fen": was,
            "monthly_after_fen": now,
            "one_off_before_fen": before["one_off_total_fen"],
            "one_off_after_fen": after["one_off_total_fen"],
            **{f"households_{name}": int(moves[name]) for name in MONEY_MOVES},
            **{f"persons_{name}": persons * moves[name] for name in MONEY_MOVES},
        }


def kind(said, item):
    return said.get(item.id, "ineligible")


def paid(said, item):
    together = said.get(f"{item.id}_together_fen")
    return (said.get(f"{item.id}_fen") or 0) if together is None else together


def whole(kinds):
    return next((each for each in ("eligible", "undetermined") if each in kinds), "ineligible")


def is_open(said, item):
    sides = [said] if item.entity == "household" else said["members"]
    return any(kind(each, item) == "undetermined" for each in sides)


def count(sums, weight, was, now, was_fen, now_fen):
    is_granted = (was == "eligible", now == "eligible")
    holds = {
        "before": is_granted[0],
        "after": is_granted[1],
        "gained": was == "ineligible" and is_granted[1],
        "lost": is_granted[0] and now == "ineligible",
        "more": all(is_granted) and now_fen > was_fen,
        "less": all(is_granted) and now_fen < was_fen,
        "settled": was == "undetermined" and is_granted[1],
        "unsettled": is_granted[0] and now == "undetermined",
        "undetermined_before": was == "undetermined",
        "undetermined_after": now == "undetermined",
    }
    for name in MOVES:
        sums[name] = sums.get(name, 0) + weight * holds[name]


@pytest.fixture(scope="module")
def counted(households):
    return cache(lambda name: Counted(households, REFORMS[name]))


# --- the figures -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REFORMS)
def test_every_figure_of_a_programme_is_that_of_counting(policy, table, counted, name):
    found, _ = simulated(policy, REFORMS[name], table)
    expected = counted(name).programmes
    shown = {item.programme: item for item in found.programmes}
    assert shown.keys() >= expected.keys()
    for programme, item in shown.items():
        sums = expected.get(programme, {"households": {}, "persons": {}, "before": 0, "after": 0, "one": 0})
        assert dict(item.households) == {move: sums["households"].get(move, 0) for move in MOVES}, programme
        assert dict(item.persons) == {move: sums["persons"].get(move, 0) for move in MOVES}, programme
        assert (item.before_fen, item.after_fen, item.uncertain_fen) == (sums["before"], sums["after"], sums["one"])


@pytest.mark.parametrize("name", REFORMS)
def test_every_figure_of_the_whole_and_of_regions_is_that_of_counting(policy, table, counted, name):
    found, _ = simulated(policy, REFORMS[name], table)
    groups = counted(name).groups
    assert dict(found.total) == groups["all"]
    assert {code: dict(group) for code, group in found.by_region.items()} == {
        key: group for key, group in groups.items() if isinstance(key, str) and key != "all"
    }
    assert dict(found.income_unknown) == groups[None]


@pytest.mark.parametrize("name", REFORMS)
def test_every_tenth_holds_the_households_within_its_bounds(policy, table, counted, name):
    found, _ = simulated(policy, REFORMS[name], table)
    by_income = {key[1]: group for key, group in counted(name).groups.items() if isinstance(key, tuple)}
    tenths = deciles_of(found.by_income)
    assert len(tenths) > 3 and [tenth.number for tenth in tenths] == sorted({tenth.number for tenth in tenths})
    for tenth in tenths:
        within = [
            group
            for income, group in by_income.items()
            if tenth.from_fen <= income and (tenth.until_fen is None or income < tenth.until_fen)
        ]
        assert dict(tenth.group) == {field: sum(group[field] for group in within) for field in GROUP}
    assert sum(tenth.group["households"] for tenth in tenths) == sum(g["households"] for g in by_income.values())


def test_a_reform_both_gives_and_takes(counted):
    """So that the figures above are not all nought."""
    total = counted("both").groups["all"]
    assert all(total[f"households_{name}"] for name in ("gained", "lost", "more", "less")), total
    every = [sums for name in REFORMS for sums in counted(name).programmes.values()]
    assert {move for sums in every for move, number in sums["households"].items() if number} == set(MOVES)


@pytest.mark.parametrize("name", REFORMS)
def test_losers_are_those_who_get_less(policy, table, counted, name):
    found, losers = simulated(policy, REFORMS[name], table)
    listed = [astuple(each) for each in losers]
    assert sorted(listed) == sorted(counted(name).losers)
    assert found.losers == len(losers)
    assert [each.row for each in losers] == sorted(each.row for each in losers)


def test_blocks_of_any_size_come_to_the_same(policy, table):
    found = [simulated(policy, REFORMS["both"], table, size) for size in (1, BLOCK, table.num_rows)]
    assert found[0] == found[1] == found[2]


def test_nothing_changes_where_nothing_is_changed(policy, table):
    found, losers = simulated(policy, ((), ()), table)
    shown = shown_figures(found)
    assert shown["total"]["monthly"]["cost"] == "0.00" and losers == []
    assert not any(item.households[move] for item in found.programmes for move in ("gained", "lost", "more", "less"))


def test_regions_are_those_of_the_level(policy, table, households):
    found, _ = simulated(policy, REFORMS["both"], table, level="county")
    assert set(found.by_region) == {region for region, _ in households}


# --- the reform ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("figure", "says"),
    [
        (Figure("no_such_thing", "1.00"), "no pack has that parameter"),
        (Figure("dibao_standard", "a lot"), "dibao_standard"),
        (Figure("dibao_standard", "900.00", region="429999"), "no pack is for that region"),
        (Figure("dibao_standard", "900.00", keys=("sea",)), "no such key"),
        (Figure("dibao_standard", 1000), "not written as its type money"),
        (Figure("dibao_standard", True), "not written as its type money"),
        (Figure("dibao_standard", "1000000000.01"), "dibao_standard is out of range: it lies between 0.00"),
    ],
)
def test_a_figure_that_cannot_be_set_is_refused(policy, figure, says):
    with pytest.raises(OverlayRefused, match=says) as refused:
        with_figures(policy, [figure])
    assert "a lot" not in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "fits", "does_not", "says"),
    [
        ("money", ["0.00", "1000000000.00"], ["1000000000.01"], "between 0.00 and 1000000000.00"),
        ("money", [], [0, 1000, False], "its type money"),
        ("rate", ["0.60"], [1, True], "its type rate"),
        ("int", ["0", 0, 10_000, "10000"], [10_001, "10001", -1, "-1"], "between 0 and 10000"),
        ("int", [], [True, "many"], "its type int"),
        ("months", [12, "12000"], [12_001], "between 0 and 12000"),
        ("bool", [True, False, "true"], [0, 1, "1"], "its type bool"),
        ("enum", ["urban"], ["rural", 1, True], "its type enum"),
    ],
)
def test_a_figure_is_of_its_kind_and_within_its_bounds(policy, kind, fits, does_not, says):
    place = policy.policies[0]
    name = next(iter(place.parameters))
    declared = replace(place.book.declarations[name], type=kind, codes=("urban",))
    book = replace(place.book, declarations={**place.book.declarations, name: declared})
    there = replace(place, book=book)
    for value in fits:
        changed = _replaced(there, Figure(name, value)).parameters[name]
        assert all(type(each) is type(parameter_value(str(value).lower(), declared)) for each in changed.values())
    for value in does_not:
        with pytest.raises(OverlayRefused, match=says) as refused:
            _replaced(there, Figure(name, value))
        assert name in str(refused.value)


def test_a_figure_of_one_key_leaves_the_others(policy):
    wuhan = next(n for n, each in enumerate(policy.policies) if each.book.chain[0].jurisdiction == "420000")
    before = policy.policies[wuhan].parameters["dibao_standard"]
    keys = next((codes for codes in before if codes), None)
    if keys is None:
        pytest.skip("the standard of this place has no keys")
    after = with_figures(policy, [Figure("dibao_standard", "1.00", keys)]).policies[wuhan].parameters["dibao_standard"]
    assert after[keys] == 100 and {k: v for k, v in after.items() if k != keys} == {
        k: v for k, v in before.items() if k != keys
    }


def test_other_packs_are_compared_with_those_in_force(policy, table, counted, tmp_path):
    """Packs whose reader is another object: both read the block anew, and come to the same."""
    other = replace(policy, reader=replace(policy.reader))
    before, after = REFORMS["both"]
    reform = Reform(with_figures(policy, before), with_figures(other, after))
    found = simulate_reform(reform, blocks(table), "province", lambda _: None)
    assert dict(found.total) == counted("both").groups["all"]
    report = report_of(reform, found, "province")
    assert report["packs_before"] == report["packs_after"] and len(report["packs_before"]) == len(shipped().packs)


# --- files -----------------------------------------------------------------------------------------------------------


def test_a_file_is_read_in_blocks_small_ones_first(table, tmp_path):
    path = tmp_path / "p.parquet"
    big = pa.concat_tables([table] * 20)
    pq.write_table(big, path)
    file = open_population(path)
    read = list(blocks_of(file, {"area_type", "members", "id"}))
    assert [first for first, _ in read] == [0, 4096] and sum(block.num_rows for _, block in read) == big.num_rows
    assert read[1][1].schema.names == ["area_type", "members", "region", "id"]
    assert read[1][1]["id"].to_pylist() == big["id"].to_pylist()[4096:]


def test_a_file_that_was_written_anew_has_another_identity(table, tmp_path):
    path = tmp_path / "p.parquet"
    pq.write_table(table, path)
    first = open_population(path).identity
    assert open_population(path).identity == first
    pq.write_table(table.slice(1), path)
    assert open_population(path).identity != first


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no parquet at all"])
def test_a_torn_file_is_refused(tmp_path, content):
    path = tmp_path / "p.parquet"
    path.write_bytes(content)
    with pytest.raises(PopulationUnfit, match=r"p\.parquet is no Parquet file") as refused:
        open_population(path)
    assert str(tmp_path) not in str(refused.value)


def test_blocks_of_many_row_groups_are_the_file(table, tmp_path):
    path = tmp_path / "p.parquet"
    pq.write_table(table, path, row_group_size=BLOCK)
    file = open_population(path)
    read = list(blocks_of(file, {"area_type", "members", "id"}))
    assert [first for first, _ in read] == list(range(0, table.num_rows, BLOCK))
    assert [name for _, block in read for name in block["id"].to_pylist()] == table["id"].to_pylist()
    assert [each for _, block in read for each in block["members"].to_pylist()] == table["members"].to_pylist()


def test_a_damaged_page_is_refused_when_it_is_reached(table, tmp_path):
    path = tmp_path / "p.parquet"
    pq.write_table(table, path, row_group_size=BLOCK, compression="zstd", write_page_checksum=True)
    metadata = pq.read_metadata(path)
    column = next(c for c in range(metadata.num_columns) if metadata.row_group(2).column(c).path_in_schema == "region")
    chunk = metadata.row_group(2).column(column)
    begin = min(filter(None, (chunk.dictionary_page_offset, chunk.data_page_offset)))
    content = bytearray(path.read_bytes())
    content[begin : begin + chunk.total_compressed_size] = b"\xff" * chunk.total_compressed_size
    path.write_bytes(content)
    read = blocks_of(open_population(path), {"area_type"})
    assert [next(read)[0], next(read)[0]] == [0, BLOCK]
    with pytest.raises(PopulationUnfit, match=r"p\.parquet is damaged: some of its rows cannot be read") as refused:
        next(read)
    assert str(tmp_path) not in str(refused.value)


def test_packs_without_the_income_that_orders_households_are_refused(tmp_path):
    nation = next(pack for pack in shipped().packs if pack.jurisdiction == "cn")
    without = replace(nation, rules=tuple(rule for rule in nation.rules if rule.id != "income.per_head"))
    with pytest.raises(NotInOneKernel, match=r"no pack has the rule income\.per_head"):
        prepare_compared(PackSet(SCHEMA, [without]), ON, tmp_path)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_losers_are_written_as_they_are_found(policy, table, counted, tmp_path, suffix):
    path = tmp_path / f"losers{suffix}"
    reform = reform_of(policy, REFORMS["both"])
    with loser_file(path, "id") as keep:
        simulate_reform(reform, blocks(table), "province", lambda _: None, keep, "id")
    expected = sorted(counted("both").losers)
    if suffix == ".parquet":
        assert sorted(tuple(row.values()) for row in pq.read_table(path).to_pylist()) == expected
    else:
        with path.open(encoding="utf-8", newline="") as file:
            head, *lines = csv.reader(file)
        assert head == ["row", "id", "programme", "member", "outcome_before", "outcome_after", "before", "after"]
        written = [(*map(str, each[:6]), yuan_of(each[6]), yuan_of(each[7])) for each in expected]
        assert sorted(map(tuple, lines)) == sorted(written)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_failed_run_leaves_the_losers_that_were_there(tmp_path, suffix):
    path = tmp_path / f"losers{suffix}"
    path.write_bytes(b"of the run before")
    one = Loser(0, "h0", "dibao", 0, "eligible", "ineligible", 100, 0)
    with pytest.raises(RuntimeError), loser_file(path, "id") as keep:
        keep([one])
        raise RuntimeError
    assert path.read_bytes() == b"of the run before" and list(tmp_path.iterdir()) == [path]
    with loser_file(path, "id") as keep:
        keep([one])
    assert b"h0" in path.read_bytes() and list(tmp_path.iterdir()) == [path]
