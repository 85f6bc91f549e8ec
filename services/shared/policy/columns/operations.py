"""What a rule does to whole columns: a few operations on 64-bit integers and truth values, each told once."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from services.shared.policy.columns.places import NotInOneKernel
from services.shared.policy.schema import Schema

Number = int
"""An operation by its number in the graph: what it yields is one value a row of its entity."""

FAR = 2**62
"""Beyond every value of a rule: where the least or greatest of no rows begins."""
LARGEST = 2**63 - 1

UNKNOWN = "unknown"
"""Written in `fact_is` for the mark of a fact that nobody told."""

TRUTHS = frozenset({"lt", "le", "eq", "and", "or", "not", "is_untold", "fact_is", "parameter_is", "any"})
"""The operations that yield a truth value; the others yield a whole number."""

REDUCTIONS = frozenset({"sum", "any", "min", "max"})
"""Operations over the rows of a child entity; they yield one value a row of the parent."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: on what, with which written values, for the rows of which entity; numbers lie in least..most.

    `entity` is "" for what is the same for every row.
    """

    name: str
    of: tuple[Number, ...]
    written: tuple[int | str, ...]
    entity: str
    least: int
    most: int

    @property
    def is_truth(self) -> bool:
        """Whether it yields true or false."""
        return self.name in TRUTHS or (self.name in ("const", "same") and self.least == self.most == TRUTH)


TRUTH = FAR + 1
"""Stands in `least` and `most` of what is true or false, so that a number is never taken for it."""


class Graph:
    """Operations, each once: what two rules have in common is computed once for both.

    Raises NotInOneKernel for a number that 64 bits may not hold: packs that were never checked may have one.
    """

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.operations: list[Operation] = []
        self._numbers: dict[Operation, Number] = {}
        self._depth = {"": 0, **{entity.name: len(schema.lineage(entity.name)) for entity in schema.entities}}
        self.true, self.false = self._truth("const", (), (1,)), self._truth("const", (), (0,))

    def __getitem__(self, number: Number) -> Operation:
        return self.operations[number]

    # --- leaves ------------------------------------------------------------------------------------------------

    def const(self, value: int) -> Number:
        """A written number."""
        return self._add("const", (), (value,), "", value, value)

    def fact(self, entity: str, position: int, least: int, most: int) -> Number:
        """A fact that is a number, as it lies in its column: the mark of the unknown may be among the values."""
        return self._add("fact", (), (entity, position), entity, least, most)

    def fact_is(self, entity: str, position: int, value: int | str) -> Number:
        """Whether the column of a fact holds this very value, or UNKNOWN."""
        return self._add("fact_is", (), (entity, position, value), entity, TRUTH, TRUTH)

    def fact_code(self, entity: str, position: int, every: int) -> Number:
        """A fact that is a code, as the set of it alone."""
        return self._add("fact_code", (), (entity, position), entity, 1, every)

    def is_untold(self, entity: str) -> Number:
        """Whether the row stands for those of the list that nobody told."""
        return self._add("is_untold", (), (entity,), entity, TRUTH, TRUTH)

    def parameter(self, slot: int, least: int, most: int) -> Number:
        """A number in the row of the household's place."""
        return self._add("parameter", (), (slot,), "", least, most)

    def parameter_is(self, slot: int) -> Number:
        """A truth in the row of the household's place."""
        return self._add("parameter_is", (), (slot,), "", TRUTH, TRUTH)

    # --- numbers -----------------------------------------------------------------------------------------------

    def add(self, left: Number, right: Number) -> Number:
        a, b = self[left], self[right]
        if a.name == "const" and not a.written[0]:
            return right
        if b.name == "const" and not b.written[0]:
            return left
        return self._folded("add", left, right, a.least + b.least, a.most + b.most)

    def sub(self, left: Number, right: Number) -> Number:
        a, b = self[left], self[right]
        if b.name == "const" and not b.written[0]:
            return left
        return self._folded("sub", left, right, a.least - b.most, a.most - b.least)

    def mul(self, left: Number, right: Number) -> Number:
        a, b = self[left], self[right]
        if a.name == "const" and a.written[0] == 1:
            return right
        if b.name == "const" and b.written[0] == 1:
            return left
        products = [x * y for x in (a.least, a.most) for y in (b.least, b.most)]
        return self._folded("mul", left, right, min(products), max(products))

    def div(self, left: Number, right: Number) -> Number:
        """Rounded down, also below nought; the divisor is at least 1."""
        a, b = self[left], self[right]
        if b.name == "const" and b.written[0] == 1:
            return left
        assert b.least >= 1, "a divisor may be nought"
        quotients = [x // y for x in (a.least, a.most) for y in (b.least, b.most)]
        return self._folded("div", left, right, min(quotients), max(quotients))

    def least(self, numbers: Iterable[Number]) -> Number:
        return self._extreme("least", numbers)

    def greatest(self, numbers: Iterable[Number]) -> Number:
        return self._extreme("greatest", numbers)

    def _extreme(self, name: str, numbers: Iterable[Number]) -> Number:
        first, *others = dict.fromkeys(numbers)
        for other in others:
            a, b = self[first], self[other]
            pick = min if name == "least" else max
            above, below = (first, other) if name == "greatest" else (other, first)
            if self[above].least >= self[below].most:
                first = above if name == "greatest" else below
                continue
            first = self._folded(name, first, other, pick(a.least, b.least), pick(a.most, b.most))
        return first

    def bits(self, left: Number, right: Number) -> Number:
        """The codes that are in both sets."""
        if left == right:
            return left
        a, b = self[left], self[right]
        return self._folded("bits", left, right, 0, max(a.most, b.most))

    def either(self, left: Number, right: Number) -> Number:
        """The codes that are in one of the sets."""
        a, b = self[left], self[right]
        if a.name == "const" and not a.written[0]:
            return right
        if left == right or (b.name == "const" and not b.written[0]):
            return left
        return self._folded("either", left, right, 0, (1 << max(a.most, b.most).bit_length()) - 1)

    def pick(self, condition: Number, then: Number, otherwise: Number) -> Number:
        """`then` where the condition holds, `otherwise` where not: both are computed."""
        if condition == self.true or then == otherwise:
            return then
        if condition == self.false:
            return otherwise
        if self[condition].name == "not":
            return self.pick(self[condition].of[0], otherwise, then)
        a, b = self[then], self[otherwise]
        if a.is_truth:
            return self.either_way(condition, then, otherwise)
        return self._add("pick", (condition, then, otherwise), (), "", min(a.least, b.least), max(a.most, b.most))

    def either_way(self, condition: Number, then: Number, otherwise: Number) -> Number:
        """`pick` of truth values."""
        return self.any_of(self.all_of(condition, then), self.all_of(self.no(condition), otherwise))

    # --- truths ------------------------------------------------------------------------------------------------

    def lt(self, left: Number, right: Number) -> Number:
        a, b = self[left], self[right]
        if a.most < b.least:
            return self.true
        return self.false if a.least >= b.most else self._truth("lt", (left, right))

    def le(self, left: Number, right: Number) -> Number:
        return self.no(self.lt(right, left))

    def eq(self, left: Number, right: Number) -> Number:
        if left == right:
            return self.true
        a, b = self[left], self[right]
        if a.most < b.least or b.most < a.least:
            return self.false
        return self._truth("eq", (min(left, right), max(left, right)))

    def no(self, truth: Number) -> Number:
        if truth in (self.true, self.false):
            return self.false if truth == self.true else self.true
        return self[truth].of[0] if self[truth].name == "not" else self._truth("not", (truth,))

    def all_of(self, *truths: Number) -> Number:
        return self._joined("and", self.true, self.false, truths)

    def any_of(self, *truths: Number) -> Number:
        return self._joined("or", self.false, self.true, truths)

    def _joined(self, name: str, neutral: Number, decisive: Number, truths: Iterable[Number]) -> Number:
        joined = neutral
        for truth in truths:
            if truth == decisive or joined == decisive or truth == self.no(joined):
                joined = decisive
            elif joined == neutral:
                joined = truth
            elif truth not in (neutral, joined):
                joined = self._truth(name, (joined, truth))
        return joined

    def at(self, entity: str, number: Number) -> Number:
        """The same value, once for every row of the entity."""
        of = self[number]
        is_there = of.entity == entity and not of.name.startswith("fact")
        return number if is_there else self._add("same", (number,), (), entity, of.least, of.most)

    def within(self, number: Number, least: int, most: int) -> Number:
        """The same value, of which it is known from elsewhere that it lies in least..most."""
        return self._add("same", (number,), (), "", least, most)

    # --- over rows ---------------------------------------------------------------------------------------------

    def reduce(self, name: str, child: str, number: Number, most_rows: int) -> Number:
        """`sum`, `any`, `min` or `max` over the rows of `child` in a row of its parent.

        Of no rows: nought, false, and for min and max a number farther than any.
        """
        parent = self.schema.by_name[child].parent
        assert parent is not None
        of = self[number]
        if name == "any":
            return number if number == self.false else self._reduction(name, child, number, parent, TRUTH, TRUTH)
        if of.name == "const" and not of.written[0] and name == "sum":
            return number
        if name == "sum":
            return self._reduction(
                name, child, number, parent, min(0, of.least) * most_rows, max(0, of.most) * most_rows
            )
        return self._reduction(name, child, number, parent, min(of.least, -FAR), max(of.most, FAR))

    def _reduction(self, name: str, child: str, number: Number, parent: str, least: int, most: int) -> Number:
        return self._add(name, (number,), (child,), parent, least, most)

    # --- one operation -----------------------------------------------------------------------------------------

    def _folded(self, name: str, left: Number, right: Number, least: int, most: int) -> Number:
        a, b = self[left], self[right]
        if a.name == b.name == "const":
            return self.const(_COMPUTED[name](int(a.written[0]), int(b.written[0])))
        return self._add(name, (left, right), (), "", least, most)

    def _truth(self, name: str, of: tuple[Number, ...], written: tuple[int | str, ...] = ()) -> Number:
        return self._add(name, of, written, "", TRUTH, TRUTH)

    def _add(
        self, name: str, of: tuple[Number, ...], written: tuple[int | str, ...], entity: str, least: int, most: int
    ) -> Number:
        if not entity and of:
            entity = max((self[part].entity for part in of), key=self._depth.__getitem__)
        if least < -LARGEST or most > LARGEST:
            raise NotInOneKernel("a number may be larger than 64 bits hold")
        operation = Operation(name, of, written, entity, least, most)
        number = self._numbers.setdefault(operation, len(self.operations))
        if number == len(self.operations):
            self.operations.append(operation)
        return number


_COMPUTED: Mapping[str, Callable[[int, int], int]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a // b,
    "least": min,
    "greatest": max,
    "bits": lambda a, b: a & b,
    "either": lambda a, b: a | b,
}
