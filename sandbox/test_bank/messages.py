"""Writes the bank's own messages: the status report pain.002.001.12 and the statement camt.053.001.08."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from xml.sax.saxutils import escape

from sandbox.test_bank.book import DayStatement, Entry, FileStatus, TransferStatus

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:"


def status_report(file: FileStatus, transfers: Iterable[TransferStatus] = ()) -> bytes:
    """The pain.002 about a file; with its transfers, or about the file alone."""
    lines = "".join(_transaction_status(number, transfer) for number, transfer in enumerate(transfers, start=1))
    payment = f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{escape(file.payment_id)}</OrgnlPmtInfId>{lines}</OrgnlPmtInfAndSts>"
    return (
        f'{_DECLARATION}<Document xmlns="{_NAMESPACE}pain.002.001.12"><CstmrPmtStsRpt>'
        f"<GrpHdr><MsgId>R-{file.sha256[:32]}</MsgId><CreDtTm>{file.received_at}</CreDtTm></GrpHdr>"
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{escape(file.msg_id)}</OrgnlMsgId>"
        f"<OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId><GrpSts>{file.status}</GrpSts>{_reason(file.reason)}"
        f"</OrgnlGrpInfAndSts>{payment if lines else ''}</CstmrPmtStsRpt></Document>\n"
    ).encode()


def statement(day: DayStatement, written_at: datetime) -> bytes:
    """The camt.053 of one closed day."""
    written = written_at.isoformat(timespec="seconds")
    identity = f"{day.account[:20]}-{day.day:%Y%m%d}"
    balances = _balance("OPBD", day.opening_fen, day) + _balance("CLBD", day.closing_fen, day)
    return (
        f'{_DECLARATION}<Document xmlns="{_NAMESPACE}camt.053.001.08"><BkToCstmrStmt>'
        f"<GrpHdr><MsgId>{escape(identity)}</MsgId><CreDtTm>{written}</CreDtTm></GrpHdr>"
        f"<Stmt><Id>{escape(identity)}</Id><CreDtTm>{written}</CreDtTm>"
        f"<Acct><Id><Othr><Id>{escape(day.account)}</Id></Othr></Id><Ccy>CNY</Ccy></Acct>"
        f"{balances}{''.join(_entries(day))}</Stmt></BkToCstmrStmt></Document>\n"
    ).encode()


def _transaction_status(number: int, transfer: TransferStatus) -> str:
    return (
        f"<TxInfAndSts><StsId>{number}</StsId><OrgnlEndToEndId>{escape(transfer.end_to_end_id)}</OrgnlEndToEndId>"
        f"<TxSts>{transfer.status}</TxSts>{_reason(transfer.reason)}</TxInfAndSts>"
    )


def _reason(code: str | None) -> str:
    return f"<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf>" if code else ""


def _balance(kind: str, amount_fen: int, day: DayStatement) -> str:
    side = "CRDT" if amount_fen >= 0 else "DBIT"
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp>{_amount(abs(amount_fen))}"
        f"<CdtDbtInd>{side}</CdtDbtInd><Dt><Dt>{day.day.isoformat()}</Dt></Dt></Bal>"
    )


def _entries(day: DayStatement) -> Iterator[str]:
    on = f"<Dt>{day.day.isoformat()}</Dt>"
    for number, entry in enumerate(day.entries, start=1):
        yield (
            f"<Ntry><NtryRef>{number}</NtryRef>{_amount(entry.amount_fen)}"
            f"<CdtDbtInd>{'CRDT' if entry.is_credit else 'DBIT'}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"
            f"<BookgDt>{on}</BookgDt><ValDt>{on}</ValDt><AcctSvcrRef>B{entry.id:012d}</AcctSvcrRef>"
            f"<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>{'RCDT' if entry.is_credit else 'ICDT'}</Cd>"
            f"<SubFmlyCd>{'RRTN' if entry.return_reason else 'DMCT'}</SubFmlyCd></Fmly></Domn></BkTxCd>"
            f"<NtryDtls><TxDtls>{_details(entry)}</TxDtls></NtryDtls></Ntry>"
        )


def _details(entry: Entry) -> str:
    refs = f"<Refs><EndToEndId>{escape(entry.end_to_end_id)}</EndToEndId></Refs>" if entry.end_to_end_id else ""
    reason = f"<RtrInf><Rsn><Cd>{entry.return_reason}</Cd></Rsn></RtrInf>" if entry.return_reason else ""
    return refs + reason


def _amount(amount_fen: int) -> str:
    return f'<Amt Ccy="CNY">{amount_fen // 100}.{amount_fen % 100:02d}</Amt>'
