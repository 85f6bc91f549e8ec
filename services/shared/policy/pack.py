"""A policy pack as it is written: dated rules and figures with their sources, read from the text of its files."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from typing import Any

from services.shared.policy.fault import PackFault
from services.shared.policy.pack_text import refuse_too_many, refuse_too_much, rows_of, toml_of
from services.shared.policy.text import Text, one_of, written_as
from services.shared.policy.written import Written, in_range, optional_date, refuse_backwards, text_of
from services.shared.vocabulary.period import Period
from services.shared.vocabulary.region import is_region_code, places_upwards

HEAD, FIGURES, RULES = "pack.toml", "parameters.csv", "rules.toml"
FIGURES_BY_TOPIC, RULES_BY_TOPIC, CASES = "parameters/*.csv", "rules/*.toml", "cases/*.toml"
PACK_FILES = (HEAD, FIGURES, RULES, FIGURES_BY_TOPIC, RULES_BY_TOPIC, CASES)
"""The files of a pack; a large one has figures and rules in a file for each topic."""

MAX_EXPRESSION_CHARACTERS = 400_000
"""In all expressions of a pack together."""
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

    def cell(self, column: str) -> str:
        """Where one of its cells stands."""
        return f"{self.where} {column}"


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
    at_the_line: Text | None
    """What is said instead of `fails` where there is no gap: both sides are the same, and that is not enough."""
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
    differs by case, `share` the rule for one member's part of what the household is paid; `set_off` names the aid that
    comes off this amount while it is in payment; `department` decides a referral.
    """

    id: str
    tier: str
    entity: str
    conditions: tuple[str, ...]
    monthly: str
    one_off: str
    months: str
    share: str
    set_off: tuple[str, ...]
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
    """A paper that is needed, while the rule `when` holds (always, when empty).

    `held_by` names the department that holds it, so that nobody need bring it (Social Assistance Law Art. 62).
    """

    id: str
    text: Text
    when: str
    held_by: Text | None
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
    terms: Mapping[str, Text]
    """What a rule, or a code of a rule or parameter (`rule.code`), is called in words."""
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
    refuse_too_much(files, "?")
    head = toml_of(files, HEAD, "?")
    pack = head.text("id")
    rules = [toml_of(files, name, pack) for name in _named(files, RULES, RULES_BY_TOPIC)]

    def every(key: str, files: Sequence[Written] = rules) -> list[Written]:
        found = [item for written in files for item in written.tables(key)]
        refuse_too_many(key, found, pack, RULES if files is rules else HEAD)
        return found

    loaded = Pack(
        id=pack,
        version=head.text("version"),
        sha256=fingerprint(files),
        jurisdiction=head.text("jurisdiction"),
        parent=head.optional("parent") or None,
        text=text_of(head.table("title")),
        period=head.period(),
        review=head.text("review"),
        instruments=_instruments(every("instrument", [head]), pack),
        presumptions=tuple(map(_presumption, every("presumption", [head]))),
        delegation=head.strings("delegation"),
        declarations=dict(_declarations(rules, pack)),
        figures=_all_figures(files, pack),
        rules=tuple(map(_rule, every("rule"))),
        exceptions=tuple(map(_exception, every("exception"))),
        programmes=tuple(map(_programme, every("programme"))),
        exclusions=tuple(map(_exclusion, every("exclusion"))),
        documents=tuple(map(_document, every("document"))),
        linked=tuple(map(_linked, every("linked"))),
        terms=_terms(rules, pack),
        cases=_all_cases(files, pack),
        covers=head.texts("covers"),
    )
    for written in (head, *rules):
        written.finish()
    _bound_expressions(loaded)
    _refuse_places_outside(loaded)
    return loaded


def _refuse_places_outside(pack: Pack) -> None:
    place = pack.jurisdiction
    if all(is_region_code(covered) and place in places_upwards(covered) for covered in pack.covers):
        return
    problem = Text(f"covers 中有不属于 {place} 的地区", f"a place in covers does not lie in {place}")
    raise PackFault(pack.id, HEAD, 0, problem, Text("只写其下级地区的六位代码", "list six-digit codes of places in it"))


def _bound_expressions(pack: Pack) -> None:
    written = (*pack.rules, *(item.when for item in pack.exceptions))
    whole = sum(len(rule.expression) + sum(map(len, rule.values.values())) for rule in written)
    if whole > MAX_EXPRESSION_CHARACTERS:
        problem = Text(
            f"表达式合计超过 {MAX_EXPRESSION_CHARACTERS} 个字符",
            f"the expressions are longer than {MAX_EXPRESSION_CHARACTERS} characters in all",
        )
        raise PackFault(pack.id, RULES, 0, problem, Text("合并相同的规则", "join rules that say the same"))


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


def _all_cases(files: Mapping[str, bytes], pack: str) -> tuple[PackCase, ...]:
    cases: list[PackCase] = []
    for name in sorted(name for name in files if fnmatchcase(name, CASES)):
        cases += _cases(files, name, pack)
        refuse_too_many("case", cases, pack, name)
    return tuple(cases)


def _all_figures(files: Mapping[str, bytes], pack: str) -> tuple[Figure, ...]:
    figures: list[Figure] = []
    for name in _named(files, FIGURES, FIGURES_BY_TOPIC):
        figures += _figures(files, name, pack)
        refuse_too_many("figure", figures, pack, name)
    return tuple(figures)


def _cases(files: Mapping[str, bytes], name: str, pack: str) -> Iterator[PackCase]:
    written = toml_of(files, name, pack)
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


def _instruments(items: Sequence[Written], pack: str) -> dict[str, Instrument]:
    found: dict[str, Instrument] = {}
    for instrument in map(_instrument, items):
        if instrument.id in found:
            problem = Text("该文件列出了两次", "the instrument is listed twice")
            raise PackFault(pack, f"instrument {instrument.id}", 0, problem, Text("删除其中一处", "remove one of them"))
        found[instrument.id] = instrument
    return found


def _instrument(item: Written) -> Instrument:
    read = Instrument(
        item.text("id"),
        item.text("title"),
        item.text("title_en"),
        item.period("in_force_from", "in_force_until"),
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
    declared = [entry for written in files for entry in written.named("parameter").items()]
    refuse_too_many("parameter", declared, pack, RULES)
    for name, item in declared:
        if name in names:
            problem = Text("该参数声明了两次", "the parameter is declared twice")
            raise PackFault(pack, f"parameter {name}", 0, problem, Text("删除其中一处", "remove one of them"))
        names.add(name)
        yield name, _declaration(name, item)


def _terms(files: Sequence[Written], pack: str) -> dict[str, Text]:
    terms: dict[str, Text] = {}
    for name, item in (entry for written in files for entry in written.named("term").items()):
        if name in terms:
            problem = Text("该名称写了两次", "the term is written twice")
            raise PackFault(pack, f"term {name}", 0, problem, Text("删除其中一处", "remove one of them"))
        terms[name] = text_of(item)
        item.finish()
    refuse_too_many("term", list(terms), pack, RULES)
    return terms


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
        at_the_line=item.optional_text_pair("at_the_line"),
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
        share=item.optional("share"),
        set_off=item.texts("set_off"),
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
    read = Document(
        item.text("id"),
        text_of(item),
        item.optional("when"),
        item.optional_text_pair("held_by"),
        _citations(item),
    )
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
    columns, rows = rows_of(files, name, pack)
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
        raise PackFault(pack, f"{where} confidence", 0, problem, one_of(CONFIDENCES))
    from_on, from_year = _start(row["from"], pack, f"{where} from")
    until = row["until"].strip()
    until_on = None if until in ("", REPLACED) else optional_date(until, pack, f"{where} until")
    refuse_backwards(from_on, until_on, pack, f"{where} until")
    return Figure(
        name=row["name"],
        key={name: value for name, value in row.items() if name not in FIGURE_COLUMNS and value},
        value=row["value"],
        unit=row["unit"],
        from_on=from_on,
        from_year=from_year,
        until_on=until_on,
        until_replaced=until == REPLACED,
        rounding=row["rounding"],
        citation=Citation(row["instrument"], row["article"], Period(from_on)),
        source=row["source"],
        confidence=row["confidence"],
        file=file,
        row=number,
    )


def _start(text: str, pack: str, where: str) -> tuple[date, bool]:
    if len(text) == 4 and text.isascii() and text.isdecimal():
        return in_range(date(max(int(text), 1), 1, 1), pack, where), True
    start = optional_date(text, pack, where)
    if start is None:
        problem = Text("该标准没有起始日期", "the figure has no start")
        remedy = Text("写明日期；只知道年份时写年份", "give a date, or a year where no more is known")
        raise PackFault(pack, where, 0, problem, remedy)
    return start, False
