"""Reads chosen rules out of what a program returns, as one comparable value."""

from collections.abc import Callable, Iterable
from typing import Any

from services.shared.policy.pack import Programme
from services.shared.policy.printing import Program
from services.shared.policy.rulebook import Rulebook

Reader = Callable[[Any], Any]


def rows_reader_of(program: Program, rules: Iterable[str]) -> Reader:
    """A function from a root frame to the list of rows of one entity, each the values of these rules of it."""
    function: Reader = eval(f"lambda f: {_rows(program, rules)}")
    return function


def _rows(program: Program, rules: Iterable[str]) -> str:
    """The list of the rows of one entity, as text."""
    ways = [program.places[name] for name in rules]
    depth = len(ways[0]) - 1
    assert all(len(way) == depth + 1 for way in ways)
    values = "".join(_at(way) + ", " for way in ways)
    first = ways[0]
    loops = [f"for i{level} in range(len({_at(first[: level + 1])}))" for level in range(depth)]
    return f"[({values}) {' '.join(loops)}]" if loops else f"[({values})]"


def _at(way: tuple[int, ...]) -> str:
    inner = "".join(f"[{slot}][i{level}]" for level, slot in enumerate(way[:-1]))
    return f"f{inner}[{way[-1]}]"


def answers_reader_of(program: Program, book: Rulebook) -> Reader:
    """A function from a root frame to what answers say: who gets what, how much, for how long, who decides, what is
    excluded. Of who is refused no amount is said."""
    said = [
        f"[row[0] is not False and row for row in {_rows(program, _said_of(item))}]"
        for item in book.programmes.values()
    ]
    excluded = [_rows(program, [exclusion.when]) for exclusion in book.exclusions]
    function: Reader = eval(f"lambda f: [{', '.join(said + excluded)}]")
    return function


def _said_of(programme: Programme) -> list[str]:
    return [name for name in (*programme.rules, programme.months, programme.level) if name]


def outputs_of(book: Rulebook) -> tuple[str, ...]:
    """The rules by which answers differ."""
    named = [name for item in book.programmes.values() for name in _said_of(item)]
    return tuple(dict.fromkeys([*named, *(exclusion.when for exclusion in book.exclusions)]))


def rules_decided_by(book: Rulebook) -> tuple[str, ...]:
    """Every rule that an answer may hang on: the outputs, and all below them."""
    return book.rules_below(outputs_of(book))
