"""One place's rulebooks, on each day on which something of its packs begins or ends."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.shared.policy import tree
from services.shared.policy.pack import Pack
from services.shared.policy.rulebook import Rule, Rulebook


@dataclass(frozen=True, slots=True)
class Place:
    """A pack, the packs it stands on (itself first), and what is in force on each day that could be read."""

    pack: Pack
    chain: tuple[Pack, ...]
    books: tuple[Rulebook, ...]


def brings_rules(pack: Pack, chain: Sequence[Pack]) -> bool:
    """Whether the pack changes the rules of those above it, and not figures alone, as most places do."""
    own = (pack.rules, pack.exceptions, pack.programmes, pack.exclusions, pack.documents, pack.linked, pack.terms)
    replaced = any(pack.instruments.keys() & above.instruments.keys() for above in chain[1:])
    return len(chain) == 1 or any(own) or bool(pack.declarations) or bool(pack.presumptions) or replaced


def names_used(rule: Rule) -> tuple[frozenset[str], frozenset[str]]:
    """The rules and the parameters that a rule computes with or shows: its expression and what its sentences need."""
    shown = () if rule.shown_when is None else (rule.shown_when,)
    parts = [part for node in (rule.node, *rule.values.values(), *shown) for part in tree.walk(node)]
    rules = frozenset(part.rule for part in parts if isinstance(part, tree.RuleRef))
    return rules, frozenset(part.name for part in parts if isinstance(part, tree.ParameterRef | tree.Held))
