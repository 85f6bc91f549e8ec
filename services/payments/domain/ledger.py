"""The double-entry ledger: one positive amount from one account to another, so "unbalanced" has no spelling."""

from dataclasses import dataclass
from enum import StrEnum


class TransferCode(StrEnum):
    """Why money moves in the books."""

    FUND = "FUND"  # the treasury's allotment stands on the payer's account
    ACCRUE = "ACCRUE"  # a batch is approved: the line is owed
    CANCEL = "CANCEL"  # an owed line is cancelled
    SEND = "SEND"  # the intent to send is committed (pending)
    UNSEND = "UNSEND"  # the whole file was refused (voids SEND)
    REJECT = "REJECT"  # the bank refused the line, the money never left (voids SEND)
    SETTLE = "SETTLE"  # the statement shows the debit (posts SEND)
    RETURN = "RETURN"  # a later statement shows the money credited back (退汇)
    UNKNOWN_IN = "UNKNOWN_IN"  # a credit that no line explains


class AccountKind(StrEnum):
    """What an account holds; `owner` of an account says whose."""

    TREASURY_CASH = "TREASURY_CASH"
    TREASURY_ALLOTMENT = "TREASURY_ALLOTMENT"
    EXPENSE = "EXPENSE"
    PAYABLE = "PAYABLE"
    IN_TRANSIT = "IN_TRANSIT"
    SUSPENSE_RETURN = "SUSPENSE_RETURN"
    SUSPENSE_UNKNOWN = "SUSPENSE_UNKNOWN"


_KINDS_OF_A_REGION = frozenset({AccountKind.EXPENSE, AccountKind.PAYABLE})

# Debit side, credit side.
POSTINGS: dict[TransferCode, tuple[AccountKind, AccountKind]] = {
    TransferCode.FUND: (AccountKind.TREASURY_CASH, AccountKind.TREASURY_ALLOTMENT),
    TransferCode.ACCRUE: (AccountKind.EXPENSE, AccountKind.PAYABLE),
    TransferCode.CANCEL: (AccountKind.PAYABLE, AccountKind.EXPENSE),
    TransferCode.SEND: (AccountKind.PAYABLE, AccountKind.IN_TRANSIT),
    TransferCode.UNSEND: (AccountKind.IN_TRANSIT, AccountKind.PAYABLE),
    TransferCode.REJECT: (AccountKind.IN_TRANSIT, AccountKind.PAYABLE),
    TransferCode.SETTLE: (AccountKind.IN_TRANSIT, AccountKind.TREASURY_CASH),
    TransferCode.RETURN: (AccountKind.TREASURY_CASH, AccountKind.SUSPENSE_RETURN),
    TransferCode.UNKNOWN_IN: (AccountKind.TREASURY_CASH, AccountKind.SUSPENSE_UNKNOWN),
}


@dataclass(frozen=True, slots=True)
class Books:
    """Whose accounts a movement touches: the payer's `bank`, and the region and programme that bear the expense."""

    bank: str
    region: str = ""
    programme: str = ""

    def account(self, kind: AccountKind) -> str:
        """The account's code, such as `TREASURY_CASH:test_bank` or `PAYABLE:420100:dibao`.

        Raises ValueError when an expense or payable is asked without a region and programme.
        """
        if kind not in _KINDS_OF_A_REGION:
            return f"{kind}:{self.bank}"
        if not self.region or not self.programme:
            raise ValueError(f"{kind} needs a region and a programme")
        return f"{kind}:{self.region}:{self.programme}"


@dataclass(frozen=True, slots=True)
class Transfer:
    """One movement between two accounts. Raises ValueError when the accounts are one or the amount is not positive."""

    code: TransferCode
    debit_account: str
    credit_account: str
    amount_fen: int

    def __post_init__(self) -> None:
        if self.debit_account == self.credit_account:
            raise ValueError(f"{self.code} debits and credits the same account")
        if type(self.amount_fen) is not int or self.amount_fen <= 0:
            raise ValueError(f"{self.code} needs a whole, positive number of fen")


def transfer_of(code: TransferCode, books: Books, amount_fen: int) -> Transfer:
    """The transfer that `code` stands for, between the accounts of `books`; `amount_fen` in whole fen, above 0."""
    debit_kind, credit_kind = POSTINGS[code]
    return Transfer(code, books.account(debit_kind), books.account(credit_kind), amount_fen)
