"""What changed from one version of a pack to the next, said in words."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from services.shared.policy.pack import (
    Citation,
    Figure,
    Pack,
    Programme,
    WrittenException,
    WrittenRule,
)
from services.shared.policy.text import Text
from services.shared.vocabulary.period import Period


@dataclass(frozen=True, slots=True)
class Change:
    """One thing of a pack that is new, gone or otherwise; `kind` is figure, rule, exception, programme and so on."""

    pack: str
    kind: str
    name: str
    said: Text


Item = TypeVar("Item")
Aspect = tuple[Text, Callable[[Any], Any]]
"""Something that an item has: what it is called, and how it reads."""

ADDED, REMOVED = Text("新增", "added"), Text("删除", "removed")


def changes_between(old: Pack | None, new: Pack | None) -> Iterator[Change]:
    """Everything that differs, in the order in which a pack is read; a pack that is only on one side is one change."""
    if old is None or new is None:
        only = new or old
        assert only is not None
        said = ADDED if old is None else REMOVED
        yield Change(only.id, "pack", only.version, said)
        return
    for kind, items, key, aspects in _PARTS:
        yield from _of_kind(new.id, kind, (items(old), items(new)), key, aspects)


def _of_kind(
    pack: str,
    kind: str,
    sides: tuple[Iterable[Any], Iterable[Any]],
    key: Callable[[Any], Hashable],
    aspects: tuple[Aspect, ...],
) -> Iterator[Change]:
    before, after = ({key(item): item for item in side} for side in sides)
    for name, item in after.items():
        if name not in before:
            yield Change(pack, kind, _named(name), _whole(ADDED, item, aspects))
        elif before[name] != item:
            yield from _otherwise(pack, kind, _named(name), (before[name], item), aspects)
    for name, item in before.items():
        if name not in after:
            yield Change(pack, kind, _named(name), _whole(REMOVED, item, aspects))


def _otherwise(
    pack: str, kind: str, name: str, sides: tuple[Any, Any], aspects: tuple[Aspect, ...]
) -> Iterator[Change]:
    for called, read in aspects:
        old, new = map(read, sides)
        if old != new:
            zh, en = f"{called.zh}：{_shown(old)} → {_shown(new)}", f"{called.en}: {_shown(old)} -> {_shown(new)}"
            yield Change(pack, kind, name, Text(zh, en))


def _whole(what: Text, item: Any, aspects: tuple[Aspect, ...]) -> Text:
    """That something came or went, with the first of its aspects."""
    called, read = aspects[0]
    shown = _shown(read(item))
    return Text(f"{what.zh}（{called.zh}：{shown}）", f"{what.en} ({called.en}: {shown})")


def _named(key: Hashable) -> str:
    return " ".join(str(part) for part in key if part) if isinstance(key, tuple) else str(key)


def _shown(value: Any) -> str:
    if value is None or value == "" or value == ():
        return "-"
    if isinstance(value, Text):
        return value.both
    if isinstance(value, Period):
        return f"{value.from_on}..{value.until_on or ''}"
    if isinstance(value, Citation):
        return f"{value.instrument} {value.article} ({_shown(value.period)})".replace("  ", " ")
    if isinstance(value, tuple):
        return ", ".join(map(_shown, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{name} = {_shown(item)}" for name, item in value.items())
    return " ".join(str(value).split())


# --- what a pack has -------------------------------------------------------------------------------------------------


def _figure_key(figure: Figure) -> Hashable:
    return (figure.name, *(code for _, code in sorted(figure.key.items())), figure.from_on.isoformat())


def _until(figure: Figure) -> str:
    return "replaced" if figure.until_replaced else str(figure.until_on or "")


def _own_rule(exception: WrittenException) -> WrittenRule:
    return exception.when


def _rule_key(rule: WrittenRule) -> Hashable:
    return rule.id, str(rule.period.from_on)


def _programme_key(programme: Programme) -> Hashable:
    return programme.id, str(programme.period.from_on)


_RULE: tuple[Aspect, ...] = (
    (Text("表达式", "expression"), lambda rule: rule.expression),
    (Text("期间", "period"), lambda rule: rule.period),
    (Text("依据", "citations"), lambda rule: rule.citations),
    (Text("成立时的说明", "sentence where it holds"), lambda rule: rule.holds),
    (Text("不成立时的说明", "sentence where it fails"), lambda rule: rule.fails),
    (Text("恰在界线时的说明", "sentence at the line"), lambda rule: rule.at_the_line),
    (Text("未定时的说明", "sentence while open"), lambda rule: rule.open),
    (Text("说明中的数值", "values of sentences"), lambda rule: (rule.values, rule.gap, rule.shown_when)),
    (Text("对象和类型", "entity and type"), lambda rule: (rule.entity, rule.type, rule.codes)),
)
_PARTS: tuple[tuple[str, Callable[[Pack], Iterable[Any]], Callable[[Any], Hashable], tuple[Aspect, ...]], ...] = (
    (
        "pack",
        lambda pack: (pack,),
        lambda pack: pack.id,
        (
            (Text("版本", "version"), lambda pack: pack.version),
            (Text("名称", "title"), lambda pack: pack.text),
            (Text("期间", "period"), lambda pack: pack.period),
            (Text("审核", "review"), lambda pack: pack.review),
            (Text("上级", "parent"), lambda pack: pack.parent),
        ),
    ),
    (
        "instrument",
        lambda pack: pack.instruments.values(),
        lambda item: item.id,
        (
            (Text("名称", "title"), lambda item: Text(item.title, item.title_en)),
            (Text("期间", "period"), lambda item: item.period),
            (Text("可信程度", "confidence"), lambda item: item.confidence),
        ),
    ),
    (
        "parameter",
        lambda pack: pack.declarations.values(),
        lambda item: item.name,
        (
            (Text("名称", "name"), lambda item: item.text),
            (Text("类型和键", "type and keys"), lambda item: (item.type, item.per, item.codes, item.keys)),
        ),
    ),
    (
        "figure",
        lambda pack: pack.figures,
        _figure_key,
        (
            (Text("数值", "value"), lambda item: f"{item.value} {item.unit}"),
            (Text("截止", "until"), _until),
            (Text("取整", "rounding"), lambda item: item.rounding),
            (Text("依据", "citation"), lambda item: (item.citation.instrument, item.citation.article)),
            (Text("来源", "source"), lambda item: item.source),
            (Text("可信程度", "confidence"), lambda item: item.confidence),
        ),
    ),
    ("rule", lambda pack: pack.rules, _rule_key, _RULE),
    (
        "exception",
        lambda pack: pack.exceptions,
        lambda item: (*_rule_key(item.when), item.overrides),  # type: ignore[misc]
        (
            (Text("值", "value"), lambda item: item.expression),
            *((called, lambda item, read=read: read(_own_rule(item))) for called, read in _RULE),
        ),
    ),
    (
        "programme",
        lambda pack: pack.programmes,
        _programme_key,
        (
            (Text("条件", "conditions"), lambda item: item.conditions),
            (Text("金额", "amount"), lambda item: (item.monthly, item.one_off, item.months, item.share, item.set_off)),
            (Text("期间", "period"), lambda item: item.period),
            (Text("由谁决定", "who decides"), lambda item: (item.decision_level, item.level, item.department)),
            (Text("材料", "documents"), lambda item: item.documents),
            (Text("名称", "name"), lambda item: item.text),
            (Text("起发和地点", "start and place"), lambda item: (item.starts, item.place, item.category, item.tier)),
        ),
    ),
    (
        "exclusion",
        lambda pack: pack.exclusions,
        lambda item: (item.winner, item.loser),
        ((Text("条件", "condition"), lambda item: item.when), (Text("强制", "binding"), lambda item: item.is_binding)),
    ),
    (
        "document",
        lambda pack: pack.documents,
        lambda item: item.id,
        (
            (Text("名称", "name"), lambda item: item.text),
            (Text("条件", "condition"), lambda item: item.when),
            (Text("由谁持有", "held by"), lambda item: item.held_by),
            (Text("依据", "citations"), lambda item: item.citations),
        ),
    ),
    (
        "linked",
        lambda pack: pack.linked,
        lambda item: (item.figure, item.of, item.is_of_place_above),
        (
            (Text("比例", "ratio"), lambda item: (item.at_least, item.tolerance)),
            (Text("约束起始日", "binding from"), lambda item: item.binding_from),
            (Text("依据", "citation"), lambda item: item.citation),
            (Text("说明", "sentence"), lambda item: item.text),
        ),
    ),
    (
        "term",
        lambda pack: pack.terms.items(),
        lambda item: item[0],
        ((Text("名称", "name"), lambda item: item[1]),),
    ),
    (
        "presumption",
        lambda pack: pack.presumptions,
        lambda item: (item.entity, item.key),
        (
            (Text("推定为", "presumed"), lambda item: str(item.value)),
            (Text("说明", "sentence"), lambda item: item.text),
        ),
    ),
    (
        "delegation",
        lambda pack: pack.delegation.items(),
        lambda item: item[0],
        ((Text("由谁决定", "who decides"), lambda item: item[1]),),
    ),
)
