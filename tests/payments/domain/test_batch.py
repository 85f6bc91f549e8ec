"""A batch is approved by a second person who names its very list."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.payments.domain.batch import (
    BatchState,
    BatchStepRefused,
    ControlTotalsDiffer,
    SamePersonTwice,
    check_batch_step,
    check_quoted_root,
    check_second_person,
    control_totals,
)

lines = st.dictionaries(st.text("DB0123456789", min_size=1, max_size=31), st.integers(1, 10**11), min_size=1).map(
    dict.items
)


def test_the_root_can_be_had_with_sort_and_sha256sum() -> None:
    totals = control_totals([("B", 20), ("A", 102_000)])
    assert totals.lines_root == hashlib.sha256(b"A,102000\nB,20\n").hexdigest()
    assert (totals.line_count, totals.total_fen) == (2, 102_020)


@given(lines, st.randoms())
def test_the_order_of_the_list_does_not_matter(pairs: list, random: object) -> None:
    shuffled = list(pairs)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert control_totals(shuffled) == control_totals(pairs)


@given(lines)
def test_one_fen_more_is_another_root(pairs: list) -> None:
    (name, fen), *rest = pairs
    assert control_totals([(name, fen + 1), *rest]).lines_root != control_totals(pairs).lines_root


@pytest.mark.parametrize("pairs", [[("A", 1), ("A", 2)], [("A", 0)], [("A", -1)]])
def test_a_list_with_a_line_twice_or_without_money_has_no_totals(pairs: list) -> None:
    with pytest.raises(ValueError, match="list"):
        control_totals(pairs)


def test_only_the_root_of_this_list_approves_it() -> None:
    totals = control_totals([("A", 1)])
    check_quoted_root(totals, totals.lines_root.upper())
    with pytest.raises(ControlTotalsDiffer):
        check_quoted_root(totals, control_totals([("A", 2)]).lines_root)


def test_one_person_does_not_do_both() -> None:
    check_second_person("zhao", "li", "wang")
    with pytest.raises(SamePersonTwice):
        check_second_person("zhao", "li", "li")
    with pytest.raises(SamePersonTwice):
        check_second_person("zhao", "li", "zhao")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (BatchState.CALCULATED, BatchState.APPROVED),
        (BatchState.SUBMITTED, BatchState.RELEASED),
        (BatchState.RELEASED, BatchState.CANCELLED),
        (BatchState.SENT, BatchState.CANCELLED),
        (BatchState.REJECTED, BatchState.APPROVED),
        (BatchState.CLOSED, BatchState.CALCULATED),
    ],
)
def test_no_step_is_skipped_and_nothing_released_is_cancelled(before: BatchState, after: BatchState) -> None:
    with pytest.raises(BatchStepRefused):
        check_batch_step(before, after)
