"""Says a rule's typed tree in plain Chinese and English: conditions as lists, values as phrases."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.eligibility.domain.fact_words import ENTITIES, PLURALS, code_words, fact_words
from services.eligibility.domain.rule_in_force import InForce
from services.shared.policy import tree
from services.shared.policy.rulebook import Rulebook, sub_rules
from services.shared.policy.schema import BOOL, INT, MONEY, MONTHS, RATE
from services.shared.policy.text import Text
from services.shared.policy.tree import Const, Node
from services.shared.policy.unparsing import rate_text
from services.shared.vocabulary.money import yuan_of


@dataclass(frozen=True, slots=True)
class Clause:
    """A sentence, and the sentences listed beneath it."""

    text: Text
    parts: tuple["Clause", ...] = ()


ALL_HOLD = Text("以下各项都符合", "all of these hold")
ONE_HOLDS = Text("以下至少一项符合", "at least one of these holds")
NONE_HOLDS = Text("以下都不符合", "none of these holds")
NOT_ALL_HOLD = Text("以下不全符合", "not all of these hold")
FIRST_CASE = Text("按以下第一种符合的情形", "by the first case that fits")
_CASE, _OTHERWISE = ("{}：{}", "{}: {}"), ("其他情形：{}", "otherwise: {}")
HOLDS, NEVER = Text("符合", "it holds"), Text("不符合", "it does not hold")
YES, NO = Text("是", "yes"), Text("否", "no")

_COMPARED = {
    "<": ("{}低于{}", "{} is below {}"),
    "<=": ("{}不超过{}", "{} is at most {}"),
    ">": ("{}超过{}", "{} is above {}"),
    ">=": ("{}不低于{}", "{} is at least {}"),
    "==": ("{}是{}", "{} is {}"),
    "!=": ("{}不是{}", "{} is not {}"),
}
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
_SIGNS = {"+": ("{} + {}", "{} + {}"), "-": ("{} − {}", "{} - {}"), "*": ("{} × {}", "{} x {}")}
_ROUNDED = {
    ("floor", 1): ("{}（不足一分的舍去）", "{} (rounded down to a fen)"),
    ("floor", 10): ("{}（不足一角的舍去）", "{} (rounded down to a jiao)"),
    ("floor", 100): ("{}（不足一元的舍去）", "{} (rounded down to a yuan)"),
    ("ceil", 1): ("{}（不足一分的进为一分）", "{} (rounded up to a fen)"),
    ("ceil", 10): ("{}（不足一角的进为一角）", "{} (rounded up to a jiao)"),
    ("ceil", 100): ("{}（不足一元的进为一元）", "{} (rounded up to a yuan)"),
    ("half_up", 1): ("{}", "{}"),
    ("half_up", 10): ("{}（四舍五入到角）", "{} (to the nearest jiao)"),
    ("half_up", 100): ("{}（四舍五入到元）", "{} (to the nearest yuan)"),
}
_GATHERED = {
    "sum": ("每{unit}{who}的{what}之和", "the sum of {what} over every {who}"),
    "count": ("{what}的{who}数", "the number of {who} with this: {what}"),
    "max": ("每{unit}{who}的{what}中最高的", "the highest of {what} over every {who}"),
    "min": ("每{unit}{who}的{what}中最低的", "the lowest of {what} over every {who}"),
}


_TWO = {
    "min": ("{}、{}中较低的", "the lower of {} and {}"),
    "max": ("{}、{}中较高的", "the higher of {} and {}"),
}
_SEVERAL = {"min": ("{}中最低的", "the lowest of {}"), "max": ("{}中最高的", "the highest of {}")}
SUBJECT = Text("该成员", "this person ")
"""With these words a sentence about one member begins; what a rule is called goes without them."""
_PERSONS = frozenset({"member", "supporter", "parent"})


def fill(form: tuple[str, str], *values: Text) -> Text:
    """A pair of forms filled with texts, each with its own language."""
    zh = form[0].format(*(v.zh for v in values)).replace("  ", " ")
    return Text(zh, form[1].format(*(v.en for v in values)))


def joined(texts: Sequence[Text], zh: str, en: str) -> Text:
    """Texts in a row."""
    return Text(zh.join(text.zh for text in texts), en.join(text.en for text in texts))


class Wording:
    """Words for the rules of one book; `used` gathers the rules that it named, in order, to be told in their turn."""

    def __init__(self, book: Rulebook) -> None:
        self._book, self._in_force = book, InForce(book)
        self.used: dict[str, None] = {}

    def rule(self, name: str) -> tuple[Node, list[tuple[str, Node]]]:
        """What remains there of a rule, and each of its exceptions with the value it gives."""
        return self._in_force.rule(name)

    def term(self, name: str) -> Text | None:
        """What a rule is called: its term, or its own sentence where that has no numbers."""
        programme = self._book.programmes.get(name.removesuffix(".eligible"))
        if programme is not None and name.endswith(".eligible"):
            return fill(("符合{}的条件", "meets the conditions of {}"), programme.text)
        found = self._book.terms.get(name)
        rule = self._book.rules.get(name)
        if found is None and rule is not None and rule.kind == BOOL and rule.written is not None:
            found = rule.written.holds
            if found is not None and "{" in found.zh + found.en:
                return None
            return found and Text(found.zh.removeprefix(SUBJECT.zh), found.en.removeprefix(SUBJECT.en))
        return found

    def told(self, rules: Iterable[str]) -> Iterator[Node]:
        """What remains of these rules and of all beneath them, with their exceptions."""
        pending, seen = [name for name in rules if name], set[str]()
        while pending:
            name = pending.pop(0)
            if name in seen:
                continue
            seen.add(name)
            node, exceptions = self.rule(name)
            for part in (node, *(value for _, value in exceptions)):
                yield part
                pending += (name for name in sub_rules(part) if not name.endswith(".eligible"))
            pending += [when for when, _ in exceptions]

    # --- conditions ---------------------------------------------------------------------------------------------

    def clause(self, node: Node) -> Clause:
        """A condition as a sentence, with a list beneath where several things are asked."""
        node = self._unnamed(node)
        if isinstance(node, tree.Junction):
            return Clause(ALL_HOLD if node.operator == "and" else ONE_HOLDS, self._listed(node))
        if isinstance(node, tree.Not):
            operand = self._unnamed(node.operand)
            if isinstance(operand, tree.Junction):
                return Clause(NONE_HOLDS if operand.operator == "or" else NOT_ALL_HOLD, self._listed(operand))
        if isinstance(node, tree.Aggregate) and node.operator in ("any", "all"):
            return self._clause_of_rows(node)
        return Clause(self.phrase(node))

    def _unnamed(self, node: Node) -> Node:
        """What stands for a rule that has no name: its expression."""
        while isinstance(node, tree.RuleRef) and self.term(node.rule) is None:
            node = self._in_force.rule(node.rule)[0]
        return node

    def _listed(self, node: tree.Junction) -> tuple[Clause, ...]:
        """Each operand; one that is a list of the same sort joins this list."""
        listed: list[Clause] = []
        for operand in map(self._unnamed, node.operands):
            if isinstance(operand, tree.Junction) and operand.operator == node.operator:
                listed += self._listed(operand)
            else:
                listed.append(self.clause(operand))
        return tuple(listed)

    def _clause_of_rows(self, node: tree.Aggregate) -> Clause:
        inner = self.clause(node.operand)
        forms = (
            ("至少一{unit}{who}：{what}", "at least one {who}: {what}")
            if node.operator == "any"
            else ("每{unit}{who}都：{what}", "every {who}: {what}")
        )
        return Clause(self._of_rows(forms, node, inner.text), inner.parts)

    def value(self, node: Node, naming: str) -> Clause:
        """A value as a phrase, with a list beneath where it depends on the case."""
        node, cases = self._unnamed(node), list[Clause]()
        while isinstance(node, tree.Choice):
            cases.append(Clause(fill(_CASE, self.phrase(node.condition), self.phrase(node.then, naming))))
            node = self._unnamed(node.otherwise)
        if not cases:
            return Clause(self.phrase(node, naming))
        return Clause(FIRST_CASE, (*cases, Clause(fill(_OTHERWISE, self.phrase(node, naming)))))

    # --- phrases ------------------------------------------------------------------------------------------------

    def phrase(self, node: Node, naming: str = "") -> Text:
        """Any value in a line; `naming` is the rule or parameter whose codes are meant."""
        return _PHRASES[type(node)](self, node, naming)

    def _bracketed(self, node: Node, naming: str = "") -> Text:
        text = self.phrase(node, naming)
        inner = self._unnamed(node)
        is_negated = isinstance(inner, tree.Not) and not isinstance(inner.operand, tree.Comparison | tree.Among)
        is_long = is_negated or isinstance(inner, _LONG) or self._is_long_extreme(inner)
        return fill(("（{}）", "({})"), text) if is_long else text

    def _is_long_extreme(self, node: Node) -> bool:
        """Whether it is the lesser or greater of anything but one name and its bound: a factor of it needs brackets."""
        if not isinstance(node, tree.Extreme):
            return False
        is_bound = any(isinstance(each, Const) for each in node.operands)
        return not is_bound or any(isinstance(self._unnamed(each), _LONG) for each in node.operands)

    def _quoted(self, node: Node) -> Text:
        """A condition inside a phrase; marked where it is more than a name."""
        text = self.phrase(node)
        return text if isinstance(self._unnamed(node), tree.RuleRef | tree.FactRef) else fill(("“{}”", "{}"), text)

    def _const(self, node: Const, naming: str) -> Text:
        if node.kind == BOOL:
            return HOLDS if node.value is True else NEVER
        if isinstance(node.value, str):
            return self.code(naming, node.value)
        if node.kind == MONEY:
            yuan = yuan_of(int(node.value)).removesuffix(".00")
            return Text(f" {yuan} 元", f"{yuan} yuan")
        number = rate_text(int(node.value)) if node.kind == RATE else str(node.value)
        return Text(f" {number}", number)

    def code(self, naming: str, code: str) -> Text:
        """What a code of a fact (entity.fact), rule or parameter is called; the code itself where nobody said."""
        entity, _, name = naming.partition(".")
        if entity in self._book.schema.by_name:
            return code_words(entity, name, code)
        return self._book.terms.get(f"{naming}.{code}") or self._like_a_fact(naming, code)

    def _like_a_fact(self, naming: str, code: str) -> Text:
        """A code that a rule took from a fact is called as there."""
        rule = self._book.rules.get(naming)
        for entity in self._book.schema.entities:
            for fact in entity.facts:
                if rule is not None and fact.kind == rule.kind:
                    return code_words(entity.name, fact.name, code)
        return Text(f"“{code}”", f'"{code}"')

    def _fact(self, node: tree.FactRef, _: str) -> Text:
        return fact_words(node.entity, node.name)

    def _rule(self, node: tree.RuleRef, naming: str) -> Text:
        term = self.term(node.rule)
        if term is not None:
            # A programme's conditions are told on its own page.
            if not node.rule.endswith(".eligible"):
                self.used.setdefault(node.rule)
            return term
        return self.phrase(self._in_force.rule(node.rule)[0], node.rule)

    def _parameter(self, node: tree.ParameterRef, _: str) -> Text:
        text = self._book.declarations[node.name].text
        # What is yes or no is called by a question; as a condition it is the claim.
        return Text(text.zh.replace("是否", "", 1), text.en.removeprefix("whether ")) if node.kind == BOOL else text

    def _held(self, node: tree.Held, _: str) -> Text:
        return fill(("当地规定了{}", "the place has set {}"), self._book.declarations[node.name].text)

    def _not(self, node: tree.Not, naming: str) -> Text:
        operand = self._unnamed(node.operand)
        if isinstance(operand, tree.Comparison):
            return self._comparison(replace(operand, operator=_OPPOSITE[operand.operator]), naming)
        if isinstance(operand, tree.Among):
            return self._one_of(operand, ("{}不是{}", "{} is not {}"))
        return fill(("不符合：{}", "not so: {}"), self._bracketed(operand))

    def _junction(self, node: tree.Junction, _: str) -> Text:
        texts = [self._bracketed(operand) for operand in node.operands]
        return joined(texts, "，并且", " and ") if node.operator == "and" else joined(texts, "，或者", " or ")

    def _comparison(self, node: tree.Comparison, _: str) -> Text:
        naming = _named(node.left) or _named(node.right)
        left, right = self._bracketed(node.left, naming), self._bracketed(node.right, naming)
        if isinstance(node.right, Const) and node.right.kind in (INT, MONTHS, MONEY):
            plain = {"==": ("{}为{}", "{} is {}"), "!=": ("{}不为{}", "{} is not {}")}
            return fill(plain.get(node.operator, _COMPARED[node.operator]), left, right)
        return fill(_COMPARED[node.operator], left, right)

    def _among(self, node: tree.Among, _: str) -> Text:
        return self._one_of(node, ("{}是{}", "{} is {}"))

    def _one_of(self, node: tree.Among, form: tuple[str, str]) -> Text:
        naming = _named(node.operand)
        values = [self._const(Const(value, node.operand.kind), naming) for value in node.values]
        *first, last = [Text(value.zh.strip(), value.en) for value in values]
        listed = last if not first else fill(("{}或{}", "{} or {}"), joined(first, "、", ", "), last)
        return fill(form, self._bracketed(node.operand), listed)

    def _arithmetic(self, node: tree.Arithmetic, naming: str) -> Text:
        left = self.phrase(node.left) if node.operator != "*" else self._bracketed(node.left)
        right = self._bracketed(node.right) if node.operator != "+" else self.phrase(node.right)
        return fill(_SIGNS[node.operator], left, right)

    def _share(self, node: tree.Share, _: str) -> Text:
        return fill(_SIGNS["*"], self._bracketed(node.amount), self._bracketed(node.rate))

    def _quotient(self, node: tree.Quotient, _: str) -> Text:
        return fill(("{} ÷ {}", "{} / {}"), self._bracketed(node.amount), self._bracketed(node.divisor))

    def _rounded(self, node: tree.Rounded, _: str) -> Text:
        return fill(_ROUNDED[node.mode, node.unit_fen], self.phrase(node.operand))

    def _choice(self, node: tree.Choice, naming: str) -> Text:
        condition, then = self.phrase(node.condition), self._bracketed(node.then, naming)
        form = ("如果{}，为{}；否则为{}", "{1} if {0}, else {2}")
        return fill(form, condition, then, self._bracketed(node.otherwise, naming))

    def _extreme(self, node: tree.Extreme, _: str) -> Text:
        bounds = [each for each in node.operands if isinstance(each, Const)]
        others = [each for each in node.operands if not isinstance(each, Const)]
        if len(bounds) == 1 and len(others) == 1:
            return self._bounded(node.operator, others[0], bounds[0])
        texts = [self.phrase(operand) for operand in node.operands]
        if len(texts) == 2:
            return fill(_TWO[node.operator], *texts)
        return fill(_SEVERAL[node.operator], joined(texts, "、", ", "))

    def _bounded(self, operator: str, node: Node, bound: Const) -> Text:
        form = ("{}（最低为{}）", "{} (at least {})") if operator == "max" else ("{}（最高为{}）", "{} (at most {})")
        value = Text("零", "nothing") if bound.value == 0 else self._const(bound, "")
        return fill(form, self.phrase(node), value)

    def _span(self, node: tree.Span, _: str) -> Text:
        unit = Text("满年数", "full years") if node.unit == "years" else Text("满月数", "full months")
        if isinstance(node.later, tree.AsOf) and getattr(node.earlier, "name", "") == "birth_date":
            return Text("按出生日期计算的周岁数", "full years since the date of birth")
        return fill(
            ("从{1}到{2}的{0}", "the {0} from {1} to {2}"), unit, self.phrase(node.earlier), self.phrase(node.later)
        )

    def _as_of(self, _: tree.AsOf, __: str) -> Text:
        return Text("适用日期", "the day in question")

    def _aggregate(self, node: tree.Aggregate, naming: str) -> Text:
        if node.operator in ("any", "all"):
            clause = self._clause_of_rows(node)
            return self._flat(clause)
        what = self._quoted(node.operand) if node.operator == "count" else self._bracketed(node.operand, naming)
        return self._of_rows(_GATHERED[node.operator], node, what)

    def _of_rows(self, forms: tuple[str, str], node: tree.Aggregate, what: Text) -> Text:
        who = PLURALS[node.entity] if node.operator == "count" else ENTITIES[node.entity]
        if node.condition is not None:
            relative = "who" if node.entity in _PERSONS else "that"
            if isinstance(self._unnamed(node.condition), tree.Comparison | tree.Among):
                relative = "where"
            who = fill(("{1}的{0}", f"{{0}} {relative} {{1}}"), who, self._quoted(node.condition))
        unit = "名" if node.entity in _PERSONS else "个"
        return Text(
            forms[0].format(who=who.zh, what=what.zh, unit=unit), forms[1].format(who=who.en, what=what.en, unit="")
        )

    def _flat(self, clause: Clause) -> Text:
        if not clause.parts:
            return clause.text
        listed = joined([self._flat(part) for part in clause.parts], "；", "; ")
        return fill(("{}（{}）", "{} ({})"), clause.text, listed)

    def _settled(self, node: tree.Settled, _: str) -> Text:
        return self.phrase(node.operand)

    def _known(self, node: tree.Known, _: str) -> Text:
        return fill(("{}可以确定", "{} is known"), self._bracketed(node.operand))


_LONG = tree.Arithmetic | tree.Choice | tree.Junction | tree.Share | tree.Quotient


def _named(node: Node) -> str:
    """Whose codes a value has: a fact (entity.fact), a rule or a parameter."""
    if isinstance(node, tree.FactRef):
        return f"{node.entity}.{node.name}"
    if isinstance(node, tree.RuleRef):
        return node.rule
    return node.name if isinstance(node, tree.ParameterRef) else ""


_PHRASES: dict[type, Callable[[Wording, Any, str], Text]] = {
    Const: Wording._const,
    tree.FactRef: Wording._fact,
    tree.RuleRef: Wording._rule,
    tree.ParameterRef: Wording._parameter,
    tree.Held: Wording._held,
    tree.AsOf: Wording._as_of,
    tree.Not: Wording._not,
    tree.Junction: Wording._junction,
    tree.Comparison: Wording._comparison,
    tree.Among: Wording._among,
    tree.Arithmetic: Wording._arithmetic,
    tree.Share: Wording._share,
    tree.Quotient: Wording._quotient,
    tree.Rounded: Wording._rounded,
    tree.Choice: Wording._choice,
    tree.Extreme: Wording._extreme,
    tree.Span: Wording._span,
    tree.Aggregate: Wording._aggregate,
    tree.Settled: Wording._settled,
    tree.Known: Wording._known,
}
