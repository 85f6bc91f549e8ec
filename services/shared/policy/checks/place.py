"""One place's rulebooks, on each day on which something of its packs begins or ends."""

from collections.abc import Iterator
from dataclasses import dataclass

from services.shared.policy import tree
from services.shared.policy.pack import Pack
from services.shared.policy.rulebook import Rule, Rulebook
from services.shared.policy.tree import Node


@dataclass(frozen=True, slots=True)
class Place:
    """A pack, the packs it stands on (itself first), and what is in force on each day that could be read."""

    pack: Pack
    chain: tuple[Pack, ...]
    books: tuple[Rulebook, ...]


def nodes_of(rule: Rule) -> Iterator[Node]:
    """Everything that a rule computes or shows: its expression, the values of its sentences, when it is shown."""
    yield rule.node
    yield from rule.values.values()
    if rule.shown_when is not None:
        yield rule.shown_when


def rules_used(rule: Rule) -> Iterator[str]:
    """The rules that a rule computes with or shows."""
    for node in nodes_of(rule):
        for part in tree.walk(node):
            if isinstance(part, tree.RuleRef):
                yield part.rule


def parameters_used(rule: Rule) -> Iterator[str]:
    """The parameters that a rule computes with or shows."""
    for node in nodes_of(rule):
        for part in tree.walk(node):
            if isinstance(part, tree.ParameterRef | tree.Held):
                yield part.name
