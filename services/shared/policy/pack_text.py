"""The text of a pack's files as TOML and as rows, refused before it could take a reader's time or memory."""

import csv
import io
import tomllib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from services.shared.policy.fault import PackFault
from services.shared.policy.text import Text
from services.shared.policy.written import Written

MAX_FILES, MAX_FILE_BYTES, MAX_PACK_BYTES = 1_000, 1_000_000, 8_000_000
MAX_LINE_CHARACTERS = 2_000
"""Of a line that is no comment. The reader's time for one dotted key or number grows with its square."""
MAX_DOTS = 20_000
"""Of a file. Each part of a dotted key costs the reader a kilobyte."""
MAX_NESTING = 12
MAX_CELL_CHARACTERS = 2_000
MAX_ENTRIES: Mapping[str, int] = {
    "instrument": 1_000,
    "presumption": 200,
    "parameter": 1_000,
    "rule": 1_500,
    "exception": 500,
    "programme": 200,
    "exclusion": 500,
    "document": 300,
    "linked": 200,
    "term": 3_000,
    "case": 5_000,
    "figure": 5_000,
}
"""How many of each a pack may have: some five times what the largest place needs."""

TOO_LARGE = Text("文件过大", "the file is too large")
KEEP_SMALLER = Text(f"保持在 {MAX_FILE_BYTES} 字节以内", f"keep it within {MAX_FILE_BYTES} bytes")
MISSING = Text("缺少该文件", "the file is missing")
ADD_IT = Text("补上该文件；没有内容时也要写表头", "add it, with its header where it is empty")
CORRECT_THE_LINE = Text("改正该行", "correct the line")
SPLIT_FILE = Text("按主题拆成几个文件", "split it into a file for each topic")
SPLIT = Text("拆成几个规则包，或删去不用的", "split the pack, or remove what nobody uses")


def refuse_too_much(files: Mapping[str, bytes], pack: str) -> None:
    """Raise PackFault for more files, or more bytes in all, than a pack may have."""
    if len(files) > MAX_FILES:
        problem = Text(f"规则包的文件超过 {MAX_FILES} 个", f"the pack has more than {MAX_FILES} files")
        raise PackFault(pack, "pack.toml", 0, problem, SPLIT)
    if sum(map(len, files.values())) > MAX_PACK_BYTES:
        problem = Text(
            f"规则包总共超过 {MAX_PACK_BYTES} 字节", f"the pack is larger than {MAX_PACK_BYTES} bytes in all"
        )
        raise PackFault(pack, "pack.toml", 0, problem, SPLIT)


def refuse_too_many(kind: str, items: Sequence[Any], pack: str, file: str) -> None:
    """Raise PackFault for more entries of a kind than a pack may have."""
    most = MAX_ENTRIES[kind]
    if len(items) > most:
        raise PackFault(pack, file, 0, Text(f"{kind} 超过 {most} 项", f"there are more than {most} of {kind}"), SPLIT)


def toml_of(files: Mapping[str, bytes], name: str, pack: str) -> Written:
    """A file's TOML, decimals as they are written. The pack's id is found in it where it is "?"."""
    text = _text(files, name, pack)
    for number, line in enumerate(text.splitlines(), start=1):
        if len(line) > MAX_LINE_CHARACTERS and not line.startswith("#"):
            problem = Text(
                f"第 {number} 行超过 {MAX_LINE_CHARACTERS} 个字符",
                f"line {number} is longer than {MAX_LINE_CHARACTERS} characters",
            )
            raise PackFault(pack, name, 0, problem, Text("分成几行", "break it into several"))
    if text.count(".") > MAX_DOTS:
        problem = Text(f"文件中的点超过 {MAX_DOTS} 个", f"the file has more than {MAX_DOTS} dots")
        raise PackFault(pack, name, 0, problem, SPLIT_FILE)
    try:
        values = tomllib.loads(text, parse_float=Decimal)
    except RecursionError:
        _refuse_nesting(pack, name)
    except ValueError as error:
        problem = Text(f"这不是合法的 TOML（{error}）", f"this is not TOML ({error})")
        raise PackFault(pack, name, 0, problem, CORRECT_THE_LINE) from None
    if _nesting(values) > MAX_NESTING:
        _refuse_nesting(pack, name)
    return Written(pack if pack != "?" else str(values.get("id", "?")), name, values)


def rows_of(files: Mapping[str, bytes], name: str, pack: str) -> tuple[Sequence[str], list[dict[Any, Any]]]:
    """A file's header and rows by column. A row without as many cells as the header has None in it."""
    reader = csv.DictReader(io.StringIO(_text(files, name, pack), newline=""))
    try:
        header, rows = reader.fieldnames or (), list(reader)
    except csv.Error as error:
        problem = Text(f"这不是合法的 CSV（{error}）", f"this is not CSV ({error})")
        raise PackFault(pack, name, 0, problem, Text("核对引号和换行", "check quotes and line breaks")) from None
    for number, row in enumerate(rows, start=2):
        if any(isinstance(cell, str) and len(cell) > MAX_CELL_CHARACTERS for cell in row.values()):
            problem = Text("单元格过长", "a cell is too long")
            remedy = Text(f"不超过 {MAX_CELL_CHARACTERS} 个字符", f"keep it within {MAX_CELL_CHARACTERS} characters")
            raise PackFault(pack, f"{name} row {number}", 0, problem, remedy)
    return header, rows


def _text(files: Mapping[str, bytes], name: str, pack: str) -> str:
    content = files.get(name)
    if content is None:
        raise PackFault(pack, name, 0, MISSING, ADD_IT)
    if len(content) > MAX_FILE_BYTES:
        raise PackFault(pack, name, 0, TOO_LARGE, KEEP_SMALLER)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        problem = Text("文件不是 UTF-8 编码", "the file is not UTF-8")
        raise PackFault(pack, name, 0, problem, Text("另存为 UTF-8 编码", "save it as UTF-8")) from None
    if "\0" in text:
        problem = Text("文件含有空字符", "the file holds a NUL character")
        raise PackFault(pack, name, 0, problem, Text("另存为纯文本", "save it as plain text"))
    return text


def _nesting(value: Any) -> int:
    """How many tables and lists lie one in the other, without recursion."""
    depth, level = 0, [value]
    while level and depth <= MAX_NESTING:
        below = [item.values() if isinstance(item, dict) else item for item in level if isinstance(item, dict | list)]
        level = [item for items in below for item in items]
        depth += bool(below)
    return depth


def _refuse_nesting(pack: str, name: str) -> None:
    problem = Text(f"嵌套超过 {MAX_NESTING} 层", f"tables or lists are nested more than {MAX_NESTING} deep")
    raise PackFault(pack, name, 0, problem, Text("减少嵌套", "nest them less")) from None
