"""The EndToEndId carries the whole natural key, and a mistyped one is never taken for another line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_97_10

from services.payments.domain.end_to_end_id import (
    LARGEST_BENEFICIARY,
    LENGTH,
    EndToEndIdInvalid,
    LineKey,
    PaymentKind,
    format_end_to_end_id,
    parse_end_to_end_id,
)

keys = st.builds(
    LineKey,
    st.tuples(st.integers(1949, 9999), st.integers(1, 12)),
    st.integers(1, LARGEST_BENEFICIARY),
    st.integers(1, 99),
    st.sampled_from(PaymentKind),
    st.integers(0, 99),
    st.integers(0, 99),
)


@given(keys)
def test_what_is_written_is_read_back(key: LineKey) -> None:
    text = format_end_to_end_id(key)
    assert len(text) == LENGTH <= 35
    assert parse_end_to_end_id(text) == key


@given(keys, keys)
def test_two_lines_never_share_an_id(one: LineKey, other: LineKey) -> None:
    assert (format_end_to_end_id(one) == format_end_to_end_id(other)) == (one == other)


@given(keys, st.integers(2, 29), st.integers(1, 9))
def test_one_wrong_digit_is_noticed(key: LineKey, position: int, shift: int) -> None:
    text = format_end_to_end_id(key)
    wrong = text[:position] + str((int(text[position]) + shift) % 10) + text[position + 1 :]
    with pytest.raises(EndToEndIdInvalid):
        parse_end_to_end_id(wrong)


@given(keys, st.integers(2, 28))
def test_two_digits_swapped_are_noticed(key: LineKey, position: int) -> None:
    text = format_end_to_end_id(key)
    swapped = text[:position] + text[position + 1] + text[position] + text[position + 2 :]
    if swapped != text:
        with pytest.raises(EndToEndIdInvalid):
            parse_end_to_end_id(swapped)


def test_one_id_worked_by_hand() -> None:
    key = LineKey((2023, 9), 17, 1, PaymentKind.REGULAR)
    assert format_end_to_end_id(key) == "DB2023090000000000170101000079B"
    assert mod_97_10.is_valid("2023090000000000170101000079")


@pytest.mark.parametrize(
    "text",
    ["", "DB", "X" * 31, "DB2023090000000000170101000079C", "ＤＢ2023090000000000170101000079B"],
)
def test_other_texts_are_refused_without_repeating_them(text: str) -> None:
    with pytest.raises(EndToEndIdInvalid) as refused:
        parse_end_to_end_id(text)
    assert len(text) < LENGTH or text not in str(refused.value)


def test_right_check_digits_do_not_make_a_thirteenth_month() -> None:
    digits = "20231300000000001701010000"
    with pytest.raises(EndToEndIdInvalid):
        parse_end_to_end_id(f"DB{digits}{98 - int(digits) * 100 % 97:02d}B")


@pytest.mark.parametrize(
    "arguments",
    [
        ((2023, 0), 1, 1),
        ((2023, 13), 1, 1),
        ((1948, 12), 1, 1),
        ((2023, 9), 0, 1),
        ((2023, 9), LARGEST_BENEFICIARY + 1, 1),
        ((2023, 9), 1, 0),
        ((2023, 9), 1, 100),
        ((2023, 9), 1, 1, PaymentKind.REGULAR, 100),
        ((2023, 9), 1, 1, PaymentKind.REGULAR, 0, 100),
        ((2023, 9), 1, 1, PaymentKind.REGULAR, -1),
    ],
)
def test_a_key_outside_its_bounds_is_refused(arguments: tuple) -> None:
    with pytest.raises(ValueError):
        LineKey(*arguments) if len(arguments) > 3 else LineKey(*arguments, PaymentKind.REGULAR)
