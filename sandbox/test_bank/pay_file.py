"""Reads a pain.001.001.09 that a customer sent: schema and control sums first, then the transfers in it."""

import re
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

LARGEST_PAY_FILE_BYTES = 32 * 1024 * 1024
NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"

_NAMES = {"p": NAMESPACE}
_FORBIDDEN = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
_AMOUNT = re.compile(r"(\d{1,13})(?:\.(\d{1,2}))?", re.ASCII)
_PARSER_OPTIONS = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "dtd_validation": False,
    "huge_tree": False,
    "encoding": "utf-8",
}
_SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).parent / "schemas" / "pain.001.001.09.xsd"))


class PayFileUnreadable(Exception):
    """The body is no valid pain.001.001.09, so it has no MsgId that could be answered."""


class PayFileRefused(Exception):
    """The message is readable but the bank does not take it; `reason` is an ISO 20022 status reason code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Credit:
    """One transfer asked for, in fen."""

    end_to_end_id: str
    amount_fen: int
    card_number: str


@dataclass(frozen=True, slots=True)
class PayFile:
    """A readable message. `declared` is what the group header says of count and sum, `None` where it does not."""

    msg_id: str
    payment_id: str
    debtor_account: str
    declared_count: int
    declared_fen: int | None
    credits: tuple[Credit, ...]

    @property
    def total_fen(self) -> int:
        """The sum of the credits."""
        return sum(credit.amount_fen for credit in self.credits)


def read_pay_file(content: bytes) -> PayFile:
    """The transfers in `content`. Raises PayFileUnreadable."""
    root = _validated(content)
    payments = root.findall("p:CstmrCdtTrfInitn/p:PmtInf", _NAMES)
    if len(payments) != 1:
        raise PayFileUnreadable("exactly one PmtInf is expected")
    header = root.find("p:CstmrCdtTrfInitn/p:GrpHdr", _NAMES)
    declared_sum = header.findtext("p:CtrlSum", None, _NAMES)
    return PayFile(
        header.findtext("p:MsgId", "", _NAMES),
        payments[0].findtext("p:PmtInfId", "", _NAMES),
        payments[0].findtext("p:DbtrAcct/p:Id/p:Othr/p:Id", "", _NAMES),
        int(header.findtext("p:NbOfTxs", "0", _NAMES)),
        None if declared_sum is None else _fen(declared_sum),
        tuple(_credit(element) for element in payments[0].iterfind("p:CdtTrfTxInf", _NAMES)),
    )


def check_control_sums(file: PayFile) -> None:
    """Raises PayFileRefused when count or sum are not those declared (AM10, AM18), or an EndToEndId recurs (AM05)."""
    if file.declared_count != len(file.credits):
        raise PayFileRefused("AM18")
    if file.declared_fen not in (None, file.total_fen):
        raise PayFileRefused("AM10")
    if len({credit.end_to_end_id for credit in file.credits}) != len(file.credits):
        raise PayFileRefused("AM05")


def _validated(content: bytes) -> etree._Element:
    if len(content) > LARGEST_PAY_FILE_BYTES:
        raise PayFileUnreadable(f"larger than {LARGEST_PAY_FILE_BYTES} bytes")
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        raise PayFileUnreadable("not UTF-8") from None
    if _FORBIDDEN.search(content):
        raise PayFileUnreadable("a document type or entity is not allowed")
    try:
        root = etree.fromstring(content, etree.XMLParser(**_PARSER_OPTIONS))
    except etree.XMLSyntaxError as error:
        raise PayFileUnreadable(f"not well-formed XML at line {error.lineno}") from None
    if not _SCHEMA.validate(root):
        raise PayFileUnreadable("not a pain.001.001.09 message by its schema")
    return root


def _credit(element: etree._Element) -> Credit:
    amount = element.find("p:Amt/p:InstdAmt", _NAMES)
    if amount is None or amount.get("Ccy") != "CNY":
        raise PayFileUnreadable("an amount is not an instructed amount in CNY")
    card_number = element.findtext("p:CdtrAcct/p:Id/p:Othr/p:Id", "", _NAMES)
    if not card_number:
        raise PayFileUnreadable("a creditor account is missing")
    return Credit(element.findtext("p:PmtId/p:EndToEndId", "", _NAMES), _fen(amount.text or ""), card_number)


def _fen(text: str) -> int:
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise PayFileUnreadable("an amount has parts of a fen, or more than 13 digits")
    yuan, fraction = match.groups()
    return int(yuan) * 100 + int((fraction or "").ljust(2, "0"))
