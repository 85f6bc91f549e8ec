"""The rules in force at a place on a date: a chain of packs merged, checked and put in order of computation."""

import string
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any, NoReturn

from services.shared.policy import tree
from services.shared.policy.expression import (
    Declarations,
    ParameterSignature,
    Readings,
    RuleSignature,
    read_expression,
    read_value,
)
from services.shared.policy.fault import PackFault
from services.shared.policy.figures import Table, figures_in_force
from services.shared.policy.pack import (
    Citation,
    Document,
    Exclusion,
    Figure,
    Instrument,
    Linked,
    Pack,
    ParameterDeclaration,
    Presumption,
    Programme,
    WrittenException,
    WrittenRule,
)
from services.shared.policy.schema import BOOL, KINDS, Kind, Schema, codes
from services.shared.policy.text import Text, one_of, written_as
from services.shared.policy.tree import Node, RuleRef, depth_of
from services.shared.policy.truth import FALSE, TRUE
from services.shared.vocabulary.period import Period

CORRECT_THE_NAME = Text("改正名称", "correct the name")
MAX_LEVELS = 250
"""Levels of expressions, rule upon rule: an open fact is followed through all of them."""
TOO_MANY_LEVELS = (
    Text(f"规则逐层引用，合计超过 {MAX_LEVELS} 层", f"rules rest on one another more than {MAX_LEVELS} levels deep"),
    Text("减少层数，合并中间的规则", "have fewer levels: join the rules between"),
)
LIST_THE_INSTRUMENT = Text("在 pack.toml 中加入它", "add it to pack.toml")


@dataclass(frozen=True, slots=True)
class Rule:
    """A checked rule. `written` is None for what the engine adds, such as a programme's `eligible`."""

    id: str
    pack: str
    entity: str
    kind: Kind
    node: Node
    written: WrittenRule | None = None
    values: Mapping[str, Node] = field(default_factory=dict)
    citation: Citation | None = None
    shown_when: Node | None = None

    @property
    def has_sentence(self) -> bool:
        """Whether an explanation may have something to say about it."""
        return self.written is not None and bool(self.written.holds or self.written.fails or self.written.open)

    @property
    def at_the_line(self) -> Text | None:
        """What to say where it does not hold and both sides are the same; None where `fails` says it well."""
        return None if self.written is None else self.written.at_the_line

    def sentence(self, possible: object) -> Text | None:
        """What to say of the rule when it can be this (`abstract`); None when nothing was written for it."""
        if self.written is None:
            return None
        if self.kind is not BOOL:
            return self.written.holds
        return {TRUE: self.written.holds, FALSE: self.written.fails}.get(possible, self.written.open)  # type: ignore[call-overload]


@dataclass(frozen=True)
class Rulebook:
    """Everything that is in force: rules in an order in which each comes after those it uses."""

    schema: Schema
    on: date
    chain: tuple[Pack, ...]
    rules: Mapping[str, Rule]
    programmes: Mapping[str, Programme]
    exclusions: tuple[Exclusion, ...]
    documents: Mapping[str, Document]
    linked: tuple[Linked, ...]
    terms: Mapping[str, Text]
    presumptions: tuple[Presumption, ...]
    instruments: Mapping[str, Instrument]
    delegation: Mapping[str, str]
    declarations: Mapping[str, ParameterDeclaration]
    figures: Mapping[str, Table]
    names: Declarations
    exceptions: frozenset[str]
    """The rules that are the `when` of an exception."""
    made_of: tuple[int, ...]
    """Which written rules, exceptions, programmes and declarations it is made of: in one set of packs, rulebooks that
    are made of the same compute the same, whatever their place, date and figures."""

    @cached_property
    def cites(self) -> tuple[int, ...]:
        """Which citations and instruments its rules rest on, on its date."""
        cited = [rule.citation for rule in self.rules.values() if rule.citation is not None]
        return tuple(id(part) for item in cited for part in (item, self.instruments[item.instrument]))

    def remembered(self, key: str, compute: Callable[[], Any]) -> Any:
        """What was computed once for this book, such as a program printed from it."""
        if key not in self._memory:
            self._memory[key] = compute()
        return self._memory[key]

    @cached_property
    def _memory(self) -> dict[str, Any]:
        return {}

    def rules_below(self, names: Iterable[str]) -> tuple[str, ...]:
        """These rules and all that they use, in the order of computation."""
        found = set(names)
        for rule in reversed(list(self.rules.values())):
            if rule.id in found:
                found.update(sub_rules(rule.node))
        return tuple(name for name in self.rules if name in found)

    @cached_property
    def facts_read(self) -> Mapping[str, frozenset[tuple[str, str]]]:
        """For each programme every fact, as (entity, name), that its outcome and amount may rest on."""
        by_rule: dict[str, frozenset[tuple[str, str]]] = {}
        for name, rule in self.rules.items():
            below = frozenset().union(*(by_rule[used] for used in sub_rules(rule.node)))
            own = {(part.entity, part.name) for part in tree.walk(rule.node) if isinstance(part, tree.FactRef)}
            by_rule[name] = below | own
        return {
            item.id: frozenset().union(*(by_rule[rule] for rule in item.rules)) for item in self.programmes.values()
        }


def rulebook_of(schema: Schema, chain: Sequence[Pack], on: date, readings: Readings | None = None) -> Rulebook:
    """The rulebook of `chain` (the most local pack first) on a date; `readings` spares what was read before.

    Raises PackFault for an unknown name, a unit that does not fit, a cycle, an override of nothing or a citation of
    an instrument that no pack lists.
    """
    merged = _Merged(schema, tuple(chain), on, readings or Readings())
    rules = merged.checked_rules()
    return Rulebook(
        schema=schema,
        on=on,
        chain=merged.chain,
        rules=_in_order(rules),
        programmes=merged.programmes,
        exclusions=merged.exclusions(),
        documents={item.id: item for pack in merged.upwards for item in pack.documents},
        linked=tuple(item for pack in merged.upwards for item in pack.linked),
        terms={name: text for pack in merged.upwards for name, text in pack.terms.items()},
        presumptions=merged.presumptions(),
        instruments=merged.instruments,
        delegation={key: level for pack in merged.upwards for key, level in pack.delegation.items()},
        declarations=merged.declarations,
        figures=merged.figures(),
        names=merged.names,
        exceptions=frozenset(item.when.id for _, item in merged.written_exceptions),
        made_of=tuple(map(id, merged.written_items())),
    )


def sub_rules(node: Node) -> Iterator[str]:
    """The rules that a node uses, in the order they are written, those that choose a figure's row included."""
    for part in tree.walk(node):
        if isinstance(part, RuleRef):
            yield part.rule


def sub_parameters(node: Node) -> Iterator[str]:
    """The parameters that a node uses, in the order they are written."""
    for part in tree.walk(node):
        if isinstance(part, tree.ParameterRef | tree.Held):
            yield part.name


class _Merged:
    def __init__(self, schema: Schema, chain: tuple[Pack, ...], on: date, readings: Readings) -> None:
        self.schema, self.chain, self.on, self.readings = schema, chain, on, readings
        # The nation first, so that what is more local replaces what it stands over.
        self.upwards = tuple(reversed(chain))
        self.declarations = {name: item for pack in self.upwards for name, item in pack.declarations.items()}
        self.instruments = {name: item for pack in self.upwards for name, item in pack.instruments.items()}
        self.programmes = {
            item.id: item for pack in self.upwards for item in pack.programmes if item.period.contains(on)
        }
        self.written = self._written_rules()
        self.written_exceptions = self._exceptions()
        self.names = self._names()

    def written_items(self) -> Iterator[object]:
        """Everything that rules are made of, in one order; packs keep these alive."""
        yield from (rule for _, rule in self.written.values())
        yield from (exception for _, exception in self.written_exceptions)
        yield from self.programmes.values()
        yield from self.declarations.values()

    def presumptions(self) -> tuple[Presumption, ...]:
        found = {(item.entity, item.key): item for pack in self.upwards for item in pack.presumptions}
        return tuple(found.values())

    def exclusions(self) -> tuple[Exclusion, ...]:
        found = {
            (item.winner, item.loser): item
            for pack in self.upwards
            for item in pack.exclusions
            if item.loser in self.programmes
        }
        for item in found.values():
            if item.when not in self.names.rules:
                problem = Text(f"规则 {item.when} 不存在", f"the rule {item.when} does not exist")
                self._refuse(self.chain[-1].id, f"exclusion of {item.loser}", problem, CORRECT_THE_NAME)
        return tuple(found.values())

    def figures(self) -> Mapping[str, Table]:
        key_codes = {
            name: {column: node.kind.codes for column, node in signature.keys.items()}
            for name, signature in self.names.parameters.items()
        }
        for pack in self.chain:
            self._check_figures(pack, key_codes)
        usable = {name: self.declarations[name] for name in key_codes}
        return figures_in_force(usable, key_codes, self.chain, self.on)

    def _check_figures(self, pack: Pack, key_codes: Mapping[str, Mapping[str, tuple[str, ...]]]) -> None:
        seen: set[tuple[object, ...]] = set()
        for figure in pack.figures:
            where = figure.where
            self._check_names(pack, figure)
            self._check_keys(pack, figure, key_codes)
            start = (figure.name, tuple(sorted(figure.key.items())), figure.from_on)
            if start in seen:
                problem = Text("两条标准同日起始", "two figures start on the same day")
                self._refuse(pack.id, where, problem, Text("删除其中一条", "remove one of them"))
            seen.add(start)

    def _check_names(self, pack: Pack, figure: Figure) -> None:
        if figure.name not in self.declarations:
            problem = Text("该参数未声明", "the parameter is not declared")
            remedy = Text("在规则文件中声明它", "declare it in a file of rules")
            self._refuse(pack.id, figure.cell("name"), problem, remedy)
        if figure.citation.instrument not in self.instruments:
            problem = Text("依据文件未列出", "the instrument is not listed")
            self._refuse(pack.id, figure.cell("instrument"), problem, LIST_THE_INSTRUMENT)

    def _check_keys(self, pack: Pack, figure: Figure, key_codes: Mapping[str, Mapping[str, tuple[str, ...]]]) -> None:
        for column, code in figure.key.items():
            if figure.name in key_codes and code not in key_codes[figure.name].get(column, ()):
                problem = Text(f"{column} 列的单元格不是该参数的键", f"the cell in {column} is no key of it")
                self._refuse(
                    pack.id, figure.cell(column), problem, Text("留空，或改正", "leave it empty or correct it")
                )

    def checked_rules(self) -> dict[str, Rule]:
        rules = {name: self._checked(pack, written) for name, (pack, written) in self.written.items()}
        for pack, exception in self.written_exceptions:
            rules[exception.overrides] = self._with_exception(pack, rules, exception)
        for programme in self.programmes.values():
            rules[f"{programme.id}.eligible"] = self._eligible(programme)
        return rules

    def _written_rules(self) -> dict[str, tuple[str, WrittenRule]]:
        found: dict[str, tuple[str, WrittenRule]] = {}
        for pack in self.upwards:
            own: set[str] = set()
            for rule in (*pack.rules, *(exception.when for exception in pack.exceptions)):
                if not rule.period.contains(self.on):
                    continue
                if rule.id in own:
                    problem = Text("同一天有两个版本有效", "two versions are in force on one day")
                    self._refuse(pack.id, f"rule {rule.id}", problem, Text("给旧版本写上截止日期", "end the older one"))
                own.add(rule.id)
                found[rule.id] = (pack.id, rule)
        return found

    def _exceptions(self) -> list[tuple[str, WrittenException]]:
        in_force = [
            (pack.id, item) for pack in self.upwards for item in pack.exceptions if item.when.period.contains(self.on)
        ]
        for pack, item in in_force:
            if item.overrides not in self.written:
                self._refuse_unknown_rule(pack, f"exception {item.when.id}", item.overrides)
        return in_force

    def _names(self) -> Declarations:
        signatures = {name: self._signature(pack, written) for name, (pack, written) in self.written.items()}
        for programme in self.programmes.values():
            signatures[f"{programme.id}.eligible"] = RuleSignature(programme.entity, BOOL)
        other_days = frozenset(rule.id for pack in self.chain for rule in pack.rules) - signatures.keys()
        bare = Declarations(self.schema, signatures, {}, self.on, other_days, self.readings)
        # A parameter whose row is chosen by a rule has no meaning on days without that rule.
        usable = [item for item in self.declarations.values() if self._has_keys(item)]
        parameters = {item.name: self._parameter(item, bare) for item in usable}
        return replace(bare, parameters=parameters)

    def _signature(self, pack: str, written: WrittenRule) -> RuleSignature:
        where = f"rule {written.id}"
        if written.entity not in self.schema.by_name:
            problem = Text(f"没有名为 {written.entity} 的对象", f"there is no entity {written.entity}")
            self._refuse(pack, where, problem, one_of(self.schema.by_name))
        if written.id.partition(".")[0] in self.schema.by_name or not all(
            part.isidentifier() for part in written.id.split(".")
        ):
            problem = Text("规则的 id 不能与事实的写法相同", "a rule's id may not look like a fact")
            self._refuse(pack, where, problem, Text("按“主题.规则”命名", "name it topic.rule"))
        return RuleSignature(written.entity, codes(*written.codes) if written.type == "enum" else KINDS[written.type])

    def _has_keys(self, item: ParameterDeclaration) -> bool:
        return all(text in self.written or text.partition(".")[0] in self.schema.by_name for text in item.keys.values())

    def _parameter(self, item: ParameterDeclaration, bare: Declarations) -> ParameterSignature:
        kind = codes(*item.codes) if item.type == "enum" else KINDS[item.type]
        pack = self._declaring(item.name)
        keys = {
            column: read_value(text, self._entity_of(text), bare, pack, f"parameter {item.name}")
            for column, text in item.keys.items()
        }
        for column, node in keys.items():
            if not node.kind.codes:
                problem = Text(f"键 {column} 不是代码", f"the key {column} is not a code")
                remedy = Text("使用取值为代码的事实", "use a fact with codes")
                self._refuse(pack, f"parameter {item.name}", problem, remedy)
        return ParameterSignature(kind, keys)

    def _entity_of(self, text: str) -> str:
        # A key is a fact (entity.fact) or a rule; the rule says what it is for.
        if text in self.written:
            return self.written[text][1].entity
        return text.partition(".")[0] if text.partition(".")[0] in self.schema.by_name else self.schema.root.name

    def _declaring(self, name: str) -> str:
        return next(pack.id for pack in self.chain if name in pack.declarations)

    def _checked(self, pack: str, written: WrittenRule) -> Rule:
        signature, where = self.names.rules[written.id], f"rule {written.id}"
        node = read_expression(written.expression, signature.kind, written.entity, self.names, pack, where)
        values = {
            name: read_value(text, written.entity, self.names, pack, f"{where} values.{name}")
            for name, text in written.values.items()
        }
        if written.gap and (len(written.gap) != 2 or not set(written.gap) <= set(values)):
            problem = Text("gap 必须写出 values 中的两个名称", "gap must name two of the values")
            self._refuse(pack, where, problem, written_as('gap = ["income", "limit"]'))
        if written.at_the_line and not (written.gap and written.fails):
            problem = Text("at_the_line 须与 gap、fails 一起写", "at_the_line stands beside gap and fails alone")
            self._refuse(pack, where, problem, written_as('gap = ["income", "limit"]'))
        self._check_sentences(pack, written)
        shown_when = None
        if written.shown_when:
            shown_when = read_expression(
                written.shown_when, BOOL, written.entity, self.names, pack, f"{where} show_when"
            )
        return Rule(
            written.id,
            pack,
            written.entity,
            signature.kind,
            node,
            written,
            values,
            self._citation(pack, written),
            shown_when,
        )

    def _check_sentences(self, pack: str, written: WrittenRule) -> None:
        # The gap is there where the rule does not hold.
        unmet = {*written.values, *(("gap",) if written.gap else ())}
        usable_in = (
            (written.holds, set(written.values)),
            (written.fails, unmet),
            (written.open, unmet),
            (written.at_the_line, set(written.values)),
        )
        for text, usable in usable_in:
            for sentence in (text.zh, text.en) if text else ():
                for name in sorted(self._named(pack, written, sentence) - usable):
                    problem = Text(f"说明语句中用到了 {{{name}}}", f"a sentence names {{{name}}}")
                    remedy = Text("在 values 中加入它", "add it to values")
                    self._refuse(pack, f"rule {written.id}", problem, remedy)

    def _named(self, pack: str, written: WrittenRule, sentence: str) -> set[str]:
        try:
            parts = [part for part in string.Formatter().parse(sentence) if part[1] is not None]
            if any(form or conversion for _, _, form, conversion in parts):
                problem = Text("花括号中只能写名称", "only a name may stand in braces")
                self._refuse(pack, f"rule {written.id}", problem, written_as("{name}"))
            return {str(name) for _, name, _, _ in parts}
        except ValueError:
            problem = Text("说明语句中的花括号不成对", "a sentence has an unmatched brace")
            self._refuse(pack, f"rule {written.id}", problem, Text("补全或删除", "close or remove it"))

    def _citation(self, pack: str, written: WrittenRule) -> Citation | None:
        for citation in written.citations:
            instrument = self.instruments.get(citation.instrument)
            if instrument is None:
                name = citation.instrument
                problem = Text(f"没有规则包列出依据文件 {name}", f"no pack lists the instrument {name}")
                self._refuse(pack, f"rule {written.id}", problem, LIST_THE_INSTRUMENT)
            if citation.period.contains(self.on) and instrument.period.contains(self.on):
                return citation
        return None

    def _with_exception(self, pack: str, rules: Mapping[str, Rule], exception: WrittenException) -> Rule:
        base = rules[exception.overrides]
        where = f"exception {exception.when.id}"
        value = read_expression(exception.expression, base.kind, base.entity, self.names, pack, where)
        condition = RuleRef(exception.when.id, rules[exception.when.id].entity, BOOL)
        node = tree.Choice(condition, value, base.node, base.kind)
        return replace(base, node=node)

    def _eligible(self, programme: Programme) -> Rule:
        amounts = (programme.monthly, programme.one_off, programme.months, programme.share)
        for name in filter(None, (*programme.conditions, *amounts, programme.level)):
            if name not in self.names.rules:
                self._refuse_unknown_rule(self.chain[-1].id, f"programme {programme.id}", name)
        for name in programme.set_off:
            self._check_share(programme, self.programmes.get(name))
        refs = tuple(RuleRef(name, self.names.rules[name].entity, BOOL) for name in programme.conditions)
        name = f"{programme.id}.eligible"
        return Rule(name, self.chain[-1].id, programme.entity, BOOL, tree.Junction("and", refs, BOOL))

    def _check_share(self, top_up: Programme, other: Programme | None) -> None:
        if other is not None and other.entity == self.schema.root.name and not other.share:
            problem = Text(f"补差要扣除 {other.id}，但它没有写明个人份额", f"{other.id} comes off it and has no share")
            self._refuse(
                self.chain[-1].id,
                f"programme {top_up.id}",
                problem,
                Text(f"在 {other.id} 中写上 share", f"give {other.id} a share"),
            )

    def _refuse_unknown_rule(self, pack: str, where: str, name: str) -> NoReturn:
        problem = Text(f"没有名为 {name} 的规则", f"there is no rule {name}")
        self._refuse(pack, where, problem, Text("写已有规则的名称", "name a rule"))

    def _refuse(self, pack: str, where: str, problem: Text, remedy: Text) -> NoReturn:
        raise PackFault(pack, where, 0, problem, remedy)


def _in_order(rules: Mapping[str, Rule]) -> dict[str, Rule]:
    """The rules so that each comes after those it uses. Raises PackFault for a circle, or a tower of rules."""
    levels: dict[str, int] = {}
    for name in rules:
        _visit(name, rules, levels, ())
    return {name: rules[name] for name in levels}


def _visit(name: str, rules: Mapping[str, Rule], levels: dict[str, int], path: tuple[str, ...]) -> None:
    """Give the rule its number of levels, after those it uses."""
    if name in levels:
        return
    if name in path:
        circle = " -> ".join((*path[path.index(name) :], name))
        problem = Text(f"规则循环引用：{circle}", f"rules use each other in a circle: {circle}")
        raise PackFault(rules[name].pack, f"rule {name}", 0, problem, Text("断开循环引用", "break it"))
    if len(path) > MAX_LEVELS:
        raise PackFault(rules[name].pack, f"rule {name}", 0, *TOO_MANY_LEVELS)
    below = 0
    for used in sub_rules(rules[name].node):
        _visit(used, rules, levels, (*path, name))
        below = max(below, levels[used])
    levels[name] = depth_of(rules[name].node) + below
    if levels[name] > MAX_LEVELS:
        raise PackFault(rules[name].pack, f"rule {name}", 0, *TOO_MANY_LEVELS)


def edges(chain: Sequence[Pack]) -> tuple[date, ...]:
    """Every day on which something of the chain begins or ends, in order."""
    periods: list[Period] = []
    for pack in chain:
        periods += [pack.period, *(item.period for item in pack.instruments.values())]
        periods += [rule.period for rule in pack.rules] + [item.when.period for item in pack.exceptions]
        periods += [programme.period for programme in pack.programmes]
        periods += [figure.citation.period for figure in pack.figures]
        for rule in pack.rules:
            periods += [citation.period for citation in rule.citations]
    days = {day for period in periods for day in (period.from_on, period.until_on) if day is not None}
    return tuple(sorted(days))
