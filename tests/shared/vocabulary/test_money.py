"""Money: whole fen inside, yuan with two places outside, and no other spelling."""

import pytest

from services.shared.vocabulary.money import MAX_FEN, NotMoney, fen_of, yuan_of


@pytest.mark.parametrize(
    ("text", "fen"), [("0.00", 0), ("0.01", 1), ("738.00", 73800), ("007.50", 750), ("999999999999.99", MAX_FEN)]
)
def test_an_amount_is_read(text, fen):
    assert fen_of(text) == fen


@pytest.mark.parametrize(
    "text",
    ["", "1", "1.0", "1.000", "-1.00", "+1.00", " 1.00", "1.00\n", "1,000.00", "1000000000000.00", "٣.00", "1_0.00"],
)
def test_any_other_spelling_is_refused(text):
    with pytest.raises(NotMoney):
        fen_of(text)


@pytest.mark.parametrize(
    ("fen", "text"), [(0, "0.00"), (7, "0.07"), (73800, "738.00"), (-5, "-0.05"), (-12345, "-123.45")]
)
def test_an_amount_is_written_with_two_places(fen, text):
    assert yuan_of(fen) == text
