"""Which figure of a parameter is in force at a place on a date, and which are missing."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NoReturn

from services.shared.policy.expression import ROUNDING_UNITS_FEN, rate_of
from services.shared.policy.fault import PackFault
from services.shared.policy.open_value import Unknown, unknown_parameter
from services.shared.policy.pack import Figure, Pack, ParameterDeclaration
from services.shared.policy.schema import DEFAULT_RANGE, KINDS, PARAMETER_MAX_FEN, RATE_SCALE
from services.shared.policy.text import Text, one_of
from services.shared.vocabulary.money import NotMoney, fen_of
from services.shared.vocabulary.period import MONTHS_PER_YEAR, same_day_next_year

SHARE_OF = "share of "
NO_LIMIT = date.max
MAX_COUNT_DIGITS = 9

Value = int | bool | str


@dataclass(frozen=True, slots=True)
class FigureInForce:
    """A figure, the pack that holds it, and its value in the parameter's unit."""

    pack: str
    figure: Figure
    value: Value


Key = tuple[str, ...]
Table = Mapping[Key, FigureInForce | Unknown]
"""For each combination of a parameter's key codes, the figure in force or what is missing."""


def figures_in_force(
    declarations: Mapping[str, ParameterDeclaration],
    codes: Mapping[str, Mapping[str, tuple[str, ...]]],
    chain: Sequence[Pack],
    on: date,
) -> dict[str, Table]:
    """Every declared parameter's figures on `on`, from the packs of `chain`, the most local first.

    `codes` gives for each parameter and key column the codes that may stand there. A figure that is a share of
    another takes the other's figure for the same codes. Raises PackFault for a cell that is not a value.
    """
    resolver = _Resolver(declarations, codes, chain, on)
    return {name: resolver.table(name) for name in declarations}


class _Resolver:
    def __init__(
        self,
        declarations: Mapping[str, ParameterDeclaration],
        codes: Mapping[str, Mapping[str, tuple[str, ...]]],
        chain: Sequence[Pack],
        on: date,
    ) -> None:
        self._declarations, self._codes, self._chain, self._on = declarations, codes, chain, on
        self._tables: dict[str, Table] = {}
        self._by_name = [_by_name(pack.figures) for pack in chain]

    def table(self, name: str) -> Table:
        if name not in self._tables:
            columns = list(self._declarations[name].keys)
            combinations = itertools.product(*(self._codes[name][column] for column in columns))
            self._tables[name] = {
                codes: self._figure(name, dict(zip(columns, codes, strict=True))) for codes in combinations
            }
        return self._tables[name]

    def _figure(self, name: str, key: Mapping[str, str]) -> FigureInForce | Unknown:
        for pack, by_name in zip(self._chain, self._by_name, strict=True):
            held = _for_key((row for row in by_name.get(name, ()) if row.from_on <= self._on), key)
            if not held:
                continue
            # A place that has held the figure before does not fall back to its province.
            latest = max(held, key=lambda row: row.from_on)
            if self._on >= end_of(latest):
                return unknown_parameter(name)
            return self._value(pack, latest, key)
        return unknown_parameter(name)

    def _value(self, pack: Pack, figure: Figure, key: Mapping[str, str]) -> FigureInForce | Unknown:
        declaration = self._declarations[figure.name]
        if not figure.unit.startswith(SHARE_OF):
            return FigureInForce(pack.id, figure, value_of(figure, declaration, pack.id))
        base_name = figure.unit.removeprefix(SHARE_OF)
        base = self._base(pack, figure, base_name, key)
        if isinstance(base, Unknown):
            return base
        assert isinstance(base.value, int)
        share = _checked(pack.id, figure, lambda: rate_of(figure.value))
        return FigureInForce(pack.id, figure, _rounded(pack.id, figure, base.value * share, RATE_SCALE))

    def _base(self, pack: Pack, figure: Figure, name: str, key: Mapping[str, str]) -> FigureInForce | Unknown:
        if name not in self._declarations or name == figure.name:
            _refuse(
                pack.id,
                figure,
                "unit",
                Text("该标准按比例取自一个不存在的参数", "the figure is a share of an unknown parameter"),
                Text("写一个已声明的参数", "name a declared parameter"),
            )
        columns = self._declarations[name].keys
        if not set(columns) <= set(key):
            listed = ", ".join(columns)
            _refuse(
                pack.id,
                figure,
                "unit",
                Text(f"{name} 按 {listed} 区分", f"{name} differs by {listed}"),
                Text("给本参数声明同样的键", "give this parameter the same keys"),
            )
        return self.table(name)[tuple(key[column] for column in columns)]


def value_of(figure: Figure, declaration: ParameterDeclaration, pack: str) -> Value:
    """A cell in its parameter's unit: fen (a month or a year), ten-thousandths, a count, a truth value or a code."""
    text, kind = figure.value, declaration.type
    if kind == "money":
        return _money(figure, declaration, pack)
    if kind == "rate":
        return _checked(pack, figure, lambda: rate_of(text))
    if kind in ("int", "months"):
        return _count(figure, kind, pack)
    if kind == "bool":
        if text not in ("true", "false"):
            problem = Text("值既不是 true 也不是 false", "the value is not true or false")
            _refuse(pack, figure, "value", problem, one_of(("true", "false")))
        return text == "true"
    if text not in declaration.codes:
        _refuse(
            pack, figure, "value", Text("值不是已知的代码", "the value is no known code"), one_of(declaration.codes)
        )
    return text


def _count(figure: Figure, kind: str, pack: str) -> int:
    count = _checked(pack, figure, lambda: count_of(figure.value))
    least, most = DEFAULT_RANGE[KINDS[kind]]
    if not least <= count <= most:
        problem = Text("数量超出范围", "the count is out of range")
        _refuse(
            pack,
            figure,
            "value",
            problem,
            Text(f"写 {least} 到 {most} 之间的数", f"write a number from {least} to {most}"),
        )
    return count


def count_of(text: str) -> int:
    """The whole number in a cell such as "12". Raises ValueError for a sign, another spelling or a tenth digit."""
    if not (text.isascii() and text.isdecimal() and len(text) <= MAX_COUNT_DIGITS):
        raise ValueError("a count is digits alone")
    return int(text)


def _money(figure: Figure, declaration: ParameterDeclaration, pack: str) -> int:
    fen = _checked(pack, figure, lambda: fen_of(figure.value))
    if fen > PARAMETER_MAX_FEN:
        problem = Text("金额大于任何标准", "the amount is larger than any standard")
        _refuse(pack, figure, "value", problem, Text("核对位数", "check its digits"))
    expected = f"yuan/{declaration.per}" if declaration.per else "yuan"
    if figure.unit == expected:
        return fen
    if figure.unit == "yuan/year" and declaration.per == "month":
        return _rounded(pack, figure, fen, MONTHS_PER_YEAR)
    problem = Text(f"单位 {figure.unit} 不符", f"the unit {figure.unit} does not fit")
    _refuse(pack, figure, "unit", problem, Text(f"以 {expected} 为单位", f"give it in {expected}"))


def _rounded(pack: str, figure: Figure, numerator: int, denominator: int) -> int:
    mode, _, unit_name = figure.rounding.partition(" ")
    unit = ROUNDING_UNITS_FEN.get(unit_name)
    if mode not in ("floor", "ceil", "half_up") or unit is None:
        problem = Text("需要换算的标准必须写明取整方式", "a figure that is converted names its rounding")
        _refuse(
            pack,
            figure,
            "rounding",
            problem,
            Text('写成 "half_up fen" 或 "ceil yuan" 等', 'write "half_up fen" or "ceil yuan"'),
        )
    return round_to(mode, numerator, denominator * unit) * unit


def round_to(mode: str, numerator: int, denominator: int) -> int:
    """A fraction of nothing negative as a whole number: floor, ceil or half_up."""
    if mode == "ceil":
        return (numerator + denominator - 1) // denominator
    if mode == "half_up":
        return (2 * numerator + denominator) // (2 * denominator)
    return numerator // denominator


def _by_name(figures: Iterable[Figure]) -> dict[str, list[Figure]]:
    found: dict[str, list[Figure]] = {}
    for figure in figures:
        found.setdefault(figure.name, []).append(figure)
    return found


def _for_key(rows: Iterable[Figure], key: Mapping[str, str]) -> list[Figure]:
    """The rows for these codes; where some name more of the codes than others, those alone."""
    fitting = [row for row in rows if all(key.get(column) == code for column, code in row.key.items())]
    most = max((len(row.key) for row in fitting), default=0)
    return [row for row in fitting if len(row.key) == most]


def end_of(figure: Figure) -> date:
    """The day on which a figure with no successor is no longer in force."""
    if figure.from_year:
        return date(figure.from_on.year + 1, 1, 1)
    if figure.until_replaced:
        return NO_LIMIT
    return figure.until_on or same_day_next_year(figure.from_on)


def _checked(pack: str, figure: Figure, read):  # type: ignore[no-untyped-def]
    try:
        return read()
    except (NotMoney, ValueError):
        _refuse(
            pack,
            figure,
            "value",
            Text("值的格式不对", "the value has the wrong form"),
            Text("金额写成 738.00，比例写成 0.60，数量写成 3", "write money as 738.00, a rate as 0.60, a count as 3"),
        )


def _refuse(pack: str, figure: Figure, cell: str, problem: Text, remedy: Text) -> NoReturn:
    raise PackFault(pack, figure.cell(cell), 0, problem, remedy)
