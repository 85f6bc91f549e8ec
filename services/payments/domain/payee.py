"""Who receives the money: name and card, which never appear in a text that is logged."""

from dataclasses import dataclass

LONGEST_NAME = 140  # Max140Text of ISO 20022, the bank's limit
SHORTEST_CARD = 12
LONGEST_CARD = 34  # Max34Text of ISO 20022


class PayeeInvalid(ValueError):
    """The name or card cannot be written into a payment."""


@dataclass(frozen=True, slots=True, repr=False)
class Payee:
    """The holder and number of the receiving account. Raises PayeeInvalid; the values are never in the message."""

    name: str
    card_number: str

    def __post_init__(self) -> None:
        if not self.name.strip() or len(self.name) > LONGEST_NAME or not self.name.isprintable():
            raise PayeeInvalid(f"a payee's name has 1 to {LONGEST_NAME} printable characters")
        if not (self.card_number.isascii() and self.card_number.isdigit()):
            raise PayeeInvalid("a card number has digits only")
        if not SHORTEST_CARD <= len(self.card_number) <= LONGEST_CARD:
            raise PayeeInvalid(f"a card number has {SHORTEST_CARD} to {LONGEST_CARD} digits")

    def __repr__(self) -> str:
        return "Payee(…)"
