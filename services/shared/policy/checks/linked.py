"""Figures that law or custom ties to one another: published as they are, and compared here."""

from collections.abc import Iterator, Sequence
from datetime import date

from services.shared.policy.checks.place import Place
from services.shared.policy.fault import Finding, PackFault, PackWarning
from services.shared.policy.figures import SHARE_OF, FigureInForce, Table, figures_in_force
from services.shared.policy.pack import Linked, Pack
from services.shared.policy.rulebook import Rulebook, edges
from services.shared.policy.schema import RATE_SCALE
from services.shared.policy.text import Text
from services.shared.policy.unparsing import rate_text

SAME_UNIT = (
    Text("两个标准的类型、周期或键不相配", "the two figures do not fit in kind, period or keys"),
    Text("只联系单位相同、键不更细的标准", "link figures of one unit, the second with no more keys than the first"),
)
UNDECLARED = (
    Text("它联系的标准未声明", "a figure that it links is not declared"),
    Text("写已声明的参数", "name declared parameters"),
)


def linked_figures(place: Place) -> Iterator[Finding]:
    """Each figure of the pack itself that falls short of what it is tied to, on any day on which both are in force."""
    for book in place.books[-1:]:
        for item in book.linked:
            if _fits(book, item):
                yield from _short(place, book, item)
            elif item in place.pack.linked:
                unknown = {item.figure, item.of} - book.declarations.keys()
                yield PackFault(place.pack.id, f"linked {item.figure}", 0, *(UNDECLARED if unknown else SAME_UNIT))


def _fits(book: Rulebook, item: Linked) -> bool:
    figure, other = book.declarations.get(item.figure), book.declarations.get(item.of)
    if figure is None or other is None:
        return False
    alike = (figure.type, figure.per) == (other.type, other.per) and figure.type in ("money", "rate", "int")
    return alike and other.keys.keys() <= figure.keys.keys()


def _short(place: Place, book: Rulebook, item: Linked) -> Iterator[Finding]:
    """Each pair of rows that falls short, on the first day on which it does, and again when that binds."""
    said: set[tuple[str, str, bool]] = set()
    for day in _days(place, item):
        is_bound = item.binding_from is not None and day >= item.binding_from
        for held, other in _pairs(place.chain, book, item, day):
            pair = (held.figure.where, f"{other.pack} {other.figure.where}", is_bound)
            if held.pack == place.pack.id and _is_short(item, held, other) and pair not in said:
                said.add(pair)
                problem, remedy = _said(book, item, day, pair[1])
                yield (
                    PackFault(held.pack, pair[0], 0, problem, remedy)
                    if is_bound
                    else PackWarning(held.pack, pair[0], problem, remedy)
                )


def _days(place: Place, item: Linked) -> list[date]:
    """The days on which either figure may change, none when the pack does not hold it."""
    if not any(figure.name == item.figure for figure in place.pack.figures):
        return []
    return sorted({*edges(place.chain), *((item.binding_from,) if item.binding_from else ())})


def _pairs(
    chain: Sequence[Pack], book: Rulebook, item: Linked, day: date
) -> Iterator[tuple[FigureInForce, FigureInForce]]:
    """The figure and what it is tied to, for each combination of keys for which both are known."""
    held = _table(chain, book, item.figure, day)
    others = _table(chain[1:] if item.is_of_place_above else chain, book, item.of, day)
    columns, other_columns = list(book.declarations[item.figure].keys), list(book.declarations[item.of].keys)
    for codes, figure in held.items():
        key = dict(zip(columns, codes, strict=True))
        other = others.get(tuple(key[column] for column in other_columns))
        if isinstance(figure, FigureInForce) and isinstance(other, FigureInForce):
            yield figure, other


def _table(chain: Sequence[Pack], book: Rulebook, name: str, day: date) -> Table:
    """What the packs of the chain hold of the parameter on the day."""
    units = (figure.unit for pack in chain for figure in pack.figures if figure.name == name)
    bases = {unit.removeprefix(SHARE_OF) for unit in units if unit.startswith(SHARE_OF)}
    names = [each for each in (name, *bases) if each in book.names.parameters]
    codes = {
        each: {column: node.kind.codes for column, node in book.names.parameters[each].keys.items()} for each in names
    }
    found = figures_in_force({each: book.declarations[each] for each in names}, codes, chain, day)
    return found.get(name, {})


def _is_short(item: Linked, held: FigureInForce, other: FigureInForce) -> bool:
    assert isinstance(held.value, int) and isinstance(other.value, int)
    least = other.value * item.at_least * (RATE_SCALE - item.tolerance)
    return held.value * RATE_SCALE * RATE_SCALE < least


def _said(book: Rulebook, item: Linked, on: date, row: str) -> tuple[Text, Text]:
    said, ratio, cited = item.text, rate_text(item.at_least), item.citation
    law = book.instruments.get(cited.instrument)
    zh, en = (cited.instrument, cited.instrument) if law is None else (law.title, law.title_en)
    title = Text(zh, en)
    problem = Text(
        f"{on} {said.zh}（{title.zh}{cited.article}）；它低于 {row} 的 {ratio} 倍",
        f"{on}: {said.en} ({title.en} {cited.article}); it is less than {ratio} times {row}",
    )
    return problem, Text("核对两处公布的数字", "compare both with what was published")
