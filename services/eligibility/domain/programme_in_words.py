"""A programme as a policy officer reads it: who may get it, how much, what excludes it, and its law."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from services.eligibility.domain.fact_words import ENTITIES
from services.eligibility.domain.rule_in_words import HOLDS, NO, YES, Clause, Wording, fill, joined
from services.shared.policy import tree
from services.shared.policy.figures import FigureInForce
from services.shared.policy.pack import Citation, ParameterDeclaration, Programme
from services.shared.policy.rulebook import Rule, Rulebook, sub_parameters
from services.shared.policy.schema import BOOL
from services.shared.policy.text import Text
from services.shared.policy.tree import Node
from services.shared.policy.unparsing import rate_text
from services.shared.vocabulary.money import yuan_of


@dataclass(frozen=True, slots=True)
class Law:
    """Where something is written."""

    title: Text
    article: str
    in_force_from: str


@dataclass(frozen=True, slots=True)
class RuleInWords:
    """A rule: what it is called, for each of whom it is, what it says, its exceptions, and its law."""

    rule: str
    term: Text
    of: Text
    says: Clause
    exceptions: tuple[Clause, ...]
    law: Law | None


@dataclass(frozen=True, slots=True)
class FigureInWords:
    """A figure in force for some codes, or what is not known; `value` is None then."""

    parameter: str
    text: Text
    of: Text | None
    value: Text | None
    published: Text | None
    since: str | None
    law: Law | None
    source: str
    confidence: str
    pack: str


@dataclass(frozen=True, slots=True)
class ExclusionInWords:
    """While `when` holds, the one programme takes the place of the other."""

    winner: Text
    loser: Text
    when: Text
    law: Law | None


@dataclass(frozen=True, slots=True)
class PaperInWords:
    """A paper to bring; `held_by` is who holds it already."""

    text: Text
    when: Text | None
    held_by: Text | None
    law: Law | None


@dataclass(frozen=True, slots=True)
class ProgrammeInWords:
    """Everything that is in force for one programme at a place on a day."""

    programme: str
    text: Text
    tier: Text
    of: Text
    decided_by: Text
    starts: Text | None
    conditions: tuple[RuleInWords, ...]
    amounts: tuple[RuleInWords, ...]
    terms: tuple[RuleInWords, ...]
    exclusions: tuple[ExclusionInWords, ...]
    papers: tuple[PaperInWords, ...]
    figures: tuple[FigureInWords, ...]
    packs: tuple[Mapping[str, str], ...]


TIERS: Mapping[str, Text] = {
    "basic": Text("基本生活救助", "basic living assistance"),
    "status": Text("身份认定（本身不发钱）", "a status, which pays nothing itself"),
    "special": Text("专项救助", "special assistance"),
    "emergency": Text("急难救助", "emergency assistance"),
    "linked": Text("相关福利", "related benefits"),
    "run": Text("按名单发放的补贴", "paid over the roll"),
}
LEVELS: Mapping[str, Text] = {
    "township": Text("乡镇人民政府（街道办事处）", "the township or sub-district"),
    "county": Text("县级民政部门", "the county civil affairs department"),
    "other": Text("其他部门", "another department"),
}
STARTS: Mapping[str, Text] = {
    "next_month": Text("从批准的次月起", "from the month after the decision"),
    "same_month": Text("从当月起", "from the same month on"),
}
BY_CASE = Text("按金额由乡镇或者县级决定", "the township or the county, by the amount")
FOR_EVENT = Text("由急难发生地决定", "decided where the emergency happens")
UNNAMED = Text("（规则）", "(the rule)")


def programme_in_words(book: Rulebook, programme: Programme) -> ProgrammeInWords:
    """The programme by the rules and figures of the book."""
    wording = Wording(book)
    conditions = tuple(_rule(wording, book, book.rules[name]) for name in programme.conditions)
    named = (programme.monthly, programme.one_off, programme.months)
    amounts = tuple(_rule(wording, book, book.rules[name]) for name in named if name)
    exclusions = tuple(_exclusions(wording, book, programme))
    papers = tuple(_papers(wording, book, programme))
    told = {*programme.conditions, *named}
    terms = tuple(_terms(wording, book, told))
    return ProgrammeInWords(
        programme=programme.id,
        text=programme.text,
        tier=TIERS[programme.tier],
        of=_of(programme.entity),
        decided_by=_decided_by(book, programme),
        starts=STARTS.get(programme.starts),
        conditions=conditions,
        amounts=amounts,
        terms=terms,
        exclusions=exclusions,
        papers=papers,
        figures=tuple(_figures(book, [*told, *(term.rule for term in terms)], wording)),
        packs=tuple(pack.identity for pack in book.chain),
    )


def _of(entity: str) -> Text:
    who = ENTITIES[entity]
    return who if entity == "household" else fill(("每名{}", "each {}"), who)


def _decided_by(book: Rulebook, programme: Programme) -> Text:
    level = BY_CASE if programme.level else LEVELS[book.delegation.get(programme.id, programme.decision_level)]
    who = programme.department or level
    return fill(("{}（{}）", "{} ({})"), who, FOR_EVENT) if programme.place == "event" else who


# --- rules ---------------------------------------------------------------------------------------------------------


def _rule(wording: Wording, book: Rulebook, rule: Rule) -> RuleInWords:
    node, exceptions = wording.rule(rule.id)
    says = wording.clause(node) if rule.kind == BOOL else wording.value(node, rule.id)
    return RuleInWords(
        rule=rule.id,
        term=wording.term(rule.id) or UNNAMED,
        of=_of(rule.entity),
        says=says,
        exceptions=tuple(_exception(wording, book, name, value, rule) for name, value in exceptions),
        law=_law(book, rule.citation),
    )


def _exception(wording: Wording, book: Rulebook, name: str, value: Node, rule: Rule) -> Clause:
    when = wording.term(name) or wording.phrase(wording.rule(name)[0])
    then = wording.phrase(value, rule.id)
    if isinstance(value, tree.Const) and rule.kind == BOOL:
        then = fill(("视为{}", "then {}"), then) if then is HOLDS else then
        return Clause(fill(("{}的，{}", "{}: {}"), when, then))
    return Clause(fill(("{}的，为{}", "{}: then {}"), when, then))


def _terms(wording: Wording, book: Rulebook, told: set[str]) -> Iterator[RuleInWords]:
    """Every rule that was named on the way, each once; telling one may name others."""
    done = set(told)
    while True:
        waiting = [name for name in wording.used if name not in done]
        if not waiting:
            return
        done.add(waiting[0])
        yield _rule(wording, book, book.rules[waiting[0]])


def _law(book: Rulebook, citation: Citation | None) -> Law | None:
    if citation is None:
        return None
    instrument = book.instruments[citation.instrument]
    title = Text(instrument.title, instrument.title_en)
    return Law(title, citation.article, instrument.period.from_on.isoformat())


def _in_force(book: Rulebook, citations: Iterable[Citation]) -> Law | None:
    for citation in citations:
        if citation.period.contains(book.on) and book.instruments[citation.instrument].period.contains(book.on):
            return _law(book, citation)
    return None


# --- what excludes, what to bring ----------------------------------------------------------------------------------


def _exclusions(wording: Wording, book: Rulebook, programme: Programme) -> Iterator[ExclusionInWords]:
    for item in book.exclusions:
        if programme.id in (item.winner, item.loser) and item.winner in book.programmes:
            rule = book.rules[item.when]
            when = wording.term(item.when) or wording.phrase(wording.rule(rule.id)[0])
            yield ExclusionInWords(
                _programme(book, item.winner), _programme(book, item.loser), when, _law(book, rule.citation)
            )


def _programme(book: Rulebook, name: str) -> Text:
    found = book.programmes.get(name)
    return Text(name, name) if found is None else found.text


def _papers(wording: Wording, book: Rulebook, programme: Programme) -> Iterator[PaperInWords]:
    for name in programme.documents:
        item = book.documents[name]
        when = None
        if item.when:
            when = wording.term(item.when) or wording.phrase(wording.rule(item.when)[0])
        yield PaperInWords(item.text, when, item.held_by, _in_force(book, item.citations))


# --- figures -------------------------------------------------------------------------------------------------------


def _figures(book: Rulebook, rules: Iterable[str], wording: Wording) -> Iterator[FigureInWords]:
    """The figures of every parameter that what remains of the rules uses; those that nobody knows come last."""
    used: dict[str, None] = {}
    for rule in wording.told(rules):
        used |= dict.fromkeys(sub_parameters(rule))
    for name in used:
        declaration, table = book.declarations[name], book.figures[name]
        rows = {codes: figure if isinstance(figure, FigureInForce) else None for codes, figure in table.items()}
        if not any(rows.values()):
            rows = {(): None}
        shown: set[object] = set()
        for codes, held in rows.items():
            key = codes if held is None else (held.figure.where, held.value)
            if key not in shown:
                shown.add(key)
                yield _figure(book, declaration, codes, held, wording)


def _figure(
    book: Rulebook,
    declaration: ParameterDeclaration,
    codes: tuple[str, ...],
    held: FigureInForce | None,
    wording: Wording,
) -> FigureInWords:
    of = _codes(declaration, codes, held, wording)
    if held is None:
        return FigureInWords(declaration.name, declaration.text, of, None, None, None, None, "", "", "")
    row = held.figure
    converted = row.unit not in ("yuan", f"yuan/{declaration.per}") and declaration.type == "money"
    return FigureInWords(
        parameter=declaration.name,
        text=declaration.text,
        of=of,
        value=_value(declaration, held.value, wording),
        published=_unit(row.value, row.unit) if converted else None,
        since=str(row.from_on.year) if row.from_year else row.from_on.isoformat(),
        law=_law(book, row.citation),
        source=row.source,
        confidence=row.confidence,
        pack=held.pack,
    )


def _codes(
    declaration: ParameterDeclaration, codes: tuple[str, ...], held: FigureInForce | None, wording: Wording
) -> Text | None:
    """For whom the row is: the codes that it names, or those for which none is known."""
    named = [
        wording.code(declaration.keys[column], code)
        for column, code in zip(declaration.keys, codes, strict=False)
        if held is None or column in held.figure.key
    ]
    return joined(named, "、", ", ") if named else None


def _value(declaration: ParameterDeclaration, value: object, wording: Wording) -> Text:
    if declaration.type == "money":
        return _unit(yuan_of(int(str(value))), f"yuan/{declaration.per}" if declaration.per else "yuan")
    if declaration.type == "bool":
        return YES if value is True else NO
    if declaration.type == "enum":
        return wording.code(declaration.name, str(value))
    text = rate_text(int(str(value))) if declaration.type == "rate" else str(value)
    return Text(text, text)


def _unit(value: str, unit: str) -> Text:
    zh = {"yuan/month": "元/月", "yuan/year": "元/年", "yuan": "元"}.get(unit, unit)
    en = {"yuan/month": "yuan a month", "yuan/year": "yuan a year"}.get(unit, unit)
    return Text(f"{value} {zh}", f"{value} {en}")
