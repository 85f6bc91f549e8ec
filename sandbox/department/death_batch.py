"""A batch of death records as the department states it: whatever its file says, good or bad, uncorrected."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path

MOST_ROWS = 5_000
LARGEST_FILE_BYTES = 4_000_000
COLUMNS = ("id_number", "died_on", "source")
# What the columns are called in the department's own spreadsheets.
CHINESE_COLUMNS = {"公民身份号码": "id_number", "身份证号": "id_number", "死亡日期": "died_on", "数据来源": "source"}


class RowsRefused(Exception):
    """The rows file cannot be sent; the message never holds a row's values."""


@dataclass(frozen=True, slots=True)
class DeathBatch:
    """What the sender declares, and its rows; `row_count` is counted unless a test states another."""

    batch_no: str
    as_of: str
    rows: tuple[dict[str, str], ...]
    mode: str = "delta"
    row_count: int | None = None

    def body(self) -> bytes:
        """The JSON body; the same batch is always the same bytes, so sending it again is recognised."""
        document = {
            "batch_no": self.batch_no,
            "as_of": self.as_of,
            "mode": self.mode,
            "row_count": len(self.rows) if self.row_count is None else self.row_count,
            "rows": list(self.rows),
        }
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def read_rows(path: Path) -> tuple[dict[str, str], ...]:
    """Rows of a CSV file with a heading (UTF-8, with or without BOM; English or Chinese names) or a JSON list.

    Raises `RowsRefused`: unreadable, too large, without the columns, or more than 5,000 rows.
    """
    text = _read_text(path)
    try:
        rows = json.loads(text) if text.lstrip().startswith("[") else list(csv.DictReader(text.splitlines()))
    except (ValueError, RecursionError, csv.Error):
        raise RowsRefused(f"{path} is neither CSV with a heading nor a JSON list") from None
    if len(rows) > MOST_ROWS:
        raise RowsRefused(f"{path} has {len(rows)} rows; send at most {MOST_ROWS} in a batch")
    return tuple(_named(path, number, row) for number, row in enumerate(rows, start=1))


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE_BYTES + 1)
    except OSError as error:
        raise RowsRefused(f"{path} cannot be read: {error.strerror}") from None
    if len(data) > LARGEST_FILE_BYTES:
        raise RowsRefused(f"{path} is larger than {LARGEST_FILE_BYTES} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RowsRefused(f"{path} is not UTF-8") from None


def _named(path: Path, number: int, row: object) -> dict[str, str]:
    if not isinstance(row, dict):
        raise RowsRefused(f"{path}: row {number} is not an object")
    named = {CHINESE_COLUMNS.get(str(name).strip(), str(name).strip()): value for name, value in row.items()}
    if not {"id_number", "died_on"} <= named.keys():
        raise RowsRefused(f"{path}: row {number} lacks id_number or died_on")
    return {name: str(named[name]) for name in COLUMNS if named.get(name) is not None}
