"""Checks a pack set whole: every place on every day on which something changes, over all values that facts can have."""

from collections.abc import Iterator

from services.shared.policy import tree
from services.shared.policy.abstract import UNTOLD, AbstractEvaluator, Range, Row
from services.shared.policy.evaluation import PackSet
from services.shared.policy.fault import PackFault
from services.shared.policy.open_value import OPEN, Unknown, unknown_parameter
from services.shared.policy.pack import Pack
from services.shared.policy.rulebook import Rule, Rulebook, edges, rulebook_of, sub_parameters
from services.shared.policy.schema import FRACTION
from services.shared.policy.text import Text
from services.shared.policy.tree import Node

LARGEST = 2**63 - 1
"""What 64 bits hold: a larger value would wrap in a column or in SQL."""

ANY_DATE: Range = (1949_10_01, 2999_12_31)
ANY_FACT = "any"

DIVIDES_BY_NOTHING = Text("除数可能为零", "it may divide by nothing"), Text("除以 max(..., 1)", "divide by max(..., 1)")
ROUNDS_A_NEGATIVE = (
    Text("取整的金额可能为负", "it may round a negative amount"),
    Text("在差的外面加上 max(..., 0)", "write max(..., 0) around the difference"),
)
OVERFLOWS = (
    Text("值可能超出 64 位整数", "a value may be larger than 64 bits hold"),
    Text("先取整再相乘，或给因数设上限", "round before multiplying, or bound a factor"),
)
UNUSED = Text("没有规则用到它", "no rule uses it"), Text("删除它，或写出用到它的规则", "remove it, or write the rule")


def faults_of(packs: PackSet) -> Iterator[PackFault]:
    """Everything wrong with the packs: names, kinds, units, circles, overflow, negative division, unused parameters.

    A chain that cannot be read on a day yields its first fault; each fault is given once.
    """
    given: set[str] = set()
    for pack in packs.packs:
        for fault in _faults_of_place(packs, pack):
            if str(fault) not in given:
                given.add(str(fault))
                yield fault


def check(packs: PackSet) -> None:
    """Raise the first of `faults_of`; a service calls this when it starts."""
    for fault in faults_of(packs):
        raise fault


def _faults_of_place(packs: PackSet, pack: Pack) -> Iterator[PackFault]:
    try:
        chain = packs.chain(pack.jurisdiction)
    except PackFault as fault:
        yield fault
        return
    if pack.parent is not None and pack.parent not in {other.id for other in chain[1:]}:
        problem = Text(f"上级规则包 {pack.parent} 不属于其上级地区", f"its parent {pack.parent} is not above its place")
        yield PackFault(pack.id, "pack.toml", 0, problem, Text("写上级地区的规则包", "name a pack above"))
    books = []
    for day in edges(chain):
        try:
            books.append(rulebook_of(packs.schema, chain, day))
        except PackFault as fault:
            yield fault
    yield from _unused(pack, books)
    for book in _different(books):
        yield from _Bounds(book).faults()


def _different(books: list[Rulebook]) -> Iterator[Rulebook]:
    """Books whose rules differ; figures alone change nothing here, since all values are tried."""
    seen: set[tuple[Node, ...]] = set()
    for book in books:
        nodes = tuple(rule.node for rule in book.rules.values())
        if nodes not in seen:
            seen.add(nodes)
            yield book


def _unused(pack: Pack, books: list[Rulebook]) -> Iterator[PackFault]:
    used = {name for book in books for rule in book.rules.values() for name in sub_parameters(rule.node)}
    for name in pack.declarations:
        if name not in used and books:
            yield PackFault(pack.id, f"parameter {name}", 0, *UNUSED)


class _Bounds:
    """Ranges of every value over any facts and figures."""

    def __init__(self, book: Rulebook) -> None:
        self._book = book
        anything = {name: {codes: unknown_parameter(name) for codes in table} for name, table in book.figures.items()}
        held = dict.fromkeys(book.declarations)
        self._values = AbstractEvaluator(book, anything, held, ANY_DATE, lambda rule, row: OPEN)
        self._rows: dict[str, Row] = {}
        for entity in book.schema.entities:
            parent = self._rows[entity.parent] if entity.parent else None
            indices = (*parent.indices, UNTOLD) if parent else ()
            self._rows[entity.name] = Row(entity.name, Unknown(ANY_FACT), parent, indices)

    def faults(self) -> Iterator[PackFault]:
        for rule in self._book.rules.values():
            yield from self._node(rule, rule.node, self._rows[rule.entity])

    def _node(self, rule: Rule, node: Node, row: Row) -> Iterator[PackFault]:
        below = self._rows[node.entity] if isinstance(node, tree.Aggregate) else row
        for child in tree.children_of(node):
            yield from self._node(rule, child, below)
        problem = self._problem(node, row)
        if problem is not None:
            yield PackFault(rule.pack, f"rule {rule.id}", 0, *problem)

    def _problem(self, node: Node, row: Row) -> tuple[Text, Text] | None:
        if isinstance(node, tree.Quotient) and self._values.node(node.divisor, row)[0][0] < 1:
            return DIVIDES_BY_NOTHING
        if isinstance(node, tree.Rounded) and self._values.ratio(node.operand, row)[0][0] < 0:
            return ROUNDS_A_NEGATIVE
        if any(abs(bound) > LARGEST for size in self._sizes(node, row) for bound in size):
            return OVERFLOWS
        return None

    def _sizes(self, node: Node, row: Row) -> Iterator[Range]:
        """The ranges of everything that computing the node holds on the way."""
        if isinstance(node, tree.Comparison) and FRACTION in (node.left.kind, node.right.kind):
            left, left_divisor, _ = self._values.ratio(node.left, row)
            right, right_divisor, _ = self._values.ratio(node.right, row)
            yield left[0] * right_divisor[1], left[1] * right_divisor[1]
            yield right[0] * left_divisor[1], right[1] * left_divisor[1]
        elif isinstance(node, tree.Rounded):
            amount, divisor, _ = self._values.ratio(node.operand, row)
            yield 2 * amount[0], 2 * amount[1] + divisor[1] * node.unit_fen
        elif isinstance(node, tree.Arithmetic) or (isinstance(node, tree.Aggregate) and node.operator == "sum"):
            yield self._values.node(node, row)[0]
