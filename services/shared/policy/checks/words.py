"""Conditions and amounts that would be decided without a sentence to say, or without a law to name."""

from collections.abc import Iterator

from services.shared.policy.checks.place import Place
from services.shared.policy.fault import PackFault
from services.shared.policy.pack import Programme
from services.shared.policy.rulebook import Rule, Rulebook
from services.shared.policy.text import Text

NO_SENTENCES = (
    Text("项目的条件缺少成立或不成立时的说明", "a programme's condition has no sentence for when it holds or fails"),
    Text("写出 holds 和 fails，各有 zh 和 en", "write holds and fails, each with zh and en"),
)
NO_SENTENCE = (
    Text("项目的金额没有说明", "a programme's amount has no sentence"),
    Text("写出 holds，含 zh 和 en", "write holds, with zh and en"),
)
CITE = Text("在 citations 中写明当日有效的依据文件和条款", "cite an instrument and article that are in force that day")


def missing_words(place: Place) -> Iterator[PackFault]:
    """Each rule that a programme decides by and that has no sentence, or on some day no citation in force."""
    for book in place.books:
        for programme in book.programmes.values():
            yield from _of_programme(book, programme)


def _of_programme(book: Rulebook, programme: Programme) -> Iterator[PackFault]:
    for name in programme.conditions:
        rule = book.rules[name]
        if rule.written is not None:
            if rule.written.holds is None or rule.written.fails is None:
                yield PackFault(rule.pack, f"rule {name}", 0, *NO_SENTENCES)
            yield from _uncited(book, programme, rule)
    for name in filter(None, (programme.monthly, programme.one_off)):
        rule = book.rules[name]
        if rule.written is not None:
            if rule.written.holds is None:
                yield PackFault(rule.pack, f"rule {name}", 0, *NO_SENTENCE)
            yield from _uncited(book, programme, rule)


def _uncited(book: Rulebook, programme: Programme, rule: Rule) -> Iterator[PackFault]:
    if rule.citation is None:
        problem = Text(
            f"{book.on} 项目 {programme.id} 有效，而该规则没有当日有效的依据",
            f"on {book.on} the programme {programme.id} is in force and the rule names no law in force",
        )
        yield PackFault(rule.pack, f"rule {rule.id}", 0, problem, CITE)
