"""Each row of a batch is judged on its own; only what the sender declares refuses it whole."""

from datetime import date

import pytest

from services.monitoring.domain.death_batch import (
    AsOfInFuture,
    DeathBatch,
    RowCountDiffers,
    check_batch,
    parse_day,
)
from services.shared.vocabulary.identifiers import id_number_with_check_character

TODAY = date(2026, 3, 10)
AS_OF = date(2026, 3, 5)


def person(order=1, born="19620301", prefix="990100"):
    return id_number_with_check_character(f"{prefix}{born}{order:03d}")


def row(**changes):
    return {"id_number": person(), "died_on": "2026-03-02", "source": "殡仪馆"} | changes


def check(*rows, as_of=AS_OF, row_count=None, accepts_demo_people=True):
    batch = DeathBatch("1", as_of, "delta", len(rows) if row_count is None else row_count, rows)
    return check_batch(batch, TODAY, accepts_demo_people)


def codes(*rows, **options):
    return [(fault.field, fault.code) for returned in check(*rows, **options).returned for fault in returned.faults]


def test_a_good_row_stands_in_its_one_spelling():
    checked = check(row(id_number=f" {person().lower()} ", died_on="2026年3月2日", source=" 殡仪馆 "))
    [record] = checked.accepted
    assert (record.row_number, record.id_number.text, record.died_on) == (1, person(), date(2026, 3, 2))
    assert (record.source, checked.state) == ("殡仪馆", "ACCEPTED")


def test_the_state_says_how_many_stand():
    assert check().state == "ACCEPTED"
    assert check(row(), row(id_number="1")).state == "PARTIAL"
    assert check(row(id_number="1")).state == "RETURNED"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"id_number": person()[:-1] + "0"}, ("id_number", "id_number_check_character")),
        ({"id_number": "3.301131990010113e+17"}, ("id_number", "id_number_digits_lost")),
        ({"id_number": 990100196203010017}, ("id_number", "id_number_length")),
        ({"id_number": None}, ("id_number", "id_number_length")),
        ({"died_on": "2026-02-30"}, ("died_on", "died_on_form")),
        ({"died_on": 46083}, ("died_on", "died_on_form")),
        ({"died_on": ""}, ("died_on", "died_on_form")),
        ({"died_on": "2026-03-11"}, ("died_on", "died_on_in_future")),
        ({"died_on": "2026-03-10"}, ("died_on", "died_on_after_as_of")),
        ({"died_on": "2026-03-06"}, ("died_on", "died_on_after_as_of")),
        ({"died_on": "1962-02-28"}, ("died_on", "died_before_birth")),
        ({"source": ""}, ("source", "source_form")),
        ({"source": "源" * 41}, ("source", "source_form")),
        ({"source": person()}, ("source", "source_form")),
        ({"source": "１２３４５６"}, ("source", "source_form")),
        ({"source": "a\nb"}, ("source", "source_form")),
        ({"name": "演示壬"}, ("", "unknown_field")),
    ],
)
def test_each_fault_returns_its_row(changes, expected):
    assert codes(row(**changes)) == [expected]


@pytest.mark.parametrize("died_on", ["2026-03-05", "1962-03-01"])
def test_the_days_at_the_edges_stand(died_on):
    assert check(row(died_on=died_on)).state == "ACCEPTED"


def test_a_source_of_forty_characters_stands():
    assert check(row(source="源" * 40)).state == "ACCEPTED"


def test_a_row_shows_all_its_faults_at_once():
    assert codes({"id_number": "1", "x": 1}) == [
        ("id_number", "id_number_length"),
        ("died_on", "died_on_form"),
        ("source", "source_form"),
        ("", "unknown_field"),
    ]


@pytest.mark.parametrize("odd", [None, 5, "text", []])
def test_what_is_no_row_is_returned(odd):
    assert codes(odd) == [("", "not_an_object")]


def test_a_person_stands_once_in_a_batch():
    checked = check(row(), row(died_on="2026-03-03"), row(id_number=person(2)))
    assert [record.row_number for record in checked.accepted] == [1, 3]
    assert [(r.row_number, r.faults[0].code) for r in checked.returned] == [(2, "duplicate_in_batch")]


def test_a_returned_row_does_not_make_the_next_a_duplicate():
    assert [record.row_number for record in check(row(died_on="?"), row()).accepted] == [2]


def test_production_refuses_demo_people_only():
    assert codes(row(), accepts_demo_people=False) == [("id_number", "demo_person")]
    assert check(row(id_number=person(prefix="530113")), accepts_demo_people=False).state == "ACCEPTED"


@pytest.mark.parametrize("declared", [0, 1, 3])
def test_another_row_count_refuses_the_batch(declared):
    with pytest.raises(RowCountDiffers) as refused:
        check(row(), row(id_number=person(2)), row_count=declared)
    assert (refused.value.declared, refused.value.found) == (declared, 2)


def test_a_batch_of_tomorrow_is_refused():
    assert check(as_of=TODAY).state == "ACCEPTED"
    with pytest.raises(AsOfInFuture):
        check(as_of=date(2026, 3, 11))


def test_no_fault_shows_the_row():
    bad = {"id_number": person()[:-1] + "0", "died_on": "2027-07-07", "source": "secret 123456"}
    texts = repr(check(bad).returned)
    assert person()[:6] not in texts and "2027" not in texts and "secret" not in texts


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-03-02", date(2026, 3, 2)),
        ("2026-3-2", date(2026, 3, 2)),
        ("2026/03/02", date(2026, 3, 2)),
        ("20260302", date(2026, 3, 2)),
        ("2026年3月2日", date(2026, 3, 2)),
        ("２０２６-03-02", date(2026, 3, 2)),
        ("2024-02-29", date(2024, 2, 29)),
        ("2026-02-29", None),
        ("02/03/2026", None),
        ("2026-03/02", None),
        ("2026032", None),
        ("46083", None),
        ("2026-03-02T00:00:00", None),
        ("٢٠٢٦-03-02", None),
        ("0000-01-01", None),
        ("2" * 10_000, None),
    ],
    ids=lambda value: str(value)[:20],
)
def test_only_unmistakable_days_are_read(text, day):
    assert parse_day(text) == day
