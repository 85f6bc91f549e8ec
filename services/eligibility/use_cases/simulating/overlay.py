"""Replaces figures of a population's policy: everywhere, in one place, or for one key of a figure that has keys."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.shared.policy.columns.places import figure_range
from services.shared.policy.columns.population import PopulationPolicy
from services.shared.policy.evaluation import PreparedPolicy, parameter_value
from services.shared.policy.pack import ParameterDeclaration
from services.shared.policy.schema import KINDS
from services.shared.policy.text import Text
from services.shared.vocabulary.money import yuan_of
from services.shared.vocabulary.region import NATION


class OverlayRefused(Exception):
    """A figure that cannot be replaced as it was asked; `text` says why and what to do, and repeats no value."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.both)
        self.text = text


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure to put in the place of those in force: `value` as it is written, "900.00".

    Only a truth, a number of months or another whole number may be a value of that kind instead of text.
    `keys` are the codes of a figure that differs by them, such as ("urban",); empty means for every key. `region` is
    the place whose pack holds the figure, with all places in it; "cn" means everywhere.
    """

    parameter: str
    value: str | bool | int
    keys: tuple[str, ...] = ()
    region: str = NATION


def with_figures(policy: PopulationPolicy, figures: Sequence[Figure]) -> PopulationPolicy:
    """The policy with these figures replaced, one after the other; nothing is compiled. Raises OverlayRefused."""
    if not figures:
        return policy
    changed = list(policy.policies)
    for figure in figures:
        places = [number for number, place in enumerate(changed) if _is_in(place, figure.region)]
        if not places:
            raise OverlayRefused(_no_such_place(figure))
        touched = False
        for number in places:
            table = _replaced(changed[number], figure)
            touched |= table is not None
            changed[number] = table or changed[number]
        if not touched:
            raise OverlayRefused(_no_such_parameter(figure))
    return replace(policy, kernel=policy.kernel.with_policies(changed), policies=tuple(changed))


def _is_in(policy: PreparedPolicy, region: str) -> bool:
    jurisdictions = [pack.jurisdiction for pack in policy.book.chain]
    # A place's own figure stands for it and for the places in it that have packs of their own.
    return region == NATION or region in jurisdictions


def _replaced(policy: PreparedPolicy, figure: Figure) -> PreparedPolicy | None:
    declaration = policy.book.declarations.get(figure.parameter)
    if declaration is None or figure.parameter not in policy.parameters:
        return None
    value = _value(figure, declaration)
    table = policy.parameters[figure.parameter]
    if figure.keys and figure.keys not in table:
        raise OverlayRefused(_no_such_key(figure, table))
    changed = {codes: value if figure.keys in ((), codes) else found for codes, found in table.items()}
    overrides = (*policy.overrides, (figure.parameter, value))
    return replace(policy, parameters={**policy.parameters, figure.parameter: changed}, overrides=overrides)


def _value(figure: Figure, declaration: ParameterDeclaration) -> Any:
    written, kind = figure.value, declaration.type
    if isinstance(written, str):
        try:
            value = parameter_value(written, declaration)
        except (ValueError, KeyError):
            raise OverlayRefused(_wrong_value(figure, kind)) from None
    elif kind in (("bool",) if isinstance(written, bool) else ("int", "months")):
        value = written
    else:
        # A bare number has no unit: 1000 may be meant in yuan, and be taken for fen.
        raise OverlayRefused(_wrong_value(figure, kind))
    if kind in KINDS and not _is_within(value, kind):
        raise OverlayRefused(_out_of_range(figure, kind))
    return value


def _is_within(value: int, kind: str) -> bool:
    least, most = figure_range(KINDS[kind])
    return least <= value <= most


def _no_such_place(figure: Figure) -> Text:
    return Text(
        f"{figure.parameter}：没有以该地区为辖区的规则包。写规则包所在的地区代码，或不写地区",
        f"{figure.parameter}: no pack is for that region. Name the region of a pack, or none for everywhere",
    )


def _no_such_parameter(figure: Figure) -> Text:
    return Text(
        "没有一个规则包有该参数。用 doudi pack explain 查看参数名",
        "no pack has that parameter. See the names with doudi pack explain",
    )


def _wrong_value(figure: Figure, kind: str) -> Text:
    return Text(
        f"{figure.parameter} 的值写法不对，其类型为 {kind}；金额写作 900.00，在 JSON 中为文字",
        f"the value of {figure.parameter} is not written as its type {kind} is; an amount is written as 900.00, "
        "as text in JSON",
    )


def _out_of_range(figure: Figure, kind: str) -> Text:
    least, most = (_spelt(bound, kind) for bound in figure_range(KINDS[kind]))
    return Text(
        f"{figure.parameter} 的值超出范围，应在 {least} 至 {most} 之间",
        f"the value of {figure.parameter} is out of range: it lies between {least} and {most}",
    )


def _spelt(bound: int, kind: str) -> str:
    return yuan_of(bound) if kind == "money" else str(bound)


def _no_such_key(figure: Figure, known: Iterable[tuple[str, ...]]) -> Text:
    listed = ", ".join(sorted(",".join(codes) for codes in known if codes)) or "-"
    return Text(
        f"{figure.parameter} 没有这个键。可用：{listed}", f"{figure.parameter} has no such key. It has: {listed}"
    )
