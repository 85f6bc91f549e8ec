"""The bank's messages: writes pain.001.001.09, reads pain.002.001.12 and camt.053.001.08, each held to its schema.

The reader takes nothing on trust: bounded size, UTF-8 alone, no document type, no entity, no network, schema first.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

from lxml import etree

from services.payments.domain.payee import Payee

LARGEST_MESSAGE_BYTES = 64 * 1024 * 1024
MOST_LINES_IN_A_FILE = 50_000
CURRENCY = "CNY"

PAIN_001 = "pain.001.001.09"
PAIN_002 = "pain.002.001.12"
CAMT_053 = "camt.053.001.08"

_SCHEMAS = Path(__file__).parent / "schemas"
# A document type is refused before any parser sees it; the standard's messages have none.
_DOCUMENT_TYPE = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
_AMOUNT = re.compile(r"(\d{1,13})(?:\.(\d{1,2})0{0,3})?", re.ASCII)
_NOT_XML_TEXT = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class BankMessageInvalid(Exception):
    """A message to or from the bank is not what its standard says; the message says where, never what it holds."""


@dataclass(frozen=True, slots=True)
class CreditLine:
    """One credit transfer to be written: whom, how much in fen, and the text that the payee will read."""

    end_to_end_id: str
    amount_fen: int
    payee: Payee
    remittance: str


@dataclass(frozen=True, slots=True)
class PayFileHeader:
    """Who pays, from which account at which bank, when, and under which message id (at most 35 characters)."""

    msg_id: str
    created_at: datetime
    pay_on: date
    payer_name: str
    payer_account: str
    payer_bank: str


@dataclass(frozen=True, slots=True)
class LineStatus:
    """The bank's word about one line: status code, and the reason code of a refusal."""

    end_to_end_id: str
    status: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class StatusReport:
    """A pain.002: about which file, the file's status (or None), its reason, and the lines that it speaks of."""

    original_msg_id: str
    group_status: str | None
    group_reason: str | None
    lines: tuple[LineStatus, ...]


@dataclass(frozen=True, slots=True)
class StatementEntry:
    """One booked line of a statement. `line_number` counts from 1 in the order of the message."""

    line_number: int
    is_credit: bool
    amount_fen: int
    booked_on: date
    value_on: date
    end_to_end_id: str | None
    return_reason: str | None
    bank_reference: str


@dataclass(frozen=True, slots=True)
class Statement:
    """A camt.053 of one account and day; balances in fen, negative when overdrawn."""

    statement_id: str
    account: str
    opening_fen: int
    closing_fen: int
    entries: tuple[StatementEntry, ...]


def write_pay_file(header: PayFileHeader, lines: Sequence[CreditLine]) -> bytes:
    """The pain.001.001.09 message: the same arguments give the same bytes.

    Raises BankMessageInvalid without lines, beyond MOST_LINES_IN_A_FILE, when an EndToEndId occurs twice, or when the
    schema refuses what was written (an id too long, an empty name).
    """
    if not 1 <= len(lines) <= MOST_LINES_IN_A_FILE:
        raise BankMessageInvalid(f"a pay file has 1 to {MOST_LINES_IN_A_FILE} lines")
    if len({line.end_to_end_id for line in lines}) != len(lines):
        raise BankMessageInvalid("a pay file names an EndToEndId twice")
    content = "".join((*_head(header, lines), *map(_transaction, lines), _FOOT)).encode("utf-8")
    _parse(content, PAIN_001)
    return content


def read_status_report(content: bytes) -> StatusReport:
    """The values of a pain.002.001.12. Raises BankMessageInvalid for anything else."""
    root = _parse(content, PAIN_002)
    name = _names(PAIN_002)
    group = _one(root, name("CstmrPmtStsRpt"), name("OrgnlGrpInfAndSts"))
    return StatusReport(
        _text(group, name("OrgnlMsgId")),
        _optional(group, name("GrpSts")),
        _optional(group, name("StsRsnInf"), name("Rsn"), name("Cd")),
        tuple(_line_statuses(root, name)),
    )


def read_statement(content: bytes) -> Statement:
    """The values of a camt.053.001.08 that holds one statement in CNY, all of whose entries are booked.

    Raises BankMessageInvalid for anything else, and when the entries do not lead from the opening to the closing
    balance.
    """
    root = _parse(content, CAMT_053)
    name = _names(CAMT_053)
    statements = root.findall(f"{name('BkToCstmrStmt')}/{name('Stmt')}")
    if len(statements) != 1:
        raise BankMessageInvalid(f"{CAMT_053}: exactly one statement is expected")
    statement = _statement_of(statements[0], name)
    moved_fen = sum(entry.amount_fen if entry.is_credit else -entry.amount_fen for entry in statement.entries)
    if statement.opening_fen + moved_fen != statement.closing_fen:
        raise BankMessageInvalid(f"{CAMT_053}: the entries do not lead from the opening to the closing balance")
    return statement


def _head(header: PayFileHeader, lines: Sequence[CreditLine]) -> Iterator[str]:
    count, total = len(lines), _yuan(sum(line.amount_fen for line in lines))
    payer, msg_id = _escaped(header.payer_name), _escaped(header.msg_id)
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{PAIN_001}"><CstmrCdtTrfInitn>\n'
        f"<GrpHdr><MsgId>{msg_id}</MsgId><CreDtTm>{header.created_at.isoformat(timespec='seconds')}</CreDtTm>"
        f"<NbOfTxs>{count}</NbOfTxs><CtrlSum>{total}</CtrlSum><InitgPty><Nm>{payer}</Nm></InitgPty></GrpHdr>\n"
    )
    yield (
        f"<PmtInf><PmtInfId>{msg_id}</PmtInfId><PmtMtd>TRF</PmtMtd><BtchBookg>false</BtchBookg>"
        f"<NbOfTxs>{count}</NbOfTxs><CtrlSum>{total}</CtrlSum>"
        f"<ReqdExctnDt><Dt>{header.pay_on.isoformat()}</Dt></ReqdExctnDt><Dbtr><Nm>{payer}</Nm></Dbtr>"
        f"<DbtrAcct><Id><Othr><Id>{_escaped(header.payer_account)}</Id></Othr></Id><Ccy>{CURRENCY}</Ccy></DbtrAcct>"
        f"<DbtrAgt><FinInstnId><Othr><Id>{_escaped(header.payer_bank)}</Id></Othr></FinInstnId></DbtrAgt>\n"
    )


def _transaction(line: CreditLine) -> str:
    return (
        f"<CdtTrfTxInf><PmtId><EndToEndId>{_escaped(line.end_to_end_id)}</EndToEndId></PmtId>"
        f'<Amt><InstdAmt Ccy="{CURRENCY}">{_yuan(line.amount_fen)}</InstdAmt></Amt>'
        f"<Cdtr><Nm>{_escaped(line.payee.name)}</Nm></Cdtr>"
        f"<CdtrAcct><Id><Othr><Id>{_escaped(line.payee.card_number)}</Id></Othr></Id></CdtrAcct>"
        f"<RmtInf><Ustrd>{_escaped(line.remittance)}</Ustrd></RmtInf></CdtTrfTxInf>\n"
    )


_FOOT = "</PmtInf>\n</CstmrCdtTrfInitn></Document>\n"


def _escaped(text: str) -> str:
    if _NOT_XML_TEXT.search(text):
        raise BankMessageInvalid(f"{PAIN_001}: a text holds a character that XML cannot carry")
    return escape(text)


def _yuan(amount_fen: int) -> str:
    if type(amount_fen) is not int or amount_fen <= 0:
        raise BankMessageInvalid(f"{PAIN_001}: an amount is a whole, positive number of fen")
    return f"{amount_fen // 100}.{amount_fen % 100:02d}"


def _line_statuses(root: etree._Element, name: "_Name") -> Iterator[LineStatus]:
    path = "/".join(map(name, ("CstmrPmtStsRpt", "OrgnlPmtInfAndSts", "TxInfAndSts")))
    for transaction in root.iterfind(path):
        yield LineStatus(
            _text(transaction, name("OrgnlEndToEndId")),
            _text(transaction, name("TxSts")),
            _optional(transaction, name("StsRsnInf"), name("Rsn"), name("Cd")),
        )


def _statement_of(element: etree._Element, name: "_Name") -> Statement:
    balances = {
        _text(balance, name("Tp"), name("CdOrPrtry"), name("Cd")): _signed_fen(balance, name)
        for balance in element.iterfind(name("Bal"))
    }
    if not {"OPBD", "CLBD"} <= balances.keys():
        raise BankMessageInvalid(f"{CAMT_053}: the opening (OPBD) or closing (CLBD) balance is missing")
    return Statement(
        _text(element, name("Id")),
        _text(element, name("Acct"), name("Id"), name("Othr"), name("Id")),
        balances["OPBD"],
        balances["CLBD"],
        tuple(_entry(number, entry, name) for number, entry in enumerate(element.iterfind(name("Ntry")), start=1)),
    )


def _entry(number: int, entry: etree._Element, name: "_Name") -> StatementEntry:
    if _text(entry, name("Sts"), name("Cd")) != "BOOK":
        raise BankMessageInvalid(f"{CAMT_053}: entry {number} is not booked")
    details = entry.findall(f"{name('NtryDtls')}/{name('TxDtls')}")
    if len(details) > 1:
        raise BankMessageInvalid(f"{CAMT_053}: entry {number} sums several transactions; single booking is agreed")
    refs = details[0] if details else entry
    return StatementEntry(
        number,
        _text(entry, name("CdtDbtInd")) == "CRDT",
        _fen(entry, name),
        _day(entry, name, "BookgDt"),
        _day(entry, name, "ValDt"),
        _optional(refs, name("Refs"), name("EndToEndId")),
        _optional(refs, name("RtrInf"), name("Rsn"), name("Cd")),
        _optional(entry, name("AcctSvcrRef")) or "",
    )


def _signed_fen(element: etree._Element, name: "_Name") -> int:
    amount_fen = _fen(element, name)
    return amount_fen if _text(element, name("CdtDbtInd")) == "CRDT" else -amount_fen


def _fen(element: etree._Element, name: "_Name") -> int:
    amount = element.find(name("Amt"))
    assert amount is not None  # the schema requires it
    if amount.get("Ccy") != CURRENCY:
        raise BankMessageInvalid(f"an amount is not in {CURRENCY}")
    match = _AMOUNT.fullmatch((amount.text or "").strip())
    if match is None:
        raise BankMessageInvalid("an amount has parts of a fen, or more than 13 digits")
    yuan, fraction = match.groups()
    return int(yuan) * 100 + int((fraction or "").ljust(2, "0"))


def _day(entry: etree._Element, name: "_Name", field: str) -> date:
    text = _text(entry, name(field), name("Dt"))
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BankMessageInvalid(f"{CAMT_053}: {field} is not a plain date") from None


class _Name:
    """Qualifies element names of one message."""

    def __init__(self, message: str) -> None:
        self._prefix = f"{{urn:iso:std:iso:20022:tech:xsd:{message}}}"

    def __call__(self, tag: str) -> str:
        return self._prefix + tag


@cache
def _names(message: str) -> _Name:
    return _Name(message)


def _one(element: etree._Element, *path: str) -> etree._Element:
    found = element.find("/".join(path))
    if found is None:
        raise BankMessageInvalid(f"{_local(path)} is missing")
    return found


def _text(element: etree._Element, *path: str) -> str:
    text = _optional(element, *path)
    if text is None:
        raise BankMessageInvalid(f"{_local(path)} is missing")
    return text


def _optional(element: etree._Element, *path: str) -> str | None:
    text = element.findtext("/".join(path))
    return text.strip() if text is not None else None


def _local(path: Iterable[str]) -> str:
    return "/".join(part.rpartition("}")[2] for part in path)


def _parse(content: bytes, message: str) -> etree._Element:
    if len(content) > LARGEST_MESSAGE_BYTES:
        raise BankMessageInvalid(f"{message}: larger than {LARGEST_MESSAGE_BYTES} bytes")
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        raise BankMessageInvalid(f"{message}: not UTF-8") from None
    if _DOCUMENT_TYPE.search(content):
        raise BankMessageInvalid(f"{message}: a document type or entity is not allowed")
    try:
        root = etree.fromstring(content, _parser())
    except etree.XMLSyntaxError as error:
        raise BankMessageInvalid(f"{message}: not well-formed XML at line {error.lineno}") from None
    _hold_to_schema(root, message)
    return root


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        encoding="utf-8",
    )


def _hold_to_schema(root: etree._Element, message: str) -> None:
    if root.getroottree().docinfo.doctype:
        raise BankMessageInvalid(f"{message}: a document type is not allowed")
    schema = _schema(message)
    if not schema.validate(root):
        # The schema's own text quotes the offending value, so only place and kind are told.
        where = [f"line {fault.line} ({fault.type_name})" for fault in list(schema.error_log)[:1]]
        raise BankMessageInvalid(" ".join([f"{message}: breaks the schema", *where]))


@cache
def _schema(message: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(_SCHEMAS / f"{message}.xsd", _parser()))
