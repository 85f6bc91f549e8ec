"""Rules with one small mistake each: a comparison shifted by a hair, a constant or a code changed, a code left out."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace

from services.shared.policy import tree
from services.shared.policy.printing import Program, compile_rulebook
from services.shared.policy.rulebook import Rule, Rulebook
from services.shared.policy.schema import BOOL, INT, NUMBERS
from services.shared.policy.tree import Node
from services.shared.policy.unparsing import written
from tests.eligibility.proof.decisions import is_node
from tests.eligibility.proof.frames import rules_decided_by

SHIFTED = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
CHOSEN = "chosen_mutant"
"""The parameter that says which mutant runs, by its number in the program."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A rule with another expression; `kind` and `change` say what was done to it."""

    rule: str
    kind: str
    change: str
    node: Node

    @property
    def name(self) -> str:
        """How the list of survivors calls it."""
        return f"{self.rule}: {self.change}"


def mutants_of(rule: Rule) -> tuple[Mutant, ...]:
    """Every mutant of one rule."""
    found: list[Mutant] = []
    times: Counter[str] = Counter()
    for node, kind, change in _mutated(rule.node):
        times[change] += 1
        again = f" ({times[change]})" if times[change] > 1 else ""
        found.append(Mutant(rule.id, kind, change + again, node))
    return tuple(found)


def all_mutants(book: Rulebook) -> dict[str, tuple[Mutant, ...]]:
    """The mutants of every rule that an answer may hang on, by rule."""
    found = {name: mutants_of(book.rules[name]) for name in rules_decided_by(book)}
    return {name: mutants for name, mutants in found.items() if mutants}


def program_of(book: Rulebook, mutants: Sequence[Mutant]) -> Program:
    """One program with all these mutants, of which the parameter CHOSEN lets the one of that number run, or none."""
    rules = dict(book.rules)
    for number, mutant in enumerate(mutants):
        is_chosen = tree.Comparison("==", tree.ParameterRef(CHOSEN, (), INT), tree.Const(number, INT), BOOL)
        node = rules[mutant.rule].node
        rules[mutant.rule] = replace(rules[mutant.rule], node=tree.Choice(is_chosen, mutant.node, node, node.kind))
    return compile_rulebook(replace(book, rules=rules))


Change = tuple[Node, str, str]
_SAYS_MORE = (tree.Comparison, tree.Arithmetic, tree.Extreme, tree.Share)
"""A constant is told together with these around it."""


def _mutated(node: Node) -> Iterator[Change]:
    yield from _here(node)
    for field in fields(node):
        value = getattr(node, field.name)
        if isinstance(value, tuple) and value and all(is_node(item) for item in value):
            for index, item in enumerate(value):
                for changed, kind, what in _mutated(item):
                    values = (*value[:index], changed, *value[index + 1 :])
                    yield _around(node, item, replace(node, **{field.name: values}), kind, what)
        elif is_node(value):
            for changed, kind, what in _mutated(value):
                yield _around(node, value, replace(node, **{field.name: changed}), kind, what)


def _around(node: Node, inner: Node, changed: Node, kind: str, what: str) -> Change:
    tells = isinstance(inner, tree.Const) and isinstance(node, _SAYS_MORE)
    return changed, kind, f"{written(node)} → {written(changed)}" if tells else what


def _here(node: Node) -> Iterator[Change]:
    for changed, kind in _changed(node):
        yield changed, kind, f"{written(node)} → {written(changed)}"


def _changed(node: Node) -> Iterator[tuple[Node, str]]:
    if isinstance(node, tree.Comparison):
        yield replace(node, operator=SHIFTED[node.operator]), "comparison"
    elif isinstance(node, tree.Among) and len(node.values) > 1:
        for value in node.values:
            yield replace(node, values=tuple(item for item in node.values if item != value)), "code left out"
    elif isinstance(node, tree.Const) and node.kind == BOOL:
        yield replace(node, value=not node.value), "truth"
    elif isinstance(node, tree.Const) and node.kind in NUMBERS:
        assert isinstance(node.value, int)
        for value in (node.value + 1, node.value - 1):
            if value >= 0:
                yield replace(node, value=value), "number"
    elif isinstance(node, tree.Const) and node.kind.codes:
        yield replace(node, value=next(code for code in node.kind.codes if code != node.value)), "code"
