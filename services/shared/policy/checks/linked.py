"""Figures that law or custom ties to one another: published as they are, and compared here."""

from collections.abc import Iterator

from services.shared.policy.checks.place import Place
from services.shared.policy.fault import Finding, PackFault, PackWarning
from services.shared.policy.figures import FigureInForce, Table, figures_in_force
from services.shared.policy.pack import Linked
from services.shared.policy.rulebook import Rulebook
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
    for book in place.books:
        for item in book.linked:
            if not _fits(book, item):
                yield from _misfit(place, book, item)
                continue
            for held, other in _pairs(place, book, item):
                if held.pack == place.pack.id:
                    yield from _compared(book, item, held, other)


def _fits(book: Rulebook, item: Linked) -> bool:
    figure, other = book.declarations.get(item.figure), book.declarations.get(item.of)
    if figure is None or other is None:
        return False
    alike = (figure.type, figure.per) == (other.type, other.per) and figure.type in ("money", "rate", "int")
    return alike and other.keys.keys() <= figure.keys.keys()


def _misfit(place: Place, book: Rulebook, item: Linked) -> Iterator[PackFault]:
    if item in place.pack.linked:
        unknown = {item.figure, item.of} - book.declarations.keys()
        yield PackFault(place.pack.id, f"linked {item.figure}", 0, *(UNDECLARED if unknown else SAME_UNIT))


def _pairs(place: Place, book: Rulebook, item: Linked) -> Iterator[tuple[FigureInForce, FigureInForce]]:
    """The figure and what it is tied to, for each combination of keys for which both are known."""
    if item.figure not in book.figures or item.of not in book.figures:
        return
    others = _above(place, book, item.of) if item.is_of_place_above else book.figures[item.of]
    columns, other_columns = list(book.declarations[item.figure].keys), list(book.declarations[item.of].keys)
    for codes, held in book.figures[item.figure].items():
        key = dict(zip(columns, codes, strict=True))
        other = others.get(tuple(key[column] for column in other_columns))
        if isinstance(held, FigureInForce) and isinstance(other, FigureInForce):
            yield held, other


def _above(place: Place, book: Rulebook, name: str) -> Table:
    """What the packs above hold of the parameter on the same day."""
    codes = {
        parameter: {column: node.kind.codes for column, node in signature.keys.items()}
        for parameter, signature in book.names.parameters.items()
    }
    usable = {parameter: book.declarations[parameter] for parameter in codes}
    return figures_in_force(usable, codes, place.chain[1:], book.on)[name]


def _compared(book: Rulebook, item: Linked, held: FigureInForce, other: FigureInForce) -> Iterator[Finding]:
    assert isinstance(held.value, int) and isinstance(other.value, int)
    least = other.value * item.at_least * (RATE_SCALE - item.tolerance)
    if held.value * RATE_SCALE * RATE_SCALE >= least:
        return
    problem, remedy = _said(book, item, other)
    if item.binding_from is not None and book.on >= item.binding_from:
        yield PackFault(held.pack, held.figure.where, 0, problem, remedy)
    else:
        yield PackWarning(held.pack, held.figure.where, problem, remedy)


def _said(book: Rulebook, item: Linked, other: FigureInForce) -> tuple[Text, Text]:
    said, on, row = item.text, book.on, f"{other.pack} {other.figure.where}"
    law, ratio = book.instruments[item.citation.instrument], rate_text(item.at_least)
    problem = Text(
        f"{on} {said.zh}（{law.title}{item.citation.article}）；它低于 {row} 的 {ratio} 倍",
        f"{on}: {said.en} ({law.title_en} {item.citation.article}); it is less than {ratio} times {row}",
    )
    return problem, Text("核对两处公布的数字", "compare both with what was published")
