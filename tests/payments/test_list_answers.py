"""A list leaves the house without a cell that a spreadsheet would run."""

import csv
import io

import pytest
from starlette.requests import Request

from services.payments.api.list_answers import list_answer


def cells(**row: object) -> dict[str, str]:
    request = Request({"type": "http", "headers": [(b"accept", b"text/csv")]})
    answer = list_answer(request, [{"id": "1", **row}], 100, ("id", *row))
    return next(iter(csv.DictReader(io.StringIO(bytes(answer.body).decode("utf-8-sig")))))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_formula_is_text(text: str) -> None:
    assert cells(reason=text)["reason"].startswith("'")


@pytest.mark.parametrize("text", ["AC04", "738.00", "低保", 'a"b,c'])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert cells(reason=text)["reason"] == text


def test_what_is_absent_is_an_empty_cell() -> None:
    assert cells(reason=None)["reason"] == ""
