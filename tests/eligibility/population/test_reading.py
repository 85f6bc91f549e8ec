"""What a table must have, what stands where nothing is told, and which households are rejected and why."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pyarrow as pa
import pytest

from services.eligibility.api.household_body import parse_request
from services.eligibility.domain.facts import SCHEMA, read_facts
from services.eligibility.use_cases.prepare_population import prepare_population
from services.eligibility.use_cases.run_golden_cases import request_of
from services.shared.policy.columns.kernel import KNOWN, OPEN
from services.shared.policy.columns.reading import UnfitTable
from services.shared.policy.columns.table import MONEY_UNIT, rows_to_table
from services.shared.policy.open_value import Unknown
from services.shared.vocabulary.invalid_body import InvalidBody
from services.shared.vocabulary.money import MAX_FEN
from tests.eligibility.population.agreement import said_by_scalar, with_real_days
from tests.eligibility.proof.bases import bases
from tests.eligibility.proof.worlds import shipped, worlds

ON = date(2026, 8, 1)
PLACES = ("420100", "330000")


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    return prepare_population(shipped(), PLACES, ON, tmp_path_factory.mktemp("kernel"))


@pytest.fixture(scope="module")
def table():
    return a_table(4)


def a_table(count):
    rows = [with_real_days(row) for _, row in bases(worlds(ON)) if len(row[SCHEMA.rows_slot("member")]) == 2][:count]
    return rows_to_table(SCHEMA, rows, [PLACES[number % 2] for number in range(count)])


def with_column(table, name, values, kind=None):
    column = values if isinstance(values, pa.Array) else pa.array(values, kind or table.schema.field(name).type)
    return table.set_column(table.column_names.index(name), name, column)


def with_member_fact(table, name, change):
    lists = table.column("members").combine_chunks()
    members = [[{**member, name: change(member[name])} for member in household] for household in lists.to_pylist()]
    return with_column(table, "members", pa.array(members, lists.type))


def rejects(policy, table):
    results, rejected = policy.run(table)
    assert results.num_rows + rejected.num_rows == table.num_rows
    kept = set(results.column("row").to_pylist())
    assert kept.isdisjoint(rejected.column("row").to_pylist())
    return [tuple(row.values()) for row in rejected.to_pylist()]


def test_all_columns_are_named_that_are_missing_and_nothing_is_run(policy, table):
    with pytest.raises(UnfitTable) as raised:
        policy.run(table.drop_columns(["financial", "members"]))
    for text in (raised.value.text.zh, raised.value.text.en):
        assert "financial" in text and "members.birth_date" in text and "area_type" not in text


def test_a_column_that_is_declared_unknown_may_be_missing_and_is_unknown_of_everybody(tmp_path, table):
    policy = prepare_population(shipped(), PLACES, ON, tmp_path, unknown=["financial", "members.parents"])
    results, rejected = policy.run(table.drop_columns(["financial"]))
    assert rejected.num_rows == 0
    nobody = with_column(table, "financial", [None] * table.num_rows)
    assert results.equals(policy.run(nobody)[0])
    assert not any(name == "financial" or name.startswith("members.parents") for name in policy.columns_needed)


@pytest.mark.parametrize(
    ("name", "values", "kind", "wanted"),
    [
        ("financial", [1.5] * 4, pa.float64(), "decimal128(18, 2)"),
        ("area_type", [1] * 4, pa.int32(), "string"),
        ("homes", ["1"] * 4, pa.string(), "int32"),
        ("region", [420100] * 4, pa.int32(), "string"),
    ],
)
def test_a_column_of_another_type_is_refused(policy, table, name, values, kind, wanted):
    with pytest.raises(UnfitTable) as raised:
        policy.run(with_column(table, name, values, kind))
    assert name in raised.value.text.en and wanted in raised.value.text.en
    assert name in raised.value.text.zh and wanted in raised.value.text.zh


@pytest.mark.parametrize("name", ["vehicles_complete", "members.supporters_complete"])
def test_whether_a_list_is_whole_is_said_with_true_or_false_alone(policy, table, name):
    with pytest.raises(UnfitTable, match=rf"{name} .* int8: make it bool"):
        policy.run(with_marks(table, name, pa.int8()))
    assert policy.run(with_marks(table, name, pa.bool_()))[0].equals(policy.run(table)[0])


def with_marks(table, name, kind):
    """The table with the marks of a list written as another type."""
    first, *inner = name.split(".")
    column = table.column(first).combine_chunks()
    if not inner:
        return with_column(table, name, column.cast(kind))
    fields = [field.with_type(kind) if field.name in inner else field for field in column.type.value_type]
    return with_column(table, first, column.cast(pa.list_(pa.struct(fields))))


def test_whole_numbers_are_amounts_only_where_the_table_says_that_they_are_fen(policy, table):
    with pytest.raises(UnfitTable, match=r"doudi\.money_unit"):
        policy.run(table.replace_schema_metadata({}))


def test_an_amount_in_yuan_with_two_places_is_taken_to_the_fen(policy, table):
    fen = table.column("financial").to_pylist()
    yuan = [Decimal(each) / 100 for each in fen]
    decimal = with_column(table, "financial", yuan, pa.decimal128(18, 2))
    assert policy.run(decimal)[0].equals(policy.run(table)[0])
    one_more = with_column(table, "financial", [each + Decimal("0.01") for each in yuan], pa.decimal128(18, 2))
    read = policy.reader.read(one_more.slice(1), policy.place_of)[0]
    cell = policy.reader.layout.cells["household", SCHEMA.root.position["financial"]]
    assert read.facts["household", 8][cell.row].tolist() == [each + 1 for each in fen[1:]]


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("financial", -1, "out_of_range"),
        ("financial", MAX_FEN + 1, "out_of_range"),
        ("homes", 1_001, "out_of_range"),
        ("area_type", "village", "unknown_code"),
        ("region", "999999", "region_unknown"),
        ("region", "310000", "region_unknown"),
        ("region", None, "region_unknown"),
    ],
)
def test_a_household_that_cannot_be_is_rejected_and_the_others_are_as_before(policy, table, name, value, reason):
    values = table.column(name).to_pylist()
    kind = pa.string() if isinstance(values[0], str) else None
    values[2] = value
    changed = with_column(table, name, values, kind)
    assert rejects(policy, changed) == [(2, name, reason)]
    others = policy.run(table)[0].take([0, 1, 3])
    assert policy.run(changed)[0].equals(others)


@pytest.mark.parametrize("value", [0, MAX_FEN])
def test_the_largest_and_the_least_amount_are_taken(policy, table, value):
    assert rejects(policy, with_column(table, "financial", [value] * 4)) == []


@pytest.mark.parametrize("beyond", [2**64, -(2**64), 2**63])
def test_an_amount_of_more_digits_than_its_column_says_is_rejected(policy, table, beyond):
    fen = table.column("financial").to_pylist()
    yuan = [each.to_bytes(16, "little", signed=True) for each in (*fen[:2], beyond + 5_000, fen[3])]
    decimal = pa.Array.from_buffers(pa.decimal128(18, 2), 4, [None, pa.py_buffer(b"".join(yuan))])
    assert rejects(policy, with_column(table, "financial", decimal)) == [(2, "financial", "out_of_range")]


def test_a_member_that_cannot_be_rejects_the_household(policy, table):
    seen = iter(range(100))
    changed = with_member_fact(table, "disability_grade", lambda grade: 5 if next(seen) == 5 else grade)
    assert rejects(policy, changed) == [(2, "members.disability_grade", "out_of_range")]
    early = with_member_fact(table, "birth_date", lambda day: date(1799, 12, 31))
    assert {row[1:] for row in rejects(policy, early)} == {("members.birth_date", "out_of_range")}


@pytest.mark.parametrize("nobody", [None, []])
def test_a_household_of_which_no_member_is_told_is_rejected(policy, table, nobody):
    members = table.column("members").to_pylist()
    members[1] = nobody
    changed = with_column(table, "members", pa.array(members, table.schema.field("members").type))
    assert rejects(policy, changed) == [(1, "members", "not_told")]


def test_a_list_that_is_not_told_may_be_anything_and_an_empty_one_is_nobody(policy, table):
    assert modes(policy, table) == [KNOWN] * 4
    kind = table.schema.field("vehicles").type
    without = table.drop_columns(["vehicles_complete"])
    assert modes(policy, with_column(without, "vehicles", pa.array([[], None, [], []], kind))) == [
        KNOWN,
        OPEN,
        KNOWN,
        KNOWN,
    ]
    said = with_column(table, "vehicles_complete", [True, False, None, True])
    assert modes(policy, said) == [KNOWN, OPEN, KNOWN, KNOWN]


def modes(policy, table):
    return policy.reader.read(table, policy.place_of)[0].mode.tolist()


def test_what_is_not_told_is_presumed_as_for_one_household(policy):
    """Requests read with the packs' presumptions, and rows with everything null that was not sent, come to the same."""
    [pack] = [pack for pack in shipped().packs if pack.jurisdiction == "cn"]
    requests = [request for request in map(_request, pack.cases[:60]) if request is not None]
    presumptions = shipped().prepare(PLACES[0], ON).book.presumptions
    bare = [read_facts(each) for each in requests]
    full = [read_facts(each, presumptions) for each in requests]
    assert repr(bare) != repr(full)
    regions = [PLACES[0]] * len(requests)
    results, _ = policy.run(rows_to_table(SCHEMA, bare, regions))
    assert results.equals(policy.run(rows_to_table(SCHEMA, full, regions))[0])
    for said, row in zip(results.to_pylist(), full, strict=True):
        expected = said_by_scalar(shipped().prepare(PLACES[0], ON), PLACES[0], row)
        assert {name: value for name, value in said.items() if name in expected and name != "members"} == {
            name: value for name, value in expected.items() if name in said and name != "members"
        }
    assert any(isinstance(row[SCHEMA.rows_slot("event") + 1], Unknown) for row in bare)


def _request(case):
    try:
        return replace(parse_request(request_of(case)), programmes=None)
    except InvalidBody:
        return None


def test_a_null_among_the_words_of_a_dictionary_is_not_told(policy, table):
    words = pa.array(["urban", None, "rural"])
    coded = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, None], pa.int8()), words)
    plain = with_column(table, "area_type", ["urban", None, "rural", None], pa.string())
    changed = with_column(table, "area_type", coded)
    assert policy.run(changed)[0].equals(policy.run(plain)[0])
    assert modes(policy, changed) == [KNOWN, OPEN, KNOWN, OPEN]


def test_a_sliced_or_chunked_table_is_read_as_it_is(policy):
    table = a_table(6)
    whole = policy.run(table)[0]
    chunked = pa.concat_tables([table.slice(0, 2), table.slice(2, 3), table.slice(5)])
    assert policy.run(chunked)[0].equals(whole)
    sliced = policy.run(table.slice(3, 2))[0]
    assert sliced.drop_columns(["row"]).equals(whole.slice(3, 2).drop_columns(["row"]))


def test_results_have_one_schema_whatever_they_are_of(policy, table):
    results, rejected = policy.run(table)
    assert results.schema.equals(policy.result_schema)
    nothing, _ = policy.run(table.slice(0, 0))
    assert nothing.schema.equals(policy.result_schema) and nothing.num_rows == 0
    assert rejected.schema.names == ["row", "column", "reason"]
    assert MONEY_UNIT.items() <= table.schema.metadata.items()
