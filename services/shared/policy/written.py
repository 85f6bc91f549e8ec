"""Takes a TOML table apart key by key, so that a key nobody reads is refused as a misspelling."""

from collections.abc import Mapping
from datetime import date
from typing import Any, NoReturn

from services.shared.policy.expression import rate_of
from services.shared.policy.fault import PackFault
from services.shared.policy.text import Text, one_of, written_as
from services.shared.vocabulary.period import Period

EARLIEST, LATEST = date(1949, 10, 1), date(2999, 12, 31)
"""Where a rule or citation gives no start, it is as old as its pack. No date of a pack lies outside."""


A_TEXT = Text("文本", "a text")
A_TRUTH = Text("真假值", "a truth value")
A_LIST_OF_TEXTS = Text("文本的列表", "a list of texts")
A_TABLE_OF_TEXTS = Text("值为文本的表", "a table of texts")
A_RATE = Text("加引号的小数，至多四位小数", "a decimal in quotes, of at most four places")
A_DATE = Text("日期", "a date")
A_TABLE = Text("表", "a table")
A_LIST_OF_TABLES = Text("表的列表", "a list of tables")
A_TABLE_OF_TABLES = Text("由表组成的表", "a table of tables")


class Written:
    """A TOML table being read; `finish` refuses what was not asked for."""

    def __init__(self, pack: str, where: str, values: Mapping[str, Any]) -> None:
        self._pack, self._where = pack, where
        self._values = dict(values)
        if "id" in values and where.endswith(("rule", "exception", "programme", "document", "instrument")):
            self._where = f"{where} {values['id']}"

    def text(self, key: str, most: int | None = None) -> str:
        """A text that must be there and not be empty, nor longer than `most` characters."""
        value = self._take(key, None)
        if not isinstance(value, str) or not value.strip():
            self._refuse(_must_be(key, A_TEXT), written_as(f"{key} = ..."))
        if most is not None and len(value) > most:
            problem = Text(f"{key} 超过 {most} 个字符", f"{key} is longer than {most} characters")
            self._refuse(problem, Text("写短一些", "write it shorter"))
        return value

    def optional(self, key: str) -> str:
        """A text, "" when absent."""
        value = self._take(key, "")
        if not isinstance(value, str):
            self._refuse(_must_be(key, A_TEXT), Text("给它加上引号", "put it in quotes"))
        return value

    def code(self, key: str, allowed: tuple[str, ...]) -> str:
        """A text that is one of `allowed`."""
        value = self.text(key)
        if value not in allowed:
            self._refuse(Text(f"{key} 的代码不存在", f"{key} is no known code"), one_of(allowed))
        return value

    def optional_code(self, key: str, allowed: tuple[str, ...]) -> str:
        """A text that is one of `allowed`, "" when absent."""
        return self.code(key, allowed) if key in self._values else ""

    def flag(self, key: str) -> bool:
        """A truth value, false when absent."""
        value = self._take(key, False)
        if not isinstance(value, bool):
            self._refuse(_must_be(key, A_TRUTH), written_as(f"{key} = true"))
        return value

    def rate(self, key: str, default: str | None = None) -> int:
        """A decimal in quotes, as ten-thousandths; `default` where it is absent."""
        value = self._take(key, default)
        try:
            return rate_of(value)
        except (ValueError, AttributeError):
            self._refuse(_must_be(key, A_RATE), written_as(f'{key} = "1.3"'))

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, empty when absent."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self._refuse(_must_be(key, A_LIST_OF_TEXTS), written_as(f'{key} = ["...", "..."]'))
        return tuple(value)

    def strings(self, key: str) -> Mapping[str, str]:
        """A table of texts, empty when absent."""
        value = self._take(key, {})
        if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
            self._refuse(_must_be(key, A_TABLE_OF_TEXTS), written_as(f'{key} = {{name = "..."}}'))
        return value

    def day(self, key: str) -> date:
        """A date that must be there."""
        return self.optional_day(key) or self._refuse(_must_be(key, A_DATE), written_as(f"{key} = 2026-07-01"))

    def optional_day(self, key: str) -> date | None:
        """A date, None when absent."""
        value = self._take(key, None)
        if value is None or (isinstance(value, date) and type(value) is date):
            return None if value is None else in_range(value, self._pack, self._where)
        unquoted = Text(f"写成 {key} = 2026-07-01，不加引号", f"write {key} = 2026-07-01, without quotes")
        self._refuse(_must_be(key, A_DATE), unquoted)

    def period(self, first: str = "from", end: str = "until") -> Period:
        """The keys `from` and `until`: from the first date on, until the second, which no longer belongs to it."""
        from_on, until_on = self.optional_day(first) or EARLIEST, self.optional_day(end)
        refuse_backwards(from_on, until_on, self._pack, self._where)
        return Period(from_on, until_on)

    def any(self, key: str) -> Any:
        """Whatever stands there."""
        return self._take(key, None)

    def table(self, key: str) -> "Written":
        """A table that must be there."""
        value = self._take(key, None)
        if not isinstance(value, dict):
            self._refuse(_must_be(key, A_TABLE), written_as(f"[{key}]"))
        return Written(self._pack, f"{self._where} {key}", value)

    def tables(self, key: str) -> list["Written"]:
        """A list of tables, empty when absent."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self._refuse(_must_be(key, A_LIST_OF_TABLES), written_as(f"[[{key}]]"))
        return [Written(self._pack, f"{self._where} {key}", item) for item in value]

    def named(self, key: str) -> Mapping[str, "Written"]:
        """A table of tables by name, empty when absent."""
        value = self._take(key, {})
        if not isinstance(value, dict) or not all(isinstance(item, dict) for item in value.values()):
            self._refuse(_must_be(key, A_TABLE_OF_TABLES), written_as(f"[{key}.name]"))
        return {name: Written(self._pack, f"{self._where} {key} {name}", item) for name, item in value.items()}

    def mapping(self, key: str) -> Mapping[str, Any]:
        """A table of anything, empty when absent."""
        value = self._take(key, {})
        if not isinstance(value, dict):
            self._refuse(_must_be(key, A_TABLE), written_as(f"{key} = {{...}}"))
        return value

    def optional_text_pair(self, key: str) -> Text | None:
        """A sentence in both languages, None when absent."""
        return text_of(self.table(key)) if key in self._values else None

    def everything(self) -> Mapping[str, Any]:
        """The whole table as it is."""
        taken, self._values = self._values, {}
        return taken

    def finish(self) -> None:
        """Raise PackFault for a key that nobody read."""
        for key in self._values:
            self._refuse(
                Text(f"此处没有名为 {key} 的键", f"the key {key} is not known here"),
                Text("删除它，或核对拼写", "remove it or check its spelling"),
            )

    def _take(self, key: str, default: Any) -> Any:
        return self._values.pop(key, default)

    def _refuse(self, problem: Text, remedy: Text) -> NoReturn:
        raise PackFault(self._pack, self._where, 0, problem, remedy)


def _must_be(key: str, kind: Text) -> Text:
    return Text(f"{key} 必须是{kind.zh}", f"{key} must be {kind.en}")


MAX_SENTENCE = 1_000


def text_of(item: Written) -> Text:
    """The keys `zh` and `en` of a table. Raises PackFault for a text that nobody could read."""
    return Text(item.text("zh", MAX_SENTENCE), item.text("en", MAX_SENTENCE))


def optional_date(text: str, pack: str, where: str) -> date | None:
    """An ISO 8601 date in a cell, None when empty. Raises PackFault for anything else."""
    if not text:
        return None
    try:
        return in_range(date.fromisoformat(text), pack, where)
    except ValueError:
        raise PackFault(pack, where, 0, Text("这不是日期", "this is not a date"), written_as("2026-07-01")) from None


def in_range(day: date, pack: str, where: str) -> date:
    """The date. Raises PackFault where no law of ours can be."""
    if EARLIEST <= day <= LATEST:
        return day
    remedy = Text(f"写 {EARLIEST} 到 {LATEST} 之间的日期", f"write a date from {EARLIEST} to {LATEST}")
    raise PackFault(pack, where, 0, Text("日期超出范围", "the date is out of range"), remedy)


def refuse_backwards(from_on: date, until_on: date | None, pack: str, where: str) -> None:
    """Raise PackFault for a period that ends before it begins, or on the same day."""
    if until_on is not None and until_on <= from_on:
        problem = Text("截止日期不晚于起始日期", "it ends before it begins")
        raise PackFault(
            pack, where, 0, problem, Text("until 是失效的第一天", "until is the first day no more in force")
        )
