"""The bank's messages: written the same each time, read strictly, and hostile ones refused."""

import hashlib
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from sandbox.test_bank import pay_file as bank_side
from sandbox.test_bank.book import DayStatement, Entry, FileStatus, TransferStatus
from sandbox.test_bank.messages import statement, status_report
from services.payments.domain.payee import Payee
from services.payments.gateways import iso20022
from services.payments.gateways.iso20022 import (
    BankMessageInvalid,
    CreditLine,
    LineStatus,
    PayFileHeader,
    read_statement,
    read_status_report,
    write_pay_file,
)

NOW = datetime(2023, 9, 8, 1, tzinfo=UTC)
HEADER = PayFileHeader("DBF-1", NOW, date(2023, 9, 8), "武汉市民政局", "420100000000000001", "test_bank")
PAYEE = Payee("王&小明<>", "9000000000000007")
FILE = FileStatus("DBF-1", "DBF-1", "0" * 64, "ACTC", None, "2023-09-08T09:00:00+08:00")


def line(name: str = "E1", amount_fen: int = 102_000) -> CreditLine:
    return CreditLine(name, amount_fen, PAYEE, "低保 2023-09")


def day(*entries: Entry, opening: int = 1_000_000, closing: int | None = None) -> bytes:
    moved = sum(entry.amount_fen if entry.is_credit else -entry.amount_fen for entry in entries)
    closing = opening + moved if closing is None else closing
    return statement(DayStatement("420100000000000001", date(2023, 9, 8), opening, closing, entries), NOW)


def test_the_schemas_are_the_published_ones() -> None:
    folder = Path(iso20022.__file__).parent / "schemas"
    told = dict(re.findall(r"`(\S+\.xsd)` .*`([0-9a-f]{64})`", (folder / "SOURCE.md").read_text(encoding="utf-8")))
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.xsd")}
    assert told == found and len(found) == 3
    copy = Path(bank_side.__file__).parent / "schemas" / "pain.001.001.09.xsd"
    assert hashlib.sha256(copy.read_bytes()).hexdigest() == found[copy.name]


def test_the_same_lines_give_the_same_bytes() -> None:
    assert write_pay_file(HEADER, [line("E1"), line("E2")]) == write_pay_file(HEADER, [line("E1"), line("E2")])


@given(st.integers(1, 10**14), st.text(min_size=1, max_size=20).filter(str.isprintable).filter(str.strip))
def test_a_bank_reads_what_we_write(amount_fen: int, name: str) -> None:
    try:
        content = write_pay_file(HEADER, [CreditLine("E1", amount_fen, Payee(name, "9000000000000007"), "x")])
    except BankMessageInvalid:
        assert any(0xD800 <= ord(letter) <= 0xDFFF or ord(letter) > 0xFFFD for letter in name)
        return
    read = bank_side.read_pay_file(content)
    assert [(c.end_to_end_id, c.amount_fen, c.card_number) for c in read.credits] == [
        ("E1", amount_fen, "9000000000000007")
    ]
    assert read.declared_fen == amount_fen
    names = etree.fromstring(content).findall(".//{*}Cdtr/{*}Nm")
    assert [element.text for element in names] == [name]


@pytest.mark.parametrize(
    "lines", [[], [line("E1"), line("E1")], [line("E" * 36)], [line(amount_fen=0)], [line(amount_fen=-1)]]
)
def test_a_file_that_no_bank_should_see_is_not_written(lines: list[CreditLine]) -> None:
    with pytest.raises(BankMessageInvalid):
        write_pay_file(HEADER, lines)


def test_a_file_has_at_most_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iso20022, "MOST_LINES_IN_A_FILE", 2)
    write_pay_file(HEADER, [line("E1"), line("E2")])
    with pytest.raises(BankMessageInvalid):
        write_pay_file(HEADER, [line("E1"), line("E2"), line("E3")])


def test_a_report_is_read_line_by_line() -> None:
    report = read_status_report(
        status_report(FILE, [TransferStatus("E1", "ACSP", None), TransferStatus("E2", "RJCT", "AC04")])
    )
    assert (report.original_msg_id, report.group_status) == ("DBF-1", "ACTC")
    assert report.lines == (LineStatus("E1", "ACSP", None), LineStatus("E2", "RJCT", "AC04"))


def test_a_report_may_be_about_the_file_alone() -> None:
    assert read_status_report(status_report(FILE)).lines == ()


def test_a_statement_is_read_entry_by_entry() -> None:
    read = read_statement(
        day(Entry(1, False, 102_000, "E1", None), Entry(2, True, 700, "E3", "AC01"), Entry(3, True, 5, None, None))
    )
    assert [(e.line_number, e.is_credit, e.amount_fen, e.end_to_end_id, e.return_reason) for e in read.entries] == [
        (1, False, 102_000, "E1", None),
        (2, True, 700, "E3", "AC01"),
        (3, True, 5, None, None),
    ]
    assert {e.booked_on for e in read.entries} == {date(2023, 9, 8)}
    assert read.entries[0].bank_reference == "B000000000001"


@pytest.mark.parametrize("off_by", [-1, 1])
def test_a_statement_whose_entries_miss_its_balance_is_refused(off_by: int) -> None:
    with pytest.raises(BankMessageInvalid, match="balance"):
        read_statement(day(Entry(1, False, 100, "E1", None), closing=999_900 + off_by))


GOOD_STATEMENT = day(Entry(1, False, 100, "E1", None))


@pytest.mark.parametrize(
    "change",
    [
        (b'Ccy="CNY"', b'Ccy="USD"'),
        (b">1.00<", b">1.001<"),
        (b"<Cd>BOOK</Cd>", b"<Cd>PDNG</Cd>"),
        (b"<Cd>OPBD</Cd>", b"<Cd>ITBD</Cd>"),
        (b"<ValDt><Dt>2023-09-08</Dt>", b"<ValDt><Dt>2023-09-08Z</Dt>"),
        (b"<Sts>", b"<Surprise/><Sts>"),
        (b"camt.053.001.08", b"camt.053.001.02"),
    ],
)
def test_a_statement_off_its_agreement_is_refused(change: tuple[bytes, bytes]) -> None:
    assert change[0] in GOOD_STATEMENT
    with pytest.raises(BankMessageInvalid):
        read_statement(GOOD_STATEMENT.replace(*change))


ENTITY_BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a;" * 10) for n in range(9))
    + b"]><x>&a8;</x>"
)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00",
        b"\xff\xfe<\x00x\x00/\x00>\x00",
        b"<x>",
        b"<x/>",
        ENTITY_BOMB,
        b'<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd"><x/>',
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><x>&e;</x>',
        b"<x>" * 100_000,
        b"<a>secret-4201</a>",
    ],
)
@pytest.mark.parametrize("read", [read_statement, read_status_report])
def test_hostile_messages_are_refused_without_repeating_them(read, body: bytes) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(BankMessageInvalid) as refused:
        read(body)
    assert "secret" not in str(refused.value)


def test_a_value_that_breaks_the_schema_is_not_repeated() -> None:
    broken = GOOD_STATEMENT.replace(b">1.00<", b">6222021001112223<x")
    with pytest.raises(BankMessageInvalid) as refused:
        read_statement(broken.replace(b"<x</Amt>", b"</Amt>"))
    assert "6222" not in str(refused.value)


def test_a_message_has_at_most_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iso20022, "LARGEST_MESSAGE_BYTES", len(GOOD_STATEMENT))
    read_statement(GOOD_STATEMENT)
    monkeypatch.setattr(iso20022, "LARGEST_MESSAGE_BYTES", len(GOOD_STATEMENT) - 1)
    with pytest.raises(BankMessageInvalid, match="larger"):
        read_statement(GOOD_STATEMENT)
