"""Lists as the reader asks for them: JSON with a cursor, CSV, or one JSON object a line."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request, Response

from services.shared.runtime.service_app import as_json, json_response

DEFAULT_PAGE, MAX_PAGE = 100, 500
CSV_TYPE, NDJSON_TYPE = "text/csv", "application/x-ndjson"
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def list_answer(request: Request, rows: Sequence[Mapping[str, Any]], limit: int, columns: Sequence[str]) -> Response:
    """The page in the form that the Accept header names. The cursor of the next page is the last row's id: in JSON as
    `next` (null on the last page), otherwise in the header Next-Cursor. CSV has `columns`, always in this order."""
    following = rows[-1]["id"] if rows and len(rows) == limit else None
    headers = {"Vary": "Accept", **({"Next-Cursor": following} if following else {})}
    accept = request.headers.get("accept", "")
    if CSV_TYPE in accept:
        # The mark makes spreadsheets read the Chinese text as UTF-8.
        return Response("\ufeff" + _csv(rows, columns), 200, headers, f"{CSV_TYPE}; charset=utf-8")
    if NDJSON_TYPE in accept:
        return Response(b"".join(as_json(row) + b"\n" for row in rows), 200, headers, NDJSON_TYPE)
    return json_response({"data": list(rows), "next": following})


def _csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)
    return out.getvalue()


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    # A spreadsheet would run such a cell.
    return f"'{text}" if text.startswith(_FORMULA_SIGNS) else text
