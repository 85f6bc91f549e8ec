"""`doudi pack explain`: a programme's rules in words, with their law, at a place on a day."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import typer

from services.cli.output import console, print_json, refuse
from services.cli.pack_validate import AsJson, load
from services.eligibility.domain.article_words import article_in_english
from services.eligibility.domain.programme_in_words import (
    FigureInWords,
    Law,
    ProgrammeInWords,
    RuleInWords,
    programme_in_words,
)
from services.eligibility.domain.rule_in_words import Clause
from services.eligibility.gateways.pack_folder import SHIPPED
from services.eligibility.use_cases.evaluate_household import pack_set_of
from services.shared.policy.evaluation import PackSet
from services.shared.policy.fault import PackFault
from services.shared.policy.rulebook import Rulebook
from services.shared.policy.text import Text
from services.shared.runtime.clock import system_now
from services.shared.vocabulary.region import NATION, has_province, is_region_code, place_of

Language = Literal["zh", "en", "both"]
INDENT = "   "

WORDS = {
    "conditions": Text("谁可以得到：以下条件都要符合", "Who may get it: all of these must hold"),
    "amounts": Text("给多少", "How much"),
    "terms": Text("词语的意思", "What the words mean"),
    "exclusions": Text("不能同时享受的", "What excludes what"),
    "papers": Text("要带的材料", "What to bring"),
    "figures": Text("当日有效的标准", "Figures in force that day"),
    "packs": Text("规则包", "Policy packs"),
    "for": Text("对象", "for"),
    "decides": Text("由谁决定", "decided by"),
    "starts": Text("从何时起", "paid"),
    "except": Text("例外", "except"),
    "when": Text("情形", "when"),
    "held": Text("由以下部门查询，不用带", "looked up at, and not to be brought"),
    "unknown": Text("当日还不知道", "not known for that day"),
    "published": Text("公布为", "published as"),
    "since": Text("自", "since"),
}
CONFIDENCE_WORDS = {
    "verified": Text("已核对原文", "read in the original"),
    "verified_2nd": Text("据转载核对", "read where it was reprinted"),
    "inferred": Text("由其他数字推算", "inferred from other figures"),
    "memory_high": Text("待核对，把握较大", "to be verified, likely"),
    "memory_medium": Text("待核对", "to be verified"),
    "memory_low": Text("待核对，把握较小", "to be verified, unsure"),
    "design": Text("本系统的默认值", "a default of this system"),
}
COLON, COMMA = {"zh": "：", "en": ": "}, {"zh": "，", "en": ", "}


def explain(
    programme: Annotated[str, typer.Argument(help="The programme, such as dibao.")],
    region: Annotated[str, typer.Option(help="The place: six digits, or cn for the nation's rules alone.")],
    as_of: Annotated[str, typer.Option(help="The day, such as 2026-08-15; today when left out.")] = "",
    language: Annotated[Language, typer.Option("--lang", help="zh, en or both.")] = "both",
    packs: Annotated[Path, typer.Option(help="A folder of policy packs.")] = SHIPPED,
    as_json: AsJson = False,
) -> None:
    """Say in words who may get a programme, how much, what excludes it, and where that is written."""
    book = _book(packs, region, _day(as_of))
    found = book.programmes.get(programme)
    if found is None:
        refuse(f"当日没有该项目，可选 / there is no such programme that day; use one of: {', '.join(book.programmes)}")
    told = programme_in_words(book, found)
    if as_json:
        print_json({"region": region, "as_of": book.on.isoformat(), **asdict(told)})
        return
    for each in ("zh", "en") if language == "both" else (language,):
        for line in _lines(told, each, _place(region, each), book.on):
            console.print(line, markup=False)


def _day(text: str) -> date:
    if not text:
        return system_now().date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        refuse("日期写成 2026-08-15 / write the day as 2026-08-15")


def _book(folder: Path, region: str, day: date) -> Rulebook:
    if region != NATION and not (is_region_code(region) and has_province(region)):
        refuse("地区写六位行政区划代码，全国写 cn / a region is six digits, or cn for the nation")
    read, unread = load(folder)
    try:
        for fault in unread:
            raise fault
        packs: PackSet = pack_set_of(read.values())
        return packs.prepare(region, day).book
    except PackFault as fault:
        refuse(f"规则包有误 / a policy pack is unsound: {fault}")


def _place(region: str, language: str) -> str:
    place = place_of(region)
    name = {"zh": "全国", "en": "the nation"}[language] if region == NATION else place.name if place else ""
    return f"{name} {region}".strip()


# --- the page --------------------------------------------------------------------------------------------------------


def _lines(told: ProgrammeInWords, language: str, place: str, on: date) -> Iterator[str]:
    yield f"{_say(told.text, language)}  ({told.programme})"
    yield f"{place}  {on}  {_say(told.tier, language)}"
    yield _named("for", _say(told.of, language), language)
    yield _named("decides", _say(told.decided_by, language), language)
    if told.starts is not None:
        yield _named("starts", _say(told.starts, language), language)
    yield from _section("conditions", language, _rules(told.conditions, language))
    yield from _section("amounts", language, _rules(told.amounts, language))
    yield from _section("exclusions", language, _exclusions(told, language))
    yield from _section("papers", language, _papers(told, language))
    yield from _section("terms", language, _rules(told.terms, language))
    yield from _section("figures", language, _figures(told.figures, language))
    packs = ", ".join(f"{pack['id']} {pack['version']}" for pack in told.packs)
    yield from ("", _named("packs", packs, language), "")


def _section(name: str, language: str, lines: Iterator[str]) -> Iterator[str]:
    said = list(lines)
    if said:
        yield from ("", f"== {_word(name, language)} ==", *said)


def _rules(rules: Sequence[RuleInWords], language: str) -> Iterator[str]:
    for number, rule in enumerate(rules, start=1):
        yield f"{number}. {_say(rule.term, language)}{_cited(rule.law, language)}"
        if rule.says.parts or rule.says.text != rule.term:
            yield from _clause(rule.says, language, INDENT)
        for exception in rule.exceptions:
            yield INDENT + _named("except", _say(exception.text, language), language)


def _clause(clause: Clause, language: str, indent: str) -> Iterator[str]:
    yield f"{indent}{_say(clause.text, language)}{COLON[language].strip() if clause.parts else ''}"
    for part in clause.parts:
        below = list(_clause(part, language, ""))
        yield f"{indent}- {below[0]}"
        yield from (f"{indent}  {line}" for line in below[1:])


def _cited(law: Law | None, language: str) -> str:
    if law is None:
        return ""
    if language == "zh":
        return f"〔{law.title.zh}{law.article}〕"
    return f"  [{f'{law.title.en} {article_in_english(law.article)}'.strip()}]"


def _exclusions(told: ProgrammeInWords, language: str) -> Iterator[str]:
    form = {"zh": "- {when}：享受{winner}，不享受{loser}{law}", "en": "- {when}: {winner}, and not {loser}{law}"}[
        language
    ]
    for item in told.exclusions:
        yield form.format(
            when=_say(item.when, language),
            winner=_say(item.winner, language),
            loser=_say(item.loser, language),
            law=_cited(item.law, language),
        )


def _papers(told: ProgrammeInWords, language: str) -> Iterator[str]:
    for paper in told.papers:
        yield f"- {_say(paper.text, language)}{_cited(paper.law, language)}"
        if paper.when is not None:
            yield INDENT + _named("when", _say(paper.when, language), language)
        if paper.held_by is not None:
            yield INDENT + _named("held", _say(paper.held_by, language), language)


def _figures(figures: Sequence[FigureInWords], language: str) -> Iterator[str]:
    last = None
    for figure in figures:
        if figure.value is None:
            continue
        if figure.parameter != last:
            yield f"- {_say(figure.text, language)}"
            last = figure.parameter
        yield f"{INDENT}{_figure(figure, language)}"
    unknown = dict.fromkeys(_whose(figure, language) for figure in figures if figure.value is None)
    if unknown:
        yield "- " + _named("unknown", "; ".join(unknown), language)


def _whose(figure: FigureInWords, language: str) -> str:
    of = "" if figure.of is None else f" ({_say(figure.of, language)})"
    return f"{_say(figure.text, language)}{of}"


def _figure(figure: FigureInWords, language: str) -> str:
    of = "" if figure.of is None else f"{_say(figure.of, language)}{COLON[language]}"
    published = ""
    if figure.published is not None:
        published = f" ({_word('published', language)} {_say(figure.published, language)})"
    assert figure.value is not None
    since = f"{_word('since', language)} {figure.since}"
    sure = _say(CONFIDENCE_WORDS[figure.confidence], language)
    return (
        f"{of}{_say(figure.value, language)}{published}{COMMA[language]}{since}{_cited(figure.law, language)} ({sure})"
    )


def _say(text: Text, language: str) -> str:
    said: str = getattr(text, language)
    return " ".join(said.split())


def _named(name: str, said: str, language: str) -> str:
    return f"{_word(name, language)}{COLON[language]}{said}"


def _word(name: str, language: str) -> str:
    return _say(WORDS[name], language)
