"""What programmes' own tests and the exclusions make of each row: the columns of the result, as operations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.shared.policy import tree
from services.shared.policy.columns.lowering import Codes, Lowering, Possible, Range, Truth
from services.shared.policy.columns.operations import FAR, Number
from services.shared.policy.columns.places import NotInOneKernel
from services.shared.policy.pack import Exclusion, Programme
from services.shared.policy.rulebook import Rulebook, sub_rules
from services.shared.policy.schema import BOOL, NUMBERS
from services.shared.policy.tree import Node

OUTCOMES = (None, "eligible", "ineligible", "undetermined")
"""The outcomes by their numbers; the first where the place has no such programme."""
ELIGIBLE, INELIGIBLE, UNDETERMINED = 1, 2, 3

NOTHING = -FAR
"""The number that stands for none."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the result: of which rows, with which operation, and the words that its numbers stand for.

    `words` is empty for an amount in fen, a count or a truth value (0 and 1); NOTHING is null.
    """

    name: str
    entity: str
    number: Number
    words: tuple[str | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Statuses:
    """The statuses that make a household's category, the highest first, and the fact that says which it has already.

    `draws` and `drawn`, before a programme's name, are the facts of its entity that say whether it is in payment, and
    what it then comes to.
    """

    ranks: tuple[str, ...]
    recognised: tuple[str, str]
    none: str
    undetermined: str
    draws: str = "draws_"
    drawn: str = "drawn_"


@dataclass(frozen=True, slots=True)
class _Decided:
    programme: Programme
    eligible: Number
    undetermined: Number
    excluded: Number
    amount: Range | None

    @property
    def paid(self) -> Number:
        """The amount, where it is granted."""
        assert self.amount is not None
        return self.amount.least

    @property
    def changes(self) -> tuple[Number, Number]:
        """Whether the result grants the aid or ends it."""
        return self.eligible, self.excluded


class Decisions:
    """The columns of the result, made once for each kind of household (`Lowering.open_facts`).

    With `only_observed` they are the values of those rules alone, and no programme is decided.
    """

    def __init__(
        self, lowering: Lowering, statuses: Statuses | None, observed: Sequence[str], *, only_observed: bool = False
    ) -> None:
        self._lowering, self._graph, self._places = lowering, lowering.graph, lowering.places
        self.columns: list[Column] = []
        if not only_observed:
            self._decide(statuses)
        for name in observed:
            self._observed(name)

    def _decide(self, statuses: Statuses | None) -> None:
        decided = [self._decided(item, places) for item, places in self._places.programmes.values()]
        by_name = {each.programme.id: each for each in decided}
        self._together = {
            each.programme.id: self._beside(each, by_name, statuses)
            for each in decided
            if each.programme.set_off and statuses is not None
        }
        self._totals(decided)
        if statuses is not None:
            self._category(decided, statuses)

    def _rule(self, name: str) -> Truth | Range | Codes:
        return self._lowering.rule(self._places.rule_key(name))

    # --- one programme ---------------------------------------------------------------------------------------------

    def _decided(self, item: Programme, places: frozenset[int]) -> _Decided:
        graph = self._graph
        tests, amount = self._rule(f"{item.id}.eligible"), self._amount(item)
        assert isinstance(tests, Truth)
        surely, refused = graph.no(tests.false), graph.no(tests.true)
        if amount is not None:
            surely = graph.all_of(surely, self._lowering.is_single(amount))
        sure = self._exclusions(item, refused)
        is_offered = self._lowering.in_places(places)
        eligible = graph.all_of(is_offered, surely, graph.no(sure))
        ineligible = graph.any_of(refused, sure)
        undetermined = graph.all_of(is_offered, graph.no(ineligible), graph.no(eligible))
        outcome = graph.pick(ineligible, graph.const(INELIGIBLE), graph.const(UNDETERMINED))
        outcome = graph.pick(eligible, graph.const(ELIGIBLE), outcome)
        self._column(item.id, item.entity, graph.pick(is_offered, outcome, graph.const(0)), OUTCOMES)
        if amount is not None:
            self._column(f"{item.id}_fen", item.entity, graph.pick(eligible, amount.least, graph.const(NOTHING)))
        excluded = graph.all_of(is_offered, graph.no(refused), sure)
        return _Decided(item, eligible, undetermined, excluded, amount)

    def _amount(self, item: Programme, lowering: Lowering | None = None) -> Range | None:
        name = item.monthly or item.one_off
        if not name:
            return None
        amount = (lowering or self._lowering).rule(self._places.rule_key(name))
        assert isinstance(amount, Range)
        return amount

    def _exclusions(self, item: Programme, refused: Number) -> Number:
        """Whether an exclusion surely holds, with the columns that name the winner, or those who may win."""
        graph = self._graph
        mine = [(exclusion, places) for exclusion, places in self._places.exclusions if exclusion.loser == item.id]
        if not mine:
            return graph.false
        whens = [self._when(exclusion, places) for exclusion, places in mine]
        winners = tuple(exclusion.winner for exclusion, _ in mine)
        sure = graph.any_of(*(graph.no(when.false) for when in whens))
        by, may = graph.const(0), graph.const(0)
        for number, when in reversed(list(enumerate(whens))):
            by = graph.pick(graph.no(when.false), graph.const(number + 1), by)
            is_open = graph.all_of(when.true, when.false)
            may = graph.add(may, graph.pick(is_open, graph.const(1 << number), graph.const(0)))
        by = graph.pick(refused, graph.const(0), by)
        self._column(f"{item.id}_excluded_by", item.entity, by, (None, *winners))
        may = graph.pick(graph.any_of(refused, sure), graph.const(0), may)
        self._column(f"{item.id}_may_be_excluded_by", item.entity, may, _sets_of(winners))
        return sure

    def _when(self, exclusion: Exclusion, places: frozenset[int]) -> Truth:
        graph, here = self._graph, self._lowering.in_places(places)
        when = self._rule(exclusion.when)
        assert isinstance(when, Truth)
        return Truth(graph.all_of(here, when.true), graph.any_of(graph.no(here), when.false))

    def _column(self, name: str, entity: str, number: Number, words: tuple[str | None, ...] = ()) -> None:
        self.columns.append(Column(name, entity, self._graph.at(entity, number), words))

    # --- top-ups ---------------------------------------------------------------------------------------------------

    def _beside(self, top_up: _Decided, decided: Mapping[str, _Decided], statuses: Statuses) -> Number:
        """What a top-up pays once all that is granted with it is paid: the same rules, with what is then drawn."""
        graph, item = self._graph, top_up.programme
        replaced: dict[tuple[str, str], Possible] = {}
        for code in item.set_off:
            if code in decided and decided[code].amount is not None:
                replaced |= self._paid(item.entity, decided[code], statuses)
        self._check_own_rows(item, frozenset(replaced))
        anew = self._lowering.beside(replaced)
        tests, amount = anew.rule(self._places.rule_key(f"{item.id}.eligible")), self._amount(item, anew)
        assert isinstance(tests, Truth) and amount is not None
        surely = graph.all_of(graph.no(tests.false), anew.is_single(amount))
        together = graph.pick(surely, amount.least, graph.const(0))
        is_shown = graph.all_of(top_up.eligible, graph.no(graph.eq(together, top_up.paid)))
        self._column(f"{item.id}_together_fen", item.entity, graph.pick(is_shown, together, graph.const(NOTHING)))
        return together

    def _paid(self, entity: str, other: _Decided, statuses: Statuses) -> dict[tuple[str, str], Possible]:
        """The facts that say what is drawn of an aid, after the result."""
        graph, lowering, code = self._graph, self._lowering, other.programme.id
        part = self._part(entity, other)
        changes = Truth(graph.any_of(*other.changes), graph.no(graph.any_of(*other.changes)))
        facts = self._graph.schema.by_name[entity]
        found: dict[tuple[str, str], Possible] = {}
        for name, value in (
            (
                f"{statuses.draws}{code}",
                Truth(graph.lt(graph.const(0), part), graph.no(graph.lt(graph.const(0), part))),
            ),
            (f"{statuses.drawn}{code}", Range(part, part)),
        ):
            if name in facts.position:
                position = facts.position[name]
                told = lowering.told(tree.FactRef(entity, name, position, facts.facts[position].kind))
                found[entity, name] = lowering.chosen(changes, value, told)
        return found

    def _part(self, entity: str, other: _Decided) -> Number:
        """A member's part of what is granted: all of his own aid, a share of the household's; nothing where it ends."""
        amount: Possible | None = other.amount
        if other.programme.entity != entity:
            amount = self._rule(other.programme.share)
        assert isinstance(amount, Range)
        return self._graph.pick(other.eligible, amount.least, self._graph.const(0))

    def _check_own_rows(self, item: Programme, facts: frozenset[tuple[str, str]]) -> None:
        """Raises NotInOneKernel where the top-up hangs on what others draw, which the result does not change for it."""
        for place in self._places.policies:
            book = place.book
            for name in book.rules_below(item.rules) if item.id in book.programmes else ():
                for node in tree.walk(book.rules[name].node):
                    if isinstance(node, tree.Aggregate) and node.entity == item.entity and _reads(book, node, facts):
                        raise NotInOneKernel(f"the top-up {item.id} hangs on what other members draw")

    # --- the whole -------------------------------------------------------------------------------------------------

    def _totals(self, decided: Sequence[_Decided]) -> None:
        root = self._graph.schema.root.name
        for name, is_monthly in (("monthly_total_fen", True), ("one_off_total_fen", False)):
            total = self._graph.const(0)
            for each in decided:
                if each.amount is not None and bool(each.programme.monthly) == is_monthly:
                    amount = self._together.get(each.programme.id, each.amount.least)
                    paid = self._graph.pick(each.eligible, amount, self._graph.const(0))
                    total = self._graph.add(total, self._summed(each.programme.entity, paid))
            self._column(name, root, total)

    def _summed(self, entity: str, number: Number) -> Number:
        declared = self._graph.schema.by_name[entity]
        if declared.parent is None:
            return number
        told = self._graph.no(self._lowering.untold(entity))
        number = self._graph.pick(told, number, self._graph.const(0))
        return self._summed(declared.parent, self._graph.reduce("sum", entity, number, declared.max_rows))

    def _anywhere(self, entity: str, truth: Number) -> Number:
        declared = self._graph.schema.by_name[entity]
        if declared.parent is None:
            return truth
        truth = self._graph.all_of(truth, self._graph.no(self._lowering.untold(entity)))
        return self._anywhere(declared.parent, self._graph.reduce("any", entity, truth, declared.max_rows))

    def _category(self, decided: Sequence[_Decided], statuses: Statuses) -> None:
        graph, root = self._graph, self._graph.schema.root.name
        words = (statuses.none, *statuses.ranks, statuses.undetermined)
        category = graph.const(0)
        for number, rank in reversed(list(enumerate(statuses.ranks, 1))):
            of = [each for each in decided if each.programme.category == rank]
            has = graph.any_of(*(self._anywhere(each.programme.entity, each.eligible) for each in of))
            may = graph.any_of(*(self._anywhere(each.programme.entity, each.undetermined) for each in of))
            has = graph.any_of(has, self._is_recognised(statuses.recognised, rank))
            category = graph.pick(may, graph.const(len(words) - 1), category)
            category = graph.pick(has, graph.const(number), category)
        self._column("category", root, category, words)

    def _is_recognised(self, fact: tuple[str, str], rank: str) -> Number:
        entity = self._graph.schema.by_name[fact[0]]
        position = entity.position[fact[1]]
        kind = entity.facts[position].kind
        if rank not in kind.codes:
            return self._graph.false
        equal = tree.Comparison("==", tree.FactRef(*fact, position, kind), tree.Const(rank, kind), BOOL)
        # The node is ours alone and lives no longer than this call, so it is not remembered.
        found = self._lowering.compared_codes(equal)
        return self._graph.no(found.false)

    def _observed(self, name: str) -> None:
        """A column with the value of a rule, null where it is open."""
        graph, (_, entity, kind) = self._graph, self._places.rule_key(name)
        value, is_single = self._rule(name), self._lowering.is_single(self._rule(name))
        assert kind in NUMBERS or kind == BOOL, f"the rule {name} is a code"
        number = value.least if isinstance(value, Range) else graph.const(0)
        if isinstance(value, Truth):
            number = graph.pick(value.true, graph.const(1), graph.const(0))
        self._column(name, entity, graph.pick(is_single, number, graph.const(NOTHING)))


def _reads(book: Rulebook, node: Node, facts: frozenset[tuple[str, str]]) -> bool:
    below = [node, *(book.rules[name].node for name in book.rules_below(sub_rules(node)))]
    parts = (part for each in below for part in tree.walk(each))
    return any(isinstance(part, tree.FactRef) and (part.entity, part.name) in facts for part in parts)


def _sets_of(winners: Sequence[str]) -> tuple[str | None, ...]:
    """What each set of winners is called, by the bits of those in it, in their order."""
    sets = [
        ", ".join(dict.fromkeys(winner for number, winner in enumerate(winners) if bits >> number & 1))
        for bits in range(1 << len(winners))
    ]
    return (None, *sets[1:])
