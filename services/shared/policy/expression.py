"""Reads a rule's expression: a small part of Python's grammar, checked node by node, into the typed tree."""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NoReturn

from services.shared.policy import tree
from services.shared.policy.fault import PackFault
from services.shared.policy.schema import (
    BOOL,
    DATE,
    FRACTION,
    INT,
    MONEY,
    MONTHS,
    NUMBERS,
    RATE,
    RATE_SCALE,
    TEXT,
    Kind,
    Schema,
)
from services.shared.policy.text import Text, one_of, written_as
from services.shared.policy.tree import Node
from services.shared.vocabulary.money import NotMoney, fen_of

MAX_CHARACTERS = 2_000
MAX_NODES = 300
MAX_DEPTH = 24
MAX_INTEGER = 10**12
RATE_PLACES, MAX_RATE = 4, 1_000 * RATE_SCALE

ROUNDING_UNITS_FEN = {"fen": 1, "jiao": 10, "yuan": 100}
ROUNDINGS = {"floor_to": "floor", "ceil_to": "ceil", "half_up_to": "half_up"}
AGGREGATES = frozenset({"sum", "count", "any", "all", "min", "max"})

_COMPARISONS: dict[type, str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
_ARITHMETIC: dict[type, str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}
_ADDABLE = frozenset({INT, MONEY, MONTHS})

NO_EXPRESSION = Text("这不是表达式", "this is not an expression")
ROUND_FIRST = Text("先取整", "round fractions first")
SEE_THE_FUNCTIONS = Text("参见函数表", "see the list of functions")


@dataclass(frozen=True, slots=True)
class RuleSignature:
    """What other rules may know of a rule: for which entity it has a value, and of which kind."""

    entity: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class ParameterSignature:
    """What rules may know of a parameter: its kind, and the facts or rules that choose its row, by key column."""

    kind: Kind
    keys: Mapping[str, Node]


class Readings:
    """Trees of expressions read before, for other days and places: read again only where a name means something new."""

    def __init__(self) -> None:
        self._read: dict[tuple[str, str, Kind | None], tuple[Node, Mapping[str, object]]] = {}

    def find(self, text: str, entity: str, kind: Kind | None, names: "Declarations") -> Node | None:
        """The tree, None when it was not read or a name in it means something else now."""
        node, meanings = self._read.get((text, entity, kind), (None, {}))
        if node is not None and all(names.meaning(name) == meaning for name, meaning in meanings.items()):
            return node
        return None

    def keep(self, text: str, entity: str, kind: Kind | None, names: "Declarations", node: Node) -> None:
        """Remember the tree and what its names mean."""
        used = {_name_of(part) for part in tree.walk(node) if isinstance(part, _NAMED)}
        self._read[text, entity, kind] = node, {name: names.meaning(name) for name in used}


@dataclass(frozen=True, slots=True)
class Declarations:
    """Every name that an expression may use on a day; `other_days` are the rules that are in force on others only."""

    schema: Schema
    rules: Mapping[str, RuleSignature]
    parameters: Mapping[str, ParameterSignature]
    on: date | None = None
    other_days: frozenset[str] = frozenset()
    readings: Readings = field(default_factory=Readings, compare=False)

    def meaning(self, name: str) -> RuleSignature | ParameterSignature | None:
        """What a name of no fact stands for, None when for nothing."""
        return self.parameters.get(name) or self.rules.get(name)


def read_value(text: str, entity: str, names: Declarations, pack: str, where: str) -> Node:
    """The typed tree of `text`, of whatever kind it is. Raises PackFault as `read_expression` does."""
    return _read(text, entity, None, names, pack, where)


def read_expression(text: str, kind: Kind, entity: str, names: Declarations, pack: str, where: str) -> Node:
    """The typed tree of `text`, which must be of `kind` for a row of `entity`.

    Raises PackFault, naming pack, place and column, for anything outside the grammar, an unknown name, a unit that
    does not fit or an expression that is too large.
    """
    return _read(text, entity, kind, names, pack, where)


def _read(text: str, entity: str, kind: Kind | None, names: Declarations, pack: str, where: str) -> Node:
    node = names.readings.find(text, entity, kind, names)
    if node is None:
        reader = _Reader(names, frozenset(names.schema.lineage(entity)), pack, where, text)
        parsed = reader.parse()
        node = reader.read(parsed)
        node = node if kind is None else reader.as_kind(node, kind, parsed)
        names.readings.keep(text, entity, kind, names, node)
    return node


_NAMED = (tree.RuleRef, tree.ParameterRef, tree.Held)


def _name_of(node: Node) -> str:
    return node.rule if isinstance(node, tree.RuleRef) else node.name  # type: ignore[union-attr]


class _Reader:
    def __init__(self, names: Declarations, scope: frozenset[str], pack: str, where: str, text: str) -> None:
        self._names, self._scope = names, scope
        self._pack, self._where = pack, where
        self._text = text.replace("\n", " ").replace("\t", " ")

    def parse(self) -> ast.expr:
        """Python's own tree of the text, after its size was bounded."""
        if len(self._text) > MAX_CHARACTERS:
            self._refuse(
                None,
                Text(
                    f"表达式超过 {MAX_CHARACTERS} 个字符", f"the expression is longer than {MAX_CHARACTERS} characters"
                ),
                Text("拆分该规则", "split the rule"),
            )
        try:
            parsed = ast.parse(f"({self._text})", mode="eval").body
        except SyntaxError as error:
            offset = max((error.offset or 1) - 1, 1)
            remedy = Text("检查是否漏了括号或运算符", "look for a missing bracket or operator")
            raise PackFault(self._pack, self._where, offset, NO_EXPRESSION, remedy) from None
        except (ValueError, RecursionError, MemoryError):
            remedy = Text("用普通文本书写，减少嵌套", "write it as plain text, less deeply nested")
            self._refuse(None, NO_EXPRESSION, remedy)
        self._bound(parsed)
        return parsed

    def _bound(self, parsed: ast.expr) -> None:
        frontier: list[ast.AST] = [parsed]
        count = depth = 0
        while frontier:
            count, depth = count + len(frontier), depth + 1
            if count > MAX_NODES or depth > MAX_DEPTH:
                problem = Text("表达式过大或嵌套过深", "the expression is too large or too deep")
                self._refuse(parsed, problem, Text("拆成几条规则", "split it into several rules"))
            frontier = [
                child
                for node in frontier
                for child in ast.iter_child_nodes(node)
                if isinstance(child, ast.expr | ast.comprehension)
            ]

    def _refuse(self, at: ast.AST | None, problem: Text, remedy: Text) -> NoReturn:
        column = 0
        if at is not None and hasattr(at, "col_offset"):
            column = len(f"({self._text})".encode()[: at.col_offset].decode(errors="ignore"))
        raise PackFault(self._pack, self._where, max(column, 0), problem, remedy)

    # --- reading -----------------------------------------------------------------------------------------------

    def read(self, at: ast.AST) -> Node:
        """The typed node of one Python node. Raises PackFault for a node that the language does not have."""
        reader: Callable[[_Reader, ast.AST], Node] | None = _READERS.get(type(at))
        if reader is None:
            name = type(at).__name__
            problem = Text(f"规则语言中没有 {name}", f"{name} is not part of the rule language")
            self._refuse(at, problem, Text("参见规则语言说明", "see the language reference"))
        return reader(self, at)

    def _constant(self, at: ast.Constant) -> Node:
        value = at.value
        if isinstance(value, bool):
            return tree.Const(value, BOOL)
        if isinstance(value, int):
            if value > MAX_INTEGER:
                problem = Text("数字过大", "the number is too large")
                self._refuse(at, problem, Text(f"不要超过 {MAX_INTEGER}", f"do not exceed {MAX_INTEGER}"))
            return tree.Const(value, INT)
        if isinstance(value, str):
            return tree.Const(value, TEXT)
        self._refuse(
            at,
            Text(
                "只能直接写整数、True、False 和代码",
                "only whole numbers, True, False and codes may be written as they are",
            ),
            Text('使用 yuan("1.50") 或 rate("0.3")', 'use yuan("1.50") or rate("0.3")'),
        )

    def _name(self, at: ast.Name) -> Node:
        if at.id == "as_of":
            return tree.AsOf(DATE)
        if at.id in self._names.parameters:
            return self._parameter(at, at.id)
        if at.id in self._names.rules:
            return self._rule(at, at.id)
        remedy = Text("声明该参数，或写成“对象.事实”", "declare the parameter, or write entity.fact")
        self._refuse_name(at, at.id, remedy)

    def _attribute(self, at: ast.Attribute) -> Node:
        dotted = _dotted(at)
        if dotted is None:
            problem = Text("只有“对象.事实”和规则名可以带点", "only entity.fact and rule names have a dot")
            self._refuse(at, problem, Text("写出完整的名称", "write the name in full"))
        first, _, rest = dotted.partition(".")
        if first in self._names.schema.by_name:
            return self._fact(at, first, rest)
        if dotted in self._names.rules:
            return self._rule(at, dotted)
        self._refuse_name(at, dotted, Text("核对拼写，或补上该规则", "check the spelling, or add the rule"))

    def _refuse_name(self, at: ast.AST, name: str, remedy: Text) -> NoReturn:
        if name not in self._names.other_days:
            self._refuse(at, Text(f"没有 {name} 这个名称", f"the name {name} is not known"), remedy)
        on = self._names.on
        problem = Text(f"{on} 规则 {name} 尚未生效或已失效", f"on {on} the rule {name} is not in force")
        same_days = Text("让两条规则的起止日期一致", "let both rules be in force on the same days")
        self._refuse(at, problem, same_days)

    def _fact(self, at: ast.AST, entity: str, name: str) -> Node:
        declared = self._names.schema.by_name[entity]
        position = declared.position.get(name)
        if position is None:
            problem = Text(f"{entity} 没有事实 {name}", f"{entity} has no fact {name}")
            self._refuse(at, problem, Text("对照事实表核对拼写", "check the spelling against the list of facts"))
        self._in_scope(at, entity, f"{entity}.{name}")
        return tree.FactRef(entity, name, position, declared.facts[position].kind)

    def _rule(self, at: ast.AST, rule: str) -> Node:
        signature = self._names.rules[rule]
        self._in_scope(at, signature.entity, rule)
        return tree.RuleRef(rule, signature.entity, signature.kind)

    def _parameter(self, at: ast.AST, name: str) -> Node:
        signature = self._names.parameters[name]
        for key in signature.keys.values():
            for node in tree.walk(key):
                if isinstance(node, tree.FactRef | tree.RuleRef):
                    self._in_scope(at, node.entity, name)
        return tree.ParameterRef(name, tuple(signature.keys.values()), signature.kind)

    def _in_scope(self, at: ast.AST, entity: str, name: str) -> None:
        if entity not in self._scope:
            plural = self._names.schema.by_name[entity].plural
            self._refuse(
                at,
                Text(
                    f"{name} 是每个 {entity} 各有的值，而本规则不针对单个 {entity}",
                    f"{name} is a value of each {entity}, and this rule stands for no single {entity}",
                ),
                Text(f"用汇总写法：any(... for {entity} in {plural})", f"gather it: any(... for {entity} in {plural})"),
            )

    def _unary(self, at: ast.UnaryOp) -> Node:
        if not isinstance(at.op, ast.Not):
            problem = Text("值的前面只能写 not", "only `not` may stand before a value")
            self._refuse(at, problem, Text("差写成 max(a - b, 0)", "write max(a - b, 0) for a difference"))
        return tree.Not(self.as_kind(self.read(at.operand), BOOL, at.operand), BOOL)

    def _junction(self, at: ast.BoolOp) -> Node:
        operands = tuple(self.as_kind(self.read(value), BOOL, value) for value in at.values)
        return tree.Junction("and" if isinstance(at.op, ast.And) else "or", operands, BOOL)

    def _comparison(self, at: ast.Compare) -> Node:
        left_at, steps = at.left, []
        for operator, right_at in zip(at.ops, at.comparators, strict=True):
            steps.append(self._one_comparison(operator, left_at, right_at))
            left_at = right_at
        return steps[0] if len(steps) == 1 else tree.Junction("and", tuple(steps), BOOL)

    def _one_comparison(self, operator: ast.cmpop, left_at: ast.expr, right_at: ast.expr) -> Node:
        if isinstance(operator, ast.In | ast.NotIn):
            found = self._among(left_at, right_at)
            return found if isinstance(operator, ast.In) else tree.Not(found, BOOL)
        symbol = _COMPARISONS.get(type(operator))
        if symbol is None:
            problem = Text("规则语言中没有这种比较", "this comparison is not part of the rule language")
            self._refuse(right_at, problem, one_of(("==", "!=", "<", "<=", ">", ">=", "in")))
        left, right = self._alike(self.read(left_at), self.read(right_at), left_at, right_at)
        self._check_comparable(left, symbol, left_at)
        return tree.Comparison(symbol, left, right, BOOL)

    def _check_comparable(self, left: Node, symbol: str, left_at: ast.expr) -> None:
        if left.kind == BOOL:
            problem = Text("真假值不作比较", "truth values are not compared")
            remedy = Text("直接写条件，或在前面加 not", "write the condition itself, or `not` before it")
            self._refuse(left_at, problem, remedy)
        if left.kind not in NUMBERS and symbol not in ("==", "!="):
            self._refuse(left_at, Text("代码没有大小之分", "codes have no order"), one_of(("==", "!=", "in")))

    def _among(self, left_at: ast.expr, right_at: ast.expr) -> Node:
        operand = self.read(left_at)
        if not isinstance(right_at, ast.Tuple | ast.List | ast.Set):
            problem = Text("in 后面要直接写出列表", "`in` needs a written list")
            self._refuse(right_at, problem, written_as('in ("a", "b")'))
        values = []
        for item in right_at.elts:
            constant = self.as_kind(self.read(item), operand.kind, item)
            if not isinstance(constant, tree.Const):
                problem = Text("列表里只能直接写值", "only written values may stand in the list")
                self._refuse(item, problem, Text("改用 == 和 or", "use == with `or`"))
            values.append(constant.value)
        return tree.Among(operand, tuple(values), BOOL)

    def _arithmetic(self, at: ast.BinOp) -> Node:
        left, right = self.read(at.left), self.read(at.right)
        if isinstance(at.op, ast.Div):
            divisor = self.as_kind(right, INT, at.right)
            return tree.Quotient(self._amount(left, at.left), divisor, FRACTION)
        symbol = _ARITHMETIC.get(type(at.op))
        if symbol is None:
            problem = Text("规则语言中没有这个运算符", "this operator is not part of the rule language")
            self._refuse(at, problem, Text("使用 + - * / 和取整函数", "use + - * / and the rounding functions"))
        if symbol == "*":
            return self._product(at, left, right)
        left, right = self._alike(left, right, at.left, at.right)
        if left.kind not in _ADDABLE:
            problem = Text(f"{left.kind.zh}不能相加减", f"values of kind {left.kind} are not added")
            self._refuse(at, problem, ROUND_FIRST)
        return tree.Arithmetic(symbol, left, right, left.kind)

    def _product(self, at: ast.BinOp, left: Node, right: Node) -> Node:
        kinds = (left.kind, right.kind)
        if kinds in ((MONEY, INT), (INT, MONEY), (INT, INT)):
            return tree.Arithmetic("*", left, right, MONEY if MONEY in kinds else INT)
        if right.kind == RATE and left.kind in (MONEY, FRACTION):
            return tree.Share(left, right, FRACTION)
        if left.kind == RATE and right.kind in (MONEY, FRACTION):
            return tree.Share(right, left, FRACTION)
        problem = Text(f"{left.kind.zh}乘以{right.kind.zh}没有单位", f"{left.kind} * {right.kind} has no unit")
        remedy = Text("金额只能乘以整数或比例", "multiply money by a whole number or by a rate")
        self._refuse(at, problem, remedy)

    def _amount(self, node: Node, at: ast.AST) -> Node:
        return node if node.kind == FRACTION else self.as_kind(node, MONEY, at)

    def _choice(self, at: ast.IfExp) -> Node:
        condition = self.as_kind(self.read(at.test), BOOL, at.test)
        then, otherwise = self._alike(self.read(at.body), self.read(at.orelse), at.body, at.orelse)
        if FRACTION in (then.kind, otherwise.kind):
            problem = Text("未取整的金额不能用于二选一", "a fraction of money is not chosen between")
            self._refuse(at, problem, Text("先对两边取整", "round each side first"))
        return tree.Choice(condition, then, otherwise, then.kind)

    def _call(self, at: ast.Call) -> Node:
        if not isinstance(at.func, ast.Name) or at.keywords:
            self._refuse(
                at,
                Text(
                    "只能调用规则语言的函数，且不写参数名",
                    "only the language's functions may be called, without names for arguments",
                ),
                SEE_THE_FUNCTIONS,
            )
        name = at.func.id
        if name in AGGREGATES and len(at.args) == 1 and isinstance(at.args[0], ast.GeneratorExp):
            return self._aggregate(name, at.args[0])
        function = _FUNCTIONS.get(name)
        if function is None:
            problem = Text(f"规则语言中没有函数 {name}", f"{name} is not a function of the rule language")
            self._refuse(at, problem, SEE_THE_FUNCTIONS)
        return function(self, at, name)

    def _aggregate(self, operator: str, at: ast.GeneratorExp) -> Node:
        entity, condition_at = self._generator(at)
        # What is gathered may not lean on a row outside the list's own line, so that each gathering is computed once.
        inner = _Reader(self._names, frozenset(self._names.schema.lineage(entity)), self._pack, self._where, self._text)
        condition = inner.as_kind(inner.read(condition_at), BOOL, condition_at) if condition_at else None
        operand = inner.read(at.elt)
        if operator in ("any", "all", "count"):
            operand = inner.as_kind(operand, BOOL, at.elt)
            return tree.Aggregate(operator, entity, operand, condition, INT if operator == "count" else BOOL)
        if operand.kind not in _ADDABLE:
            remedy = Text("只汇总金额或整数", "gather money or whole numbers")
            self._refuse(at.elt, _meaningless(operator, operand.kind), remedy)
        return tree.Aggregate(operator, entity, operand, condition, operand.kind)

    def _generator(self, at: ast.GeneratorExp) -> tuple[str, ast.expr | None]:
        loop = at.generators[0]
        conditions = loop.ifs
        well_formed = (
            len(at.generators) == 1
            and len(conditions) <= 1
            and not loop.is_async
            and isinstance(loop.target, ast.Name)
            and isinstance(loop.iter, ast.Name)
        )
        if not well_formed:
            problem = Text("汇总只能有一个循环、至多一个条件", "a gathering has one loop and at most one condition")
            self._refuse(at, problem, written_as("for member in members if ..."))
        entity, plural = loop.target.id, loop.iter.id  # type: ignore[attr-defined]
        declared = self._names.schema.by_name.get(entity)
        if declared is None or declared.plural != plural or declared.parent not in self._scope or entity in self._scope:
            problem = Text(
                f"此处没有 `for {entity} in {plural}` 这样的列表", f"`for {entity} in {plural}` names no list here"
            )
            remedy = Text("对本规则所针对对象的列表循环", "loop over a list of what the rule is for")
            self._refuse(at, problem, remedy)
        return entity, (conditions[0] if conditions else None)

    # --- functions ---------------------------------------------------------------------------------------------

    def _extreme(self, at: ast.Call, name: str) -> Node:
        if len(at.args) < 2:
            problem = Text(f"{name} 需要两个值或一个汇总", f"{name} needs two values or a gathering")
            self._refuse(at, problem, written_as(f"{name}(a, b)"))
        operands = [self.read(argument) for argument in at.args]
        kind = next((operand.kind for operand in operands if not _is_zero(operand)), INT)
        if kind not in _ADDABLE:
            self._refuse(at, _meaningless(name, kind), ROUND_FIRST)
        pairs = zip(operands, at.args, strict=True)
        return tree.Extreme(name, tuple(self.as_kind(node, kind, where) for node, where in pairs), kind)

    def _rounded(self, at: ast.Call, name: str) -> Node:
        amount_at, unit_at = self._arguments(at, 2)
        unit = ROUNDING_UNITS_FEN.get(unit_at.id) if isinstance(unit_at, ast.Name) else None
        if unit is None:
            problem = Text("这不是取整单位", "this is not a unit to round to")
            self._refuse(unit_at, problem, one_of(ROUNDING_UNITS_FEN))
        return tree.Rounded(ROUNDINGS[name], unit, self._amount(self.read(amount_at), amount_at), MONEY)

    def _span(self, at: ast.Call, name: str) -> Node:
        unit, kind = ("months", MONTHS) if name == "months_between" else ("years", INT)
        if name == "age":
            (birth_at,) = self._arguments(at, 1)
            return tree.Span(unit, self.as_kind(self.read(birth_at), DATE, birth_at), tree.AsOf(DATE), kind)
        earlier_at, later_at = self._arguments(at, 2)
        earlier = self.as_kind(self.read(earlier_at), DATE, earlier_at)
        return tree.Span(unit, earlier, self.as_kind(self.read(later_at), DATE, later_at), kind)

    def _yuan(self, at: ast.Call, _: str) -> Node:
        try:
            return tree.Const(fen_of(self._written(at)), MONEY)
        except NotMoney:
            self._refuse(at, Text("这不是金额", "this is not an amount"), written_as('yuan("738.00")'))

    def _rate(self, at: ast.Call, _: str) -> Node:
        try:
            return tree.Const(rate_of(self._written(at)), RATE)
        except ValueError:
            remedy = Text('写成 rate("0.30")，至多四位小数', 'write it as rate("0.30"), at most four places')
            self._refuse(at, Text("这不是比例", "this is not a rate"), remedy)

    def _written(self, at: ast.Call) -> str:
        (argument,) = self._arguments(at, 1)
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            return argument.value
        problem = Text("这个函数需要直接写出的文本", "this function needs a written text")
        self._refuse(at, problem, Text('写成 yuan("738.00") 或 rate("0.30")', 'write yuan("738.00") or rate("0.30")'))

    def _settled(self, at: ast.Call, _: str) -> Node:
        (argument,) = self._arguments(at, 1)
        return tree.Settled(self.as_kind(self.read(argument), BOOL, argument), BOOL)

    def _known(self, at: ast.Call, _: str) -> Node:
        (argument,) = self._arguments(at, 1)
        return tree.Known(self.read(argument), BOOL)

    def _held(self, at: ast.Call, _: str) -> Node:
        (argument,) = self._arguments(at, 1)
        if not isinstance(argument, ast.Name) or argument.id not in self._names.parameters:
            problem = Text("held() 的括号里要写参数", "held() asks for a parameter")
            self._refuse(argument, problem, Text("写一个已声明的参数", "name a declared parameter"))
        return tree.Held(argument.id, BOOL)

    def _arguments(self, at: ast.Call, count: int) -> list[ast.expr]:
        if len(at.args) != count or any(isinstance(argument, ast.Starred) for argument in at.args):
            problem = Text(f"这个函数需要 {count} 个值", f"this function takes {count} value(s)")
            self._refuse(at, problem, SEE_THE_FUNCTIONS)
        return at.args

    # --- kinds -------------------------------------------------------------------------------------------------

    def as_kind(self, node: Node, kind: Kind, at: ast.AST) -> Node:
        """The node as `kind`: zero is an amount too, and a written code takes the codes it is compared with."""
        if node.kind == kind or (kind == FRACTION and node.kind == MONEY):
            return node
        if isinstance(node, tree.Const):
            return self._constant_as(node, kind, at)
        if isinstance(node, tree.Choice):
            then, otherwise = self.as_kind(node.then, kind, at), self.as_kind(node.otherwise, kind, at)
            return replace(node, then=then, otherwise=otherwise, kind=kind)
        if kind.codes and node.kind.codes and set(node.kind.codes) <= set(kind.codes):
            return node
        self._refuse_kind(at, node.kind, kind)

    def _constant_as(self, node: tree.Const, kind: Kind, at: ast.AST) -> Node:
        if (_is_zero(node) and kind in (MONEY, FRACTION)) or (node.kind == INT and kind == MONTHS):
            return tree.Const(node.value, MONEY if kind == FRACTION else kind)
        if node.kind == TEXT and kind.codes:
            if node.value not in kind.codes:
                self._refuse(at, Text("此处没有这个代码", "this code does not exist here"), one_of(kind.codes))
            return tree.Const(node.value, kind)
        self._refuse_kind(at, node.kind, kind)

    def _refuse_kind(self, at: ast.AST, found: Kind, needed: Kind) -> NoReturn:
        problem = Text(
            f"此处需要{needed.zh}，写的却是{found.zh}",
            f"a value of kind {found} stands where {needed} is needed",
        )
        self._refuse(at, problem, Text("检查单位", "check the units"))

    def _alike(self, left: Node, right: Node, left_at: ast.AST, right_at: ast.AST) -> tuple[Node, Node]:
        if left.kind == right.kind:
            return left, right
        if FRACTION in (left.kind, right.kind):
            return self.as_kind(left, FRACTION, left_at), self.as_kind(right, FRACTION, right_at)
        if left.kind.codes and right.kind.codes:
            return left, right
        if (isinstance(left, tree.Const) and not _is_zero(right)) or left.kind == TEXT:
            return self.as_kind(left, right.kind, left_at), right
        return left, self.as_kind(right, left.kind, right_at)


def rate_of(text: str) -> int:
    """The ten-thousandths in a decimal such as "1.5" (15000). Raises ValueError beyond four places, or a sign."""
    whole, _, places = text.partition(".")
    digits = whole + places
    if not (digits.isascii() and digits.isdecimal() and whole and len(whole) <= 4 and len(places) <= RATE_PLACES):
        raise ValueError("a rate is a decimal such as 0.60, of at most four places")
    rate = int(digits) * 10 ** (RATE_PLACES - len(places))
    if rate > MAX_RATE:
        raise ValueError("a rate lies in 0 to 1000")
    return rate


def _meaningless(operator: str, kind: Kind) -> Text:
    return Text(f"对{kind.zh}求 {operator} 没有意义", f"{operator} of {kind} has no meaning")


def _is_zero(node: Node) -> bool:
    return isinstance(node, tree.Const) and node.kind == INT and node.value == 0


def _dotted(at: ast.AST) -> str | None:
    if isinstance(at, ast.Name):
        return at.id
    if isinstance(at, ast.Attribute):
        before = _dotted(at.value)
        return None if before is None else f"{before}.{at.attr}"
    return None


_READERS: dict[type, Callable[["_Reader", ast.AST], Node]] = {
    ast.Constant: _Reader._constant,  # type: ignore[dict-item]
    ast.Name: _Reader._name,  # type: ignore[dict-item]
    ast.Attribute: _Reader._attribute,  # type: ignore[dict-item]
    ast.UnaryOp: _Reader._unary,  # type: ignore[dict-item]
    ast.BoolOp: _Reader._junction,  # type: ignore[dict-item]
    ast.Compare: _Reader._comparison,  # type: ignore[dict-item]
    ast.BinOp: _Reader._arithmetic,  # type: ignore[dict-item]
    ast.IfExp: _Reader._choice,  # type: ignore[dict-item]
    ast.Call: _Reader._call,  # type: ignore[dict-item]
}
_FUNCTIONS: dict[str, Callable[["_Reader", ast.Call, str], Node]] = {
    "min": _Reader._extreme,
    "max": _Reader._extreme,
    "floor_to": _Reader._rounded,
    "ceil_to": _Reader._rounded,
    "half_up_to": _Reader._rounded,
    "age": _Reader._span,
    "years_between": _Reader._span,
    "months_between": _Reader._span,
    "yuan": _Reader._yuan,
    "rate": _Reader._rate,
    "settled": _Reader._settled,
    "known": _Reader._known,
    "held": _Reader._held,
}
