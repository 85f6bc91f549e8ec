"""A payee's name and card are checked where they enter and never printed."""

import pytest

from services.payments.domain.payee import Payee, PayeeInvalid

CARD = "9000000000000007"


def test_a_payee_is_not_printed() -> None:
    payee = Payee("王小明", CARD)
    assert "王" not in f"{payee} {payee!r}" and CARD not in f"{payee!r}"


@pytest.mark.parametrize("name", ["王", "古力娜扎尔·拜合提亚尔", "𠮷田", "x" * 140])
def test_real_names_are_taken(name: str) -> None:
    assert Payee(name, CARD).name == name


@pytest.mark.parametrize(
    ("name", "card"),
    [
        ("", CARD),
        ("  ", CARD),
        ("x" * 141, CARD),
        ("王\n明", CARD),
        ("王\x00明", CARD),
        ("王", "1" * 11),
        ("王", "1" * 35),
        ("王", "９" * 16),
        ("王", "9000 0000 0000 0007"),
    ],
)
def test_what_cannot_be_paid_is_refused_without_repeating_it(name: str, card: str) -> None:
    with pytest.raises(PayeeInvalid) as refused:
        Payee(name, card)
    assert card not in str(refused.value)
