"""Turns checked trees into operations on columns, node by node as `abstract` evaluates them: ranges, truths and codes.

Where nothing can be open, a range is one number twice and costs what the number costs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from services.shared.policy import tree
from services.shared.policy.columns.operations import FAR, LARGEST, UNKNOWN, Graph, Number
from services.shared.policy.columns.places import NotInOneKernel, Places, RuleKey, figure_range
from services.shared.policy.schema import BOOL, FRACTION, NUMBERS, RATE_SCALE, Kind
from services.shared.policy.tree import Node
from services.shared.vocabulary.period import MONTHS_PER_YEAR


@dataclass(frozen=True, slots=True)
class Range:
    """A number, as the least and the most that it can be."""

    least: Number
    most: Number

    @property
    def is_exact(self) -> bool:
        """Whether it is known for every row."""
        return self.least == self.most


@dataclass(frozen=True, slots=True)
class Truth:
    """A condition, as whether it can be true and whether it can be false."""

    true: Number
    false: Number


@dataclass(frozen=True, slots=True)
class Codes:
    """A code, as the set of those that it can be; `is_exact` where it is always one alone."""

    bits: Number
    is_exact: bool


Possible = Range | Truth | Codes


class Lowering:
    """The operations of every rule of many places. With `open_facts`, any fact may be unknown, and any list longer."""

    def __init__(self, places: Places, *, open_facts: bool) -> None:
        self.places, self.open_facts = places, open_facts
        self.graph = Graph(places.schema)
        self._rules: dict[RuleKey, Possible | None] = {}
        self._nodes: dict[int, Possible] = {}
        self._replaced: Mapping[tuple[str, str], Possible] = {}

    def rule(self, key: RuleKey) -> Possible:
        """What a rule can be, in each place as that writes it."""
        if key not in self._rules:
            # None while it is looked at.
            self._rules[key] = None
            self._rules[key] = self._versions(key)
        found = self._rules[key]
        if found is None:
            raise NotInOneKernel(f"the rule {key[0]} rests on itself when all places are taken together")
        return found

    def _versions(self, key: RuleKey) -> Possible:
        *others, last = self.places.versions[key]
        value = self.node(last.node)
        for version in others:
            is_written_so = Truth(self._is_in(version.places), self.graph.no(self._is_in(version.places)))
            value = self.chosen(is_written_so, self.node(version.node), value)
        return value

    def _is_in(self, places: frozenset[int]) -> Number:
        return self.graph.parameter_is(self.places.slot(("is_in", places)))

    def in_places(self, places: frozenset[int]) -> Number:
        """Whether the household's place is one of these."""
        return self.graph.true if self.places.everywhere(places) else self._is_in(places)

    def node(self, node: Node) -> Possible:
        """What a node can be."""
        # Nodes live as long as their rulebooks, so their identity names them.
        found = self._nodes.get(id(node))
        if found is None:
            found = self._nodes[id(node)] = _LOWERINGS[type(node)](self, node)
        return found

    def number(self, node: Node) -> Range:
        """What a number can be."""
        found = self.node(node)
        assert isinstance(found, Range)
        return found

    def truth(self, node: Node) -> Truth:
        """What a condition can be."""
        found = self.node(node)
        assert isinstance(found, Truth)
        return found

    def is_exact(self, value: Possible) -> bool:
        """Whether the value is known for every row."""
        return value.false == self.graph.no(value.true) if isinstance(value, Truth) else value.is_exact

    def is_single(self, value: Possible) -> Number:
        """Whether one value alone is possible."""
        graph = self.graph
        if isinstance(value, Truth):
            return graph.no(graph.all_of(value.true, value.false))
        if isinstance(value, Range):
            return graph.eq(value.least, value.most)
        if value.is_exact:
            return graph.true
        less = graph.sub(value.bits, graph.const(1))
        return graph.eq(graph.bits(value.bits, less), graph.const(0))

    # --- leaves ------------------------------------------------------------------------------------------------

    def _const(self, node: tree.Const) -> Possible:
        return self._lifted(node.value, node.kind)

    def _lifted(self, value: int | bool | str, kind: Kind) -> Possible:
        graph = self.graph
        if isinstance(value, bool):
            return Truth(graph.true, graph.false) if value else Truth(graph.false, graph.true)
        if isinstance(value, str):
            return Codes(graph.const(self.places.codes.bit(kind, value)), True)
        return Range(graph.const(value), graph.const(value))

    def beside(self, replaced: Mapping[tuple[str, str], Possible]) -> "Lowering":
        """The same with other values in place of some facts, by entity and name, each in its own row."""
        other = Lowering(self.places, open_facts=self.open_facts)
        other.graph, other._replaced = self.graph, replaced
        return other

    def _fact(self, node: tree.FactRef) -> Possible:
        return self._replaced.get((node.entity, node.name)) or self.told(node)

    def told(self, node: tree.FactRef) -> Possible:
        """What a fact can be, as it was told."""
        graph, where = self.graph, (node.entity, node.position)
        fact = self.places.schema.by_name[node.entity].facts[node.position]
        if fact.kind == BOOL:
            true = graph.fact_is(*where, 1)
            if not self.open_facts:
                return Truth(true, graph.no(true))
            return Truth(graph.no(graph.fact_is(*where, 0)), graph.no(true))
        if fact.kind.codes:
            return self._coded_fact(node, fact.kind)
        told = graph.fact(*where, fact.least, fact.most)
        if not self.open_facts:
            return Range(told, told)
        unknown = graph.fact_is(*where, UNKNOWN)
        return Range(
            graph.pick(unknown, graph.const(fact.least), told), graph.pick(unknown, graph.const(fact.most), told)
        )

    def _coded_fact(self, node: tree.FactRef, kind: Kind) -> Codes:
        every = self.places.codes.all_of(kind)
        told = self.graph.fact_code(node.entity, node.position, every)
        if not self.open_facts:
            return Codes(told, True)
        unknown = self.graph.fact_is(node.entity, node.position, UNKNOWN)
        return Codes(self.graph.pick(unknown, self.graph.const(every), told), False)

    def _rule_ref(self, node: tree.RuleRef) -> Possible:
        return self.rule((node.rule, node.entity, node.kind))

    def _parameter(self, node: tree.ParameterRef) -> Possible:
        combinations = self.places.combinations(node.name)
        if not node.keys:
            return self._figure(node, ())
        keys = [self.node(key) for key in node.keys]
        joined: list[tuple[Number, Possible]] = []
        for codes in combinations:
            possible = [self._can_be(key, at, code) for key, at, code in zip(keys, node.keys, codes, strict=True)]
            joined.append((self.graph.all_of(*possible), self._figure(node, codes)))
        return self._looked_up(joined, all(self.is_exact(key) for key in keys))

    def _can_be(self, key: Possible, at: Node, code: str) -> Number:
        assert isinstance(key, Codes)
        bit = self.graph.const(self.places.codes.bit(at.kind, code))
        if key.is_exact:
            return self.graph.eq(key.bits, bit)
        return self.graph.no(self.graph.eq(self.graph.bits(key.bits, bit), self.graph.const(0)))

    def _looked_up(self, figures: Sequence[tuple[Number, Possible]], keys_are_exact: bool) -> Possible:
        if keys_are_exact:
            value = figures[-1][1]
            for condition, figure in reversed(figures[:-1]):
                value = self.chosen(Truth(condition, self.graph.no(condition)), figure, value)
            return value
        return self._joined(figures)

    def _joined(self, figures: Sequence[tuple[Number, Possible]]) -> Possible:
        """What can be of several, each possible or not; one of them always is."""
        graph, first = self.graph, figures[0][1]
        if isinstance(first, Truth):
            truths = [(here, value) for here, value in figures if isinstance(value, Truth)]
            return Truth(
                graph.any_of(*(graph.all_of(here, value.true) for here, value in truths)),
                graph.any_of(*(graph.all_of(here, value.false) for here, value in truths)),
            )
        if isinstance(first, Codes):
            nothing = bits = graph.const(0)
            for here, value in figures:
                assert isinstance(value, Codes)
                bits = graph.either(bits, graph.pick(here, value.bits, nothing))
            return Codes(bits, False)
        ranges = [(here, value) for here, value in figures if isinstance(value, Range)]
        least = graph.const(min(max(graph[value.least].most for _, value in ranges), LARGEST))
        most = graph.const(max(min(graph[value.most].least for _, value in ranges), -LARGEST))
        return Range(
            graph.least(graph.pick(here, value.least, least) for here, value in ranges),
            graph.greatest(graph.pick(here, value.most, most) for here, value in ranges),
        )

    def _figure(self, node: tree.ParameterRef, codes: tuple[str, ...]) -> Possible:
        graph, slot, of = self.graph, self.places.slot, (node.name, codes)
        is_open = self.places.may_be_missing(node.name, codes)
        if node.kind == BOOL:
            true = graph.parameter_is(slot(("can_be", *of, True)))
            return Truth(true, graph.parameter_is(slot(("can_be", *of, False))) if is_open else graph.no(true))
        if node.kind.codes:
            every = self.places.codes.all_of(node.kind)
            return Codes(graph.parameter(slot(("codes", *of, node.kind)), 1, every), not is_open)
        bounds = figure_range(node.kind)
        least = graph.parameter(slot(("least", *of, node.kind)), *bounds)
        return Range(least, graph.parameter(slot(("most", *of, node.kind)), *bounds) if is_open else least)

    def _held(self, node: tree.Held) -> Truth:
        held = self.graph.parameter_is(self.places.slot(("held", node.name)))
        return Truth(held, self.graph.no(held))

    def _as_of(self, _: tree.AsOf) -> Range:
        day = self.graph.parameter(self.places.slot(("as_of",)), 1800_01_01, 2999_12_31)
        return Range(day, day)

    # --- conditions --------------------------------------------------------------------------------------------

    def _not(self, node: tree.Not) -> Truth:
        value = self.truth(node.operand)
        return Truth(value.false, value.true)

    def _junction(self, node: tree.Junction) -> Truth:
        operands = [self.truth(operand) for operand in node.operands]
        return self.every(operands) if node.operator == "and" else self.some(operands)

    def every(self, truths: Sequence[Truth]) -> Truth:
        """Whether all hold."""
        graph = self.graph
        true = graph.all_of(*(truth.true for truth in truths))
        if all(map(self.is_exact, truths)):
            return Truth(true, graph.no(true))
        return Truth(true, graph.any_of(*(truth.false for truth in truths)))

    def some(self, truths: Sequence[Truth]) -> Truth:
        """Whether one holds."""
        all_fail = self.every([Truth(truth.false, truth.true) for truth in truths])
        return Truth(all_fail.false, all_fail.true)

    def _comparison(self, node: tree.Comparison) -> Truth:
        if node.left.kind not in NUMBERS:
            equal = self._same_code(self.node(node.left), self.node(node.right))
            return equal if node.operator == "==" else Truth(equal.false, equal.true)
        if FRACTION not in (node.left.kind, node.right.kind):
            return self.compared(node.operator, self.number(node.left), self.number(node.right))
        left, left_divisor = self.ratio(node.left)
        right, right_divisor = self.ratio(node.right)
        return self.compared(node.operator, self.times(left, right_divisor), self.times(right, left_divisor))

    def compared_codes(self, node: tree.Comparison) -> Truth:
        """Whether a fact is a written code."""
        assert isinstance(node.left, tree.FactRef) and isinstance(node.right, tree.Const)
        return self._same_code(self._fact(node.left), self._const(node.right))

    def compared(self, operator: str, left: Range, right: Range) -> Truth:
        """Two numbers compared."""
        graph = self.graph
        if operator in (">", ">="):
            return self.compared({">": "<", ">=": "<="}[operator], right, left)
        if operator == "<":
            return Truth(graph.lt(left.least, right.most), graph.no(graph.lt(left.most, right.least)))
        if operator == "<=":
            return Truth(graph.le(left.least, right.most), graph.no(graph.le(left.most, right.least)))
        if left.is_exact and right.is_exact:
            same = graph.eq(left.least, right.least)
            equal = Truth(same, graph.no(same))
        else:
            overlap = graph.all_of(graph.le(left.least, right.most), graph.le(right.least, left.most))
            all_one = graph.all_of(
                graph.eq(left.least, left.most), graph.eq(right.least, right.most), graph.eq(left.least, right.least)
            )
            equal = Truth(overlap, graph.no(all_one))
        return equal if operator == "==" else Truth(equal.false, equal.true)

    def _same_code(self, left: Possible, right: Possible) -> Truth:
        assert isinstance(left, Codes) and isinstance(right, Codes)
        graph = self.graph
        equal = graph.eq(left.bits, right.bits)
        if left.is_exact and right.is_exact:
            return Truth(equal, graph.no(equal))
        meet = graph.no(graph.eq(graph.bits(left.bits, right.bits), graph.const(0)))
        single = self.is_single(right if right.is_exact else left)
        return Truth(meet, graph.no(graph.all_of(equal, single)))

    def _among(self, node: tree.Among) -> Truth:
        value = self.node(node.operand)
        if isinstance(value, Codes):
            return self._code_among(value, node)
        assert isinstance(value, Range)
        graph = self.graph
        hits = [
            graph.all_of(graph.le(value.least, each), graph.le(each, value.most))
            for each in (graph.const(item) for item in set(node.values) if isinstance(item, int))
        ]
        inside = graph.any_of(*hits)
        if value.is_exact:
            return Truth(inside, graph.no(inside))
        count = graph.const(0)
        for hit in hits:
            count = graph.add(count, graph.pick(hit, graph.const(1), graph.const(0)))
        possible = graph.add(graph.sub(value.most, value.least), graph.const(1))
        return Truth(inside, graph.lt(count, possible))

    def _code_among(self, value: Codes, node: tree.Among) -> Truth:
        graph, spaces, kind = self.graph, self.places.codes, node.operand.kind
        inside = sum({spaces.bit(kind, item) for item in node.values if isinstance(item, str)})
        outside = graph.const(~inside & ((1 << 62) - 1))
        can_be = graph.no(graph.eq(graph.bits(value.bits, graph.const(inside)), graph.const(0)))
        if value.is_exact:
            return Truth(can_be, graph.no(can_be))
        return Truth(can_be, graph.no(graph.eq(graph.bits(value.bits, outside), graph.const(0))))

    def _settled(self, node: tree.Settled) -> Truth:
        value = self.truth(node.operand)
        return Truth(self.graph.no(value.false), value.false)

    def _known(self, node: tree.Known) -> Truth:
        return Truth(self.graph.true, self.graph.no(self.is_single(self.node(node.operand))))

    # --- numbers -----------------------------------------------------------------------------------------------

    def ratio(self, node: Node) -> tuple[Range, Range]:
        """A number as numerator and divisor, the divisor at least 1."""
        graph = self.graph
        if isinstance(node, tree.Share):
            amount, divisor = self.ratio(node.amount)
            scale = graph.const(RATE_SCALE)
            return self.times(amount, self.number(node.rate)), self.times(divisor, Range(scale, scale))
        if isinstance(node, tree.Quotient):
            amount, divisor = self.ratio(node.amount)
            parts, one = self.number(node.divisor), graph.const(1)
            whole = Range(graph.greatest((parts.least, one)), graph.greatest((parts.most, one)))
            return amount, self.times(divisor, whole)
        one = graph.const(1)
        return self.number(node), Range(one, one)

    def times(self, left: Range, right: Range) -> Range:
        """The product of two numbers."""
        graph = self.graph
        if left.is_exact and right.is_exact:
            product = graph.mul(left.least, right.least)
            return Range(product, product)
        lefts, rights = dict.fromkeys((left.least, left.most)), dict.fromkeys((right.least, right.most))
        if graph[left.least].least >= 0 and graph[right.least].least >= 0:
            return Range(graph.mul(left.least, right.least), graph.mul(left.most, right.most))
        products = [graph.mul(a, b) for a in lefts for b in rights]
        return Range(graph.least(products), graph.greatest(products))

    def _fraction(self, node: tree.Share | tree.Quotient) -> Range:
        amount, divisor = self.ratio(node)
        graph, nought = self.graph, self.graph.const(0)
        least = graph.div(amount.least, divisor.most)
        return Range(least, graph.sub(nought, graph.div(graph.sub(nought, amount.most), divisor.least)))

    def _rounded(self, node: tree.Rounded) -> Range:
        amount, divisor = self.ratio(node.operand)
        least = self._whole(node, amount.least, divisor.most)
        return Range(least, self._whole(node, amount.most, divisor.least))

    def _whole(self, node: tree.Rounded, amount: Number, divisor: Number) -> Number:
        graph, unit = self.graph, self.graph.const(node.unit_fen)
        whole = graph.mul(divisor, unit)
        if node.mode == "ceil":
            amount = graph.add(amount, graph.sub(whole, graph.const(1)))
        elif node.mode == "half_up":
            two = graph.const(2)
            amount, whole = graph.add(graph.mul(amount, two), whole), graph.mul(whole, two)
        return graph.mul(graph.div(amount, whole), unit)

    def _arithmetic(self, node: tree.Arithmetic) -> Range:
        left, right, graph = self.number(node.left), self.number(node.right), self.graph
        if node.operator == "*":
            return self.times(left, right)
        if node.operator == "+":
            return Range(graph.add(left.least, right.least), graph.add(left.most, right.most))
        return Range(graph.sub(left.least, right.most), graph.sub(left.most, right.least))

    def _choice(self, node: tree.Choice) -> Possible:
        return self.chosen(self.truth(node.condition), self.node(node.then), self.node(node.otherwise))

    def chosen(self, condition: Truth, then: Possible, otherwise: Possible) -> Possible:
        """One of two, as the condition has it; both where it is open."""
        graph = self.graph
        if not self.is_exact(condition):
            return self._joined([(condition.true, then), (condition.false, otherwise)])
        if isinstance(then, Truth):
            assert isinstance(otherwise, Truth)
            true = graph.pick(condition.true, then.true, otherwise.true)
            if self.is_exact(then) and self.is_exact(otherwise):
                return Truth(true, graph.no(true))
            return Truth(true, graph.pick(condition.true, then.false, otherwise.false))
        if isinstance(then, Codes):
            assert isinstance(otherwise, Codes)
            bits = graph.pick(condition.true, then.bits, otherwise.bits)
            return Codes(bits, then.is_exact and otherwise.is_exact)
        assert isinstance(otherwise, Range)
        return Range(
            graph.pick(condition.true, then.least, otherwise.least),
            graph.pick(condition.true, then.most, otherwise.most),
        )

    def _extreme(self, node: tree.Extreme) -> Range:
        pick = self.graph.greatest if node.operator == "max" else self.graph.least
        operands = [self.number(operand) for operand in node.operands]
        return Range(pick(operand.least for operand in operands), pick(operand.most for operand in operands))

    def _span(self, node: tree.Span) -> Range:
        earlier, later = self.number(node.earlier), self.number(node.later)
        count = self._years if node.unit == "years" else self._months
        least = count(earlier.most, later.least)
        exact = earlier.is_exact and later.is_exact
        return Range(least, least if exact else count(earlier.least, later.most))

    def _years(self, earlier: Number, later: Number) -> Number:
        graph = self.graph
        return graph.div(graph.greatest((graph.sub(later, earlier), graph.const(0))), graph.const(10_000))

    def _months(self, earlier: Number, later: Number) -> Number:
        graph = self.graph
        months = graph.sub(self._month_number(later), self._month_number(earlier))
        is_short = graph.lt(self._day(later), self._day(earlier))
        months = graph.sub(months, graph.pick(is_short, graph.const(1), graph.const(0)))
        # Of a day after another, months are not above nought.
        return graph.greatest((months, graph.const(0)))

    def _month_number(self, day: Number) -> Number:
        graph = self.graph
        year = graph.div(day, graph.const(10_000))
        month = graph.sub(graph.div(day, graph.const(100)), graph.mul(year, graph.const(100)))
        return graph.add(graph.mul(year, graph.const(MONTHS_PER_YEAR)), month)

    def _day(self, day: Number) -> Number:
        graph, hundred = self.graph, self.graph.const(100)
        return graph.sub(day, graph.mul(graph.div(day, hundred), hundred))

    # --- gatherings --------------------------------------------------------------------------------------------

    def _aggregate(self, node: tree.Aggregate) -> Possible:
        condition = self.truth(node.condition) if node.condition else Truth(self.graph.true, self.graph.false)
        if node.operator == "any":
            return self.any_row(node.entity, self.every([condition, self.truth(node.operand)]))
        if node.operator == "all":
            operand = self.truth(node.operand)
            fails = self.any_row(node.entity, self.every([condition, Truth(operand.false, operand.true)]))
            return Truth(fails.false, fails.true)
        if node.operator == "count":
            operand = self.truth(node.operand)
            one, none = self.graph.const(1), self.graph.const(0)
            least = self.graph.pick(operand.false, none, one)
            most = least if self.is_exact(operand) else self.graph.pick(operand.true, one, none)
            return self.sum_of(node.entity, condition, Range(least, most))
        if node.operator == "sum":
            return self.sum_of(node.entity, condition, self.number(node.operand))
        return self._extreme_row(node, condition, self.number(node.operand))

    def untold(self, entity: str) -> Number:
        """Whether a row stands for those that nobody told."""
        declared = self.places.schema.by_name[entity]
        within = () if declared.parent is None else (self.untold(declared.parent),)
        if not self.open_facts or declared.always_complete or declared.parent is None:
            return self.graph.any_of(*within)
        return self.graph.is_untold(entity)

    def any_row(self, entity: str, holds: Truth) -> Truth:
        """Whether a condition holds for some row."""
        graph, most_rows = self.graph, self.places.schema.by_name[entity].max_rows
        true = graph.reduce("any", entity, holds.true, most_rows)
        surely = graph.all_of(graph.no(holds.false), graph.no(self.untold(entity)))
        return Truth(true, graph.no(graph.reduce("any", entity, surely, most_rows)))

    def sum_of(self, entity: str, condition: Truth, value: Range) -> Range:
        """The sum over the rows for which the condition holds; of those that nobody told there may be many."""
        graph, nought, untold = self.graph, self.graph.const(0), self.untold(entity)
        if self.is_exact(condition):
            least, most = (graph.pick(condition.true, each, nought) for each in (value.least, value.most))
        else:
            doubtful = graph.least((value.least, nought)), graph.greatest((value.most, nought))
            least, most = (
                graph.pick(condition.true, graph.pick(condition.false, either, sure), nought)
                for either, sure in zip(doubtful, (value.least, value.most), strict=True)
            )
        told = [self._total(entity, graph.pick(untold, nought, each)) for each in (least, most)]
        if untold == graph.false:
            return Range(*told)
        more = self._may_be_more(entity)
        below, above = graph.least((least, nought)), graph.greatest((most, nought))
        extra = [self._total(entity, graph.pick(untold, each, nought), 1) for each in (below, above)]
        return Range(*(graph.add(sure, graph.mul(more, each)) for sure, each in zip(told, extra, strict=True)))

    def _total(self, entity: str, number: Number, most_rows: int = 0) -> Number:
        return self.graph.reduce("sum", entity, number, most_rows or self.places.schema.by_name[entity].max_rows)

    def _may_be_more(self, entity: str) -> Number:
        """How many rows there could be beside those that were told."""
        graph, most_rows = self.graph, self.places.schema.by_name[entity].max_rows
        is_told = graph.pick(self.untold(entity), graph.const(0), graph.const(1))
        return graph.sub(graph.const(most_rows), self._total(entity, is_told))

    def _extreme_row(self, node: tree.Aggregate, condition: Truth, value: Range) -> Range:
        graph, is_max = self.graph, node.operator == "max"
        far, pick = graph.const(-FAR if is_max else FAR), graph.greatest if is_max else graph.least
        sure = graph.all_of(graph.no(condition.false), graph.no(self.untold(node.entity)))
        doubtful = graph.all_of(condition.true, graph.no(sure))

        def over(rows: Number, number: Number) -> Number:
            return graph.reduce(node.operator, node.entity, graph.pick(rows, number, far), 1)

        def found(number: Number) -> Number:
            return graph.within(number, min(0, graph[value.least].least), max(0, graph[value.most].most))

        is_any = graph.reduce("any", node.entity, sure, 1)
        least, most = (graph.pick(is_any, over(sure, each), graph.const(0)) for each in (value.least, value.most))
        if doubtful == graph.false:
            return Range(found(least), found(most))
        maybe = over(doubtful, value.most if is_max else value.least)
        if is_max:
            return Range(found(least), found(pick((most, maybe))))
        return Range(found(pick((least, maybe))), found(most))


_LOWERINGS: dict[type, Callable[[Lowering, Node], Possible]] = {
    tree.Const: Lowering._const,  # type: ignore[dict-item]
    tree.FactRef: Lowering._fact,  # type: ignore[dict-item]
    tree.RuleRef: Lowering._rule_ref,  # type: ignore[dict-item]
    tree.ParameterRef: Lowering._parameter,  # type: ignore[dict-item]
    tree.Held: Lowering._held,  # type: ignore[dict-item]
    tree.AsOf: Lowering._as_of,  # type: ignore[dict-item]
    tree.Not: Lowering._not,  # type: ignore[dict-item]
    tree.Junction: Lowering._junction,  # type: ignore[dict-item]
    tree.Comparison: Lowering._comparison,  # type: ignore[dict-item]
    tree.Among: Lowering._among,  # type: ignore[dict-item]
    tree.Arithmetic: Lowering._arithmetic,  # type: ignore[dict-item]
    tree.Share: Lowering._fraction,  # type: ignore[dict-item]
    tree.Quotient: Lowering._fraction,  # type: ignore[dict-item]
    tree.Rounded: Lowering._rounded,  # type: ignore[dict-item]
    tree.Choice: Lowering._choice,  # type: ignore[dict-item]
    tree.Extreme: Lowering._extreme,  # type: ignore[dict-item]
    tree.Span: Lowering._span,  # type: ignore[dict-item]
    tree.Aggregate: Lowering._aggregate,  # type: ignore[dict-item]
    tree.Settled: Lowering._settled,  # type: ignore[dict-item]
    tree.Known: Lowering._known,  # type: ignore[dict-item]
}
