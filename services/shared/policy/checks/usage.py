"""What packs hold and nothing uses: rules, parameters, papers and instruments."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from services.shared.policy.checks.place import Place, brings_rules, names_used
from services.shared.policy.fault import Finding, PackFault, PackWarning
from services.shared.policy.pack import Pack
from services.shared.policy.rulebook import Rulebook
from services.shared.policy.text import Text

UNUSED_PARAMETER = (
    Text("没有规则用到它", "no rule uses it"),
    Text("删除它，或写出用到它的规则", "remove it, or write the rule"),
)
UNUSED_RULE = (
    Text("没有项目、例外、材料或其他规则用到它", "no programme, exception, paper or other rule uses it"),
    Text("删除它，或在项目中列出它", "remove it, or list it in a programme"),
)
UNUSED_DOCUMENT = (
    Text("没有项目要求这份材料", "no programme asks for it"),
    Text("删除它，或在项目的 documents 中列出它", "remove it, or list it in the documents of a programme"),
)
UNUSED_INSTRUMENT = (
    Text("没有规则或标准依据这份文件", "no rule or figure rests on it"),
    Text("删除它，或在依据它的规则中引用它", "remove it, or cite it where a rule rests on it"),
)


class Usage:
    """Gathers over all places what each pack holds and what of it is used there or below."""

    def __init__(self) -> None:
        self._packs: dict[str, Pack] = {}
        self._held: dict[str, set[str]] = defaultdict(set)
        self._rules: dict[str, set[str]] = defaultdict(set)
        self._parameters: dict[str, set[str]] = defaultdict(set)
        self._documents: dict[str, set[str]] = defaultdict(set)
        self._instruments: dict[str, set[str]] = defaultdict(set)

    def add(self, place: Place) -> None:
        """Take note of what the place's own and higher packs are used for."""
        self._packs[place.pack.id] = place.pack
        if brings_rules(place.pack, place.chain):
            for book in place.books:
                self._add_book(book)
        cited = {citation for pack in place.chain for citation in _instruments_of(pack)}
        for pack in place.chain:
            self._instruments[pack.id] |= cited

    def _add_book(self, book: Rulebook) -> None:
        used = {name: names_used(rule) for name, rule in book.rules.items()}
        reached = _reached(book, {name: rules for name, (rules, _) in used.items()})
        for name, rule in book.rules.items():
            if rule.written is not None:
                self._held[rule.pack].add(name)
                if name in reached:
                    self._rules[rule.pack].add(name)
        parameters = {name for _, names in used.values() for name in names}
        parameters |= {name for item in book.linked for name in (item.figure, item.of)}
        documents = {name for programme in book.programmes.values() for name in programme.documents}
        for pack in book.chain:
            self._parameters[pack.id] |= parameters
            self._documents[pack.id] |= documents

    def findings(self) -> Iterator[Finding]:
        """What no place uses. An instrument alone harms nobody and is a warning."""
        for name, pack in self._packs.items():
            for rule in sorted(self._held[name] - self._rules[name]):
                yield PackFault(name, f"rule {rule}", 0, *UNUSED_RULE)
            for parameter in pack.declarations.keys() - self._parameters[name]:
                yield PackFault(name, f"parameter {parameter}", 0, *UNUSED_PARAMETER)
            for document in {item.id for item in pack.documents} - self._documents[name]:
                yield PackFault(name, f"document {document}", 0, *UNUSED_DOCUMENT)
            for instrument in pack.instruments.keys() - self._instruments[name]:
                yield PackWarning(name, f"instrument {instrument}", *UNUSED_INSTRUMENT)


def _reached(book: Rulebook, used: Mapping[str, frozenset[str]]) -> set[str]:
    """Every rule that an answer may rest on."""
    pending = list(_starts(book))
    found: set[str] = set()
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += used[name]
    return found


def _starts(book: Rulebook) -> Iterator[str]:
    for programme in book.programmes.values():
        yield from programme.rules
        yield from filter(None, (programme.months, programme.share, programme.level))
    yield from (item.when for item in book.exclusions)
    yield from (item.when for item in book.documents.values() if item.when in book.rules)


def _instruments_of(pack: Pack) -> Iterator[str]:
    for rule in (*pack.rules, *(item.when for item in pack.exceptions)):
        yield from (citation.instrument for citation in rule.citations)
    for document in pack.documents:
        yield from (citation.instrument for citation in document.citations)
    yield from (figure.citation.instrument for figure in pack.figures)
    yield from (item.citation.instrument for item in pack.linked)
