"""Identity numbers and cards: each fault by its name, each accepted spelling, and masks that hide enough."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.shared.vocabulary import identifiers
from services.shared.vocabulary.identifiers import InvalidIdentifier, parse_card, parse_id_number

# GB 11643-1999's own example.
STANDARD_EXAMPLE = "11010519491231002X"


def demo(born="19490101", order="001"):
    return identifiers.id_number_with_check_character(f"990101{born}{order}")


def fault(text, parse=parse_id_number):
    with pytest.raises(InvalidIdentifier) as refused:
        parse(text)
    return refused.value.fault


def test_the_standards_example_is_well_formed():
    number = parse_id_number(STANDARD_EXAMPLE)
    assert (number.text, number.born_on, number.is_demo) == (STANDARD_EXAMPLE, date(1949, 12, 31), False)


def test_a_demo_person_is_well_formed_and_known_as_one():
    assert parse_id_number(demo()).is_demo


@pytest.mark.parametrize(
    "text",
    ["11010519491231002x", " 11010519491231002X\t", "１１０１０５１９４９１２３１００２Ｘ", "11010519491231002X"],
)
def test_other_spellings_become_the_one(text):
    assert parse_id_number(text).text == STANDARD_EXAMPLE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", identifiers.ID_NUMBER_LENGTH_WRONG),
        ("1101051949123100", identifiers.ID_NUMBER_LENGTH_WRONG),
        (STANDARD_EXAMPLE + "0", identifiers.ID_NUMBER_LENGTH_WRONG),
        ("1" * 100_000, identifiers.ID_NUMBER_LENGTH_WRONG),
        ("110105491231002", identifiers.ID_NUMBER_FIFTEEN_DIGITS),
        ("3.301131990010113e+17", identifiers.ID_NUMBER_DIGITS_LOST),
        ("3.30113E+17", identifiers.ID_NUMBER_DIGITS_LOST),
        ("1101051949123100OX", identifiers.ID_NUMBER_CHARACTERS),
        ("110105 9491231002X", identifiers.ID_NUMBER_CHARACTERS),
        ("X10105194912310020", identifiers.ID_NUMBER_CHARACTERS),
        ("١١٠١٠٥١٩٤٩١٢٣١٠٠٢X", identifiers.ID_NUMBER_CHARACTERS),
        ("110105194902290028", identifiers.ID_NUMBER_BIRTH_DATE),
        ("110105000012310028", identifiers.ID_NUMBER_BIRTH_DATE),
        ("110105194913310028", identifiers.ID_NUMBER_BIRTH_DATE),
        ("110105194912310020", identifiers.ID_NUMBER_CHECK_CHARACTER),
    ],
    ids=lambda value: value.code if hasattr(value, "code") else value[:24],
)
def test_each_fault_has_its_name(text, expected):
    assert fault(text) == expected


def test_a_leap_day_is_real_only_in_a_leap_year():
    assert parse_id_number(demo("20000229")).born_on == date(2000, 2, 29)
    assert fault(demo("19000229")) == identifiers.ID_NUMBER_BIRTH_DATE


def test_only_a_bounded_text_is_looked_at():
    assert parse_id_number(STANDARD_EXAMPLE.rjust(64)).text == STANDARD_EXAMPLE
    assert fault(STANDARD_EXAMPLE.rjust(65)) == identifiers.ID_NUMBER_LENGTH_WRONG


@given(st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(place, by):
    number = demo()
    wrong = number[:place] + str((int(number[place]) + by) % 10) + number[place + 1 :]
    with pytest.raises(InvalidIdentifier):
        parse_id_number(wrong)


@pytest.mark.parametrize("place", range(16))
def test_two_swapped_digits_are_always_found(place):
    number = demo("19560718", "283")
    wrong = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    if wrong != number:
        with pytest.raises(InvalidIdentifier):
            parse_id_number(wrong)


def test_neither_error_nor_value_shows_the_number():
    number = parse_id_number(STANDARD_EXAMPLE)
    assert STANDARD_EXAMPLE not in repr(number) and "1949" not in repr(number)
    with pytest.raises(InvalidIdentifier) as refused:
        parse_id_number("110105194912310020")
    assert "110105" not in str(refused.value) + repr(refused.value.fault)


@pytest.mark.parametrize("text", ["990101194901010", "99010119490101001X", "", "99010119490101OO1"])
def test_a_check_character_needs_seventeen_digits(text):
    with pytest.raises(ValueError, match="17"):
        identifiers.id_number_with_check_character(text)


@pytest.mark.parametrize(
    ("text", "card"),
    [
        ("9222 0212 3456 7894", "9222021234567894"),
        ("９２２２-0212", None),
        ("9" * 11, None),
        ("9" * 12, "9" * 12),
        ("9" * 19, "9" * 19),
        ("9" * 20, None),
        ("9222O21234567894", None),
        ("", None),
    ],
)
def test_a_card_is_twelve_to_nineteen_digits(text, card):
    if card is None:
        assert fault(text, parse_card) == identifiers.CARD_CHARACTERS
    else:
        assert parse_card(text) == card


def test_a_card_without_a_luhn_digit_is_taken():
    assert parse_card("799273987100") == "799273987100"


@pytest.mark.parametrize(
    ("mask", "text", "shown"),
    [
        (identifiers.mask_id_number, STANDARD_EXAMPLE, "110***********002X"),
        (identifiers.mask_id_number, "1234567890123", "*" * 13),
        (identifiers.mask_id_number, "12345678901234", "123*******1234"),
        (identifiers.mask_id_number, "", ""),
        (identifiers.mask_card, "9222021234567894", "************7894"),
        (identifiers.mask_card, "1234567", "*******"),
        (identifiers.mask_card, "12345678", "****5678"),
        (identifiers.mask_name, "张三丰", "张**"),
        (identifiers.mask_name, "李", "*"),
        (identifiers.mask_name, "", ""),
        (identifiers.mask_name, "𠮷田", "𠮷*"),
    ],
)
def test_masks_show_little(mask, text, shown):
    assert mask(text) == shown
