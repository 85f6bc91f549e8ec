"""What happens to a card in the test bank, read from its last two digits before the check digit."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fate:
    """How one credit ends: refused at once with a reason, returned a day later with a reason, or paid.

    `misbooked_fen` is what the bank wrongly books more than was asked, for trials of reconciliation.
    """

    refused: str | None = None
    returned: str | None = None
    misbooked_fen: int = 0


PAID = Fate()
FATES = {
    "01": Fate(refused="AC04"),  # closed account
    "02": Fate(returned="AC01"),  # account number and name do not match
    "03": Fate(returned="AC06"),  # blocked account
    "04": Fate(misbooked_fen=1),
}


def fate_of(card_number: str) -> Fate:
    """The fate of a credit to this card; every card that is not in the table is paid."""
    return FATES.get(card_number[-3:-1], PAID)
