"""A policy pack as it is written: dated rules and figures with their sources, read from the text of its files."""

import csv
import hashlib
import io
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

from services.shared.policy.fault import PackFault
from services.shared.policy.text import Text, one_of, written_as
from services.shared.policy.written import Written, optional_date, text_of
from services.shared.vocabulary.period import Period

HEAD, FIGURES, RULES = "pack.toml", "parameters.csv", "rules.toml"
FIGURES_BY_TOPIC, RULES_BY_TOPIC, CASES = "parameters/*.csv", "rules/*.toml", "cases/*.toml"
PACK_FILES = (HEAD, FIGURES, RULES, FIGURES_BY_TOPIC, RULES_BY_TOPIC, CASES)
"""The files of a pack; a large one has figures and rules in a file for each topic."""

MAX_FILE_BYTES = 1_000_000
TOO_LARGE = Text("文件过大", "the file is too large")
KEEP_SMALLER = Text(f"保持在 {MAX_FILE_BYTES} 字节以内", f"keep it within {MAX_FILE_BYTES} bytes")
REPLACED = "replaced"
"""In the column `until`: the figure is in force until its successor, however late that comes."""

FIGURE_COLUMNS = (
    "name",
    "value",
    "unit",
    "from",
    "until",
    "rounding",
    "instrument",
    "article",
    "source",
    "confidence",
    "note",
)
CONFIDENCES = ("verified", "verified_2nd", "inferred", "memory_high", "memory_medium", "memory_low", "design")


@dataclass(frozen=True, slots=True)
class Instrument:
    """A law, rule or notice that rules and figures rest on."""

    id: str
    title: str
    title_en: str
    period: Period
    confidence: str


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a rule is written: an instrument's id and its article, while `period` lasts."""

    instrument: str
    article: str
    period: Period


@dataclass(frozen=True, slots=True)
class ParameterDeclaration:
    """What a parameter is: its kind, `per` month or year for money, and by which values its figures differ."""

    name: str
    type: str
    codes: tuple[str, ...]
    per: str
    keys: Mapping[str, str]
    text: Text


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of parameters.csv; `from_year` is set when only a year is known."""

    name: str
    key: Mapping[str, str]
    value: str
    unit: str
    from_on: date
    from_year: bool
    until_on: date | None
    until_replaced: bool
    rounding: str
    citation: Citation
    source: str
    confidence: str
    file: str
    row: int

    @property
    def where(self) -> str:
        """Where the row stands, as a fault names it."""
        return f"{self.file} row {self.row} ({self.name})"


@dataclass(frozen=True, slots=True)
class WrittenRule:
    """One block of rules.toml: an expression in force for a period, its sentences and its citations."""

    id: str
    entity: str
    type: str
    codes: tuple[str, ...]
    expression: str
    period: Period
    citations: tuple[Citation, ...]
    holds: Text | None
    fails: Text | None
    open: Text | None
    values: Mapping[str, str]
    gap: tuple[str, ...]
    shown_when: str


@dataclass(frozen=True, slots=True)
class WrittenException:
    """Where the law makes an exception: while `when` holds, the rule `overrides` has the value of `expression`.

    `when` is a rule of its own, with the exception's id, sentences and citations.
    """

    overrides: str
    when: WrittenRule
    expression: str


@dataclass(frozen=True, slots=True)
class Programme:
    """A kind of aid: its conditions (all must hold), what it pays, and what it makes of the person.

    `months` is the rule for how long a one-off amount is paid in stages, `level` the rule for who decides where that
    differs by case; `department` decides a referral.
    """

    id: str
    tier: str
    entity: str
    conditions: tuple[str, ...]
    monthly: str
    one_off: str
    months: str
    category: str
    starts: str
    place: str
    decision_level: str
    level: str
    department: Text | None
    period: Period
    text: Text
    documents: tuple[str, ...]

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that decide: whether it is granted, and how much."""
        return tuple(name for name in (f"{self.id}.eligible", self.monthly, self.one_off) if name)


@dataclass(frozen=True, slots=True)
class Exclusion:
    """While the rule `when` holds, `loser` is refused because of `winner`; binding where the law leaves no choice."""

    winner: str
    loser: str
    when: str
    is_binding: bool


@dataclass(frozen=True, slots=True)
class Document:
    """A paper to bring, while the rule `when` holds (always, when empty)."""

    id: str
    text: Text
    when: str
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Linked:
    """A figure that is at least so many times another of the same day, as published; checked, never computed.

    `is_of_place_above` compares with what the place above holds, such as a province's guide. Ratio and tolerance are
    ten-thousandths. A figure that falls short is a fault from `binding_from` on; before, and where that is None, a
    warning.
    """

    figure: str
    of: str
    is_of_place_above: bool
    at_least: int
    tolerance: int
    binding_from: date | None
    citation: Citation
    text: Text


@dataclass(frozen=True, slots=True)
class Presumption:
    """What the pack takes an absent fact to be."""

    entity: str
    key: str
    value: Any
    text: Text


@dataclass(frozen=True, slots=True)
class PackCase:
    """A golden case: the request `base` with values set or removed at paths, and the parts of the answer to expect."""

    file: str
    name: str
    base: Mapping[str, Any]
    set: Mapping[str, Any]
    unset: tuple[str, ...]
    expect: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Pack:
    """One place's law and figures; immutable once published."""

    id: str
    version: str
    sha256: str
    jurisdiction: str
    parent: str | None
    text: Text
    period: Period
    review: str
    instruments: Mapping[str, Instrument]
    presumptions: tuple[Presumption, ...]
    delegation: Mapping[str, str]
    declarations: Mapping[str, ParameterDeclaration]
    figures: tuple[Figure, ...]
    rules: tuple[WrittenRule, ...]
    exceptions: tuple[WrittenException, ...]
    programmes: tuple[Programme, ...]
    exclusions: tuple[Exclusion, ...]
    documents: tuple[Document, ...]
    linked: tuple[Linked, ...]
    cases: tuple[PackCase, ...]
    covers: tuple[str, ...] = ()

    def stands_for(self, region: str) -> bool:
        """Whether its law and figures are for `region`, which is its own place or lies in it.

        The figures of a city are often those of its districts alone: such a pack lists them in `covers`.
        """
        return region == self.jurisdiction or not self.covers or region in self.covers

    @property
    def identity(self) -> dict[str, str]:
        """What an answer names: id, version and the sha256 of the contents."""
        return {"id": self.id, "version": self.version, "sha256": self.sha256}


def load_pack(files: Mapping[str, bytes]) -> Pack:
    """The pack in these files (PACK_FILES), by name in its folder.

    Raises PackFault, naming the file and what to do, for text that is not as a pack is written. Names and kinds
    inside expressions are checked when the pack stands in its chain (`rulebook`).
    """
    head = _toml(files, HEAD, "?")
    pack = head.text("id")
    rules = [_toml(files, name, pack) for name in _named(files, RULES, RULES_BY_TOPIC)]

    def every(key: str) -> Iterator[Written]:
        return (item for written in rules for item in written.tables(key))

    instruments = {item.id: item for item in map(_instrument, head.tables("instrument"))}
    loaded = Pack(
        id=pack,
        version=head.text("version"),
        sha256=fingerprint(files),
        jurisdiction=head.text("jurisdiction"),
        parent=head.optional("parent") or None,
        text=text_of(head.table("title")),
        period=head.period(),
        review=head.text("review"),
        instruments=instruments,
        presumptions=tuple(_presumption(item) for item in head.tables("presumption")),
        delegation=head.strings("delegation"),
        declarations=dict(_declarations(rules, pack)),
        figures=tuple(row for name in _named(files, FIGURES, FIGURES_BY_TOPIC) for row in _figures(files, name, pack)),
        rules=tuple(map(_rule, every("rule"))),
        exceptions=tuple(map(_exception, every("exception"))),
        programmes=tuple(map(_programme, every("programme"))),
        exclusions=tuple(map(_exclusion, every("exclusion"))),
        documents=tuple(map(_document, every("document"))),
        linked=tuple(map(_linked, every("linked"))),
        cases=tuple(_cases(files, pack)),
        covers=head.texts("covers"),
    )
    for written in (head, *rules):
        written.finish()
    return loaded


def fingerprint(files: Mapping[str, bytes]) -> str:
    """The sha256 of all files but the golden cases, which prove and do not decide.

    Of each file its name, length and bytes, in one fixed order: the three that stand alone, then those by topic.
    """
    digest = hashlib.sha256()
    topics = sorted(name for name in files if fnmatchcase(name, FIGURES_BY_TOPIC) or fnmatchcase(name, RULES_BY_TOPIC))
    for name in (HEAD, FIGURES, RULES, *topics):
        content = files.get(name, b"")
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def _named(files: Mapping[str, bytes], alone: str, by_topic: str) -> tuple[str, ...]:
    """The files that are there, by topic or alone; the one that stands alone where there is none."""
    found = sorted(name for name in files if fnmatchcase(name, by_topic))
    return (*((alone,) if alone in files or not found else ()), *found)


def _text(files: Mapping[str, bytes], name: str, pack: str) -> str:
    content = files.get(name)
    if content is None:
        raise PackFault(
            pack,
            name,
            0,
            Text("缺少该文件", "the file is missing"),
            Text("补上该文件；没有内容时也要写表头", "add it, with its header where it is empty"),
        )
    if len(content) > MAX_FILE_BYTES:
        raise PackFault(pack, name, 0, TOO_LARGE, KEEP_SMALLER)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        problem = Text("文件不是 UTF-8 编码", "the file is not UTF-8")
        raise PackFault(pack, name, 0, problem, Text("另存为 UTF-8 编码", "save it as UTF-8")) from None


def _toml(files: Mapping[str, bytes], name: str, pack: str) -> Written:
    try:
        values = tomllib.loads(_text(files, name, pack), parse_float=Decimal)
    except (ValueError, RecursionError) as error:  # not TOML; a number of thousands of digits; nested without end
        problem = Text(f"这不是合法的 TOML（{error}）", f"this is not TOML ({error})")
        raise PackFault(pack, name, 0, problem, Text("改正该行", "correct the line")) from None
    return Written(pack if pack != "?" else str(values.get("id", "?")), name, values)


def _cases(files: Mapping[str, bytes], pack: str) -> Iterator[PackCase]:
    for name in sorted(name for name in files if fnmatchcase(name, CASES)):
        written = _toml(files, name, pack)
        bases = {key: item.everything() for key, item in written.named("base").items()}
        for item in written.tables("case"):
            base = item.text("base")
            if base not in bases:
                problem = Text(f"没有名为 {base} 的基础案例", f"there is no base {base}")
                raise PackFault(pack, f"{name} case {item.text('name')}", 0, problem, written_as(f"[base.{base}]"))
            yield PackCase(
                name, item.text("name"), bases[base], item.mapping("set"), item.texts("unset"), item.mapping("expect")
            )
            item.finish()
        written.finish()


def _instrument(item: Written) -> Instrument:
    read = Instrument(
        item.text("id"),
        item.text("title"),
        item.text("title_en"),
        Period(item.day("in_force_from"), item.optional_day("in_force_until")),
        item.code("confidence", CONFIDENCES),
    )
    item.finish()
    return read


def _presumption(item: Written) -> Presumption:
    read = Presumption(item.text("entity"), item.text("key"), item.any("value"), text_of(item))
    item.finish()
    return read


def _declarations(files: Sequence[Written], pack: str) -> Iterator[tuple[str, ParameterDeclaration]]:
    names: set[str] = set()
    for name, item in (entry for written in files for entry in written.named("parameter").items()):
        if name in names:
            problem = Text("该参数声明了两次", "the parameter is declared twice")
            raise PackFault(pack, f"parameter {name}", 0, problem, Text("删除其中一处", "remove one of them"))
        names.add(name)
        yield name, _declaration(name, item)


def _declaration(name: str, item: Written) -> ParameterDeclaration:
    read = ParameterDeclaration(
        name,
        item.code("type", ("money", "rate", "int", "bool", "enum", "months")),
        item.texts("codes"),
        item.optional("per"),
        item.strings("keys"),
        text_of(item),
    )
    item.finish()
    return read


def _citations(item: Written) -> tuple[Citation, ...]:
    return tuple(_citation(citation) for citation in item.tables("citations"))


def _citation(item: Written) -> Citation:
    read = Citation(item.text("instrument"), item.optional("article"), item.period())
    item.finish()
    return read


def _rule(item: Written) -> WrittenRule:
    return _rule_of(item, "expr", item.code("type", ("bool", "int", "money", "rate", "date", "months", "enum")))


def _rule_of(item: Written, expression_key: str, kind: str) -> WrittenRule:
    read = WrittenRule(
        id=item.text("id"),
        entity=item.text("entity"),
        type=kind,
        codes=item.texts("codes"),
        expression=item.text(expression_key),
        period=item.period(),
        citations=_citations(item),
        holds=item.optional_text_pair("holds"),
        fails=item.optional_text_pair("fails"),
        open=item.optional_text_pair("open"),
        values=item.strings("values"),
        gap=item.texts("gap"),
        shown_when=item.optional("show_when"),
    )
    item.finish()
    return read


def _exception(item: Written) -> WrittenException:
    overrides, expression = item.text("overrides"), item.text("value")
    return WrittenException(overrides, _rule_of(item, "when", "bool"), expression)


def _programme(item: Written) -> Programme:
    read = Programme(
        id=item.text("id"),
        tier=item.code("tier", ("basic", "status", "special", "emergency", "linked", "run")),
        entity=item.text("entity"),
        conditions=item.texts("conditions"),
        monthly=item.optional("monthly"),
        one_off=item.optional("one_off"),
        months=item.optional("months"),
        category=item.optional("category"),
        starts=item.optional_code("starts", ("next_month", "same_month")),
        place=item.optional_code("place", ("event",)),
        decision_level=item.text("decision_level"),
        level=item.optional("level"),
        department=item.optional_text_pair("department"),
        period=item.period(),
        text=text_of(item),
        documents=item.texts("documents"),
    )
    item.finish()
    return read


def _exclusion(item: Written) -> Exclusion:
    read = Exclusion(item.text("winner"), item.text("loser"), item.text("when"), item.flag("binding"))
    item.finish()
    return read


def _document(item: Written) -> Document:
    read = Document(item.text("id"), text_of(item), item.optional("when"), _citations(item))
    item.finish()
    return read


def _linked(item: Written) -> Linked:
    read = Linked(
        figure=item.text("figure"),
        of=item.text("of"),
        is_of_place_above=item.optional_code("place", ("above",)) == "above",
        at_least=item.rate("at_least"),
        tolerance=item.rate("tolerance", "0"),
        binding_from=item.optional_day("binding_from"),
        citation=_citation(item.table("citation")),
        text=text_of(item),
    )
    item.finish()
    return read


def _figures(files: Mapping[str, bytes], name: str, pack: str) -> tuple[Figure, ...]:
    reader = csv.DictReader(io.StringIO(_text(files, name, pack), newline=""))
    try:
        columns, rows = reader.fieldnames or (), list(reader)
    except csv.Error as error:
        problem = Text(f"这不是合法的 CSV（{error}）", f"this is not CSV ({error})")
        raise PackFault(pack, name, 0, problem, Text("核对引号和换行", "check quotes and line breaks")) from None
    missing = set(FIGURE_COLUMNS) - set(columns)
    if missing:
        listed = ", ".join(sorted(missing))
        problem = Text(f"缺少这些列：{listed}", f"the columns {listed} are missing")
        raise PackFault(pack, name, 0, problem, Text("在表头中补上", "add them to the header"))
    return tuple(_figure(row, name, number, pack) for number, row in enumerate(rows, start=2))


def _figure(row: Mapping[str, str], file: str, number: int, pack: str) -> Figure:
    where = f"{file} row {number} ({row.get('name')})"
    if None in row or None in row.values():
        problem = Text("该行的单元格数与表头不一致", "the row has not as many cells as the header")
        remedy = Text("含逗号的单元格要加引号", "quote cells that hold a comma")
        raise PackFault(pack, where, 0, problem, remedy)
    if row["confidence"] not in CONFIDENCES:
        problem = Text("confidence（可信程度）不是规定的标记", "the confidence is not one of the marks")
        raise PackFault(pack, where, 0, problem, one_of(CONFIDENCES))
    from_on, from_year = _start(row["from"], pack, where)
    until = row["until"].strip()
    return Figure(
        name=row["name"],
        key={name: value for name, value in row.items() if name not in FIGURE_COLUMNS and value},
        value=row["value"],
        unit=row["unit"],
        from_on=from_on,
        from_year=from_year,
        until_on=None if until in ("", REPLACED) else optional_date(until, pack, where),
        until_replaced=until == REPLACED,
        rounding=row["rounding"],
        citation=Citation(row["instrument"], row["article"], Period(from_on)),
        source=row["source"],
        confidence=row["confidence"],
        file=file,
        row=number,
    )


def _start(text: str, pack: str, where: str) -> tuple[date, bool]:
    if len(text) == 4 and text.isdigit():
        return date(int(text), 1, 1), True
    start = optional_date(text, pack, where)
    if start is None:
        problem = Text("该标准没有起始日期", "the figure has no start")
        remedy = Text("写明日期；只知道年份时写年份", "give a date, or a year where no more is known")
        raise PackFault(pack, where, 0, problem, remedy)
    return start, False
