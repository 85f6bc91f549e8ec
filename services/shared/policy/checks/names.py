"""Whether what packs name outside expressions is there and of the right kind: conditions, amounts, papers, figures."""

from collections.abc import Iterator, Sequence

from services.shared.policy.checks.place import Place
from services.shared.policy.fault import PackFault
from services.shared.policy.figures import SHARE_OF, value_of
from services.shared.policy.pack import Pack, Programme
from services.shared.policy.rulebook import LIST_THE_INSTRUMENT, Rulebook
from services.shared.policy.schema import BOOL, MONEY, Kind
from services.shared.policy.text import Text, one_of

WRITE_A_RULE = Text("写已有规则的名称", "name a rule")
WRITE_A_DOCUMENT = Text("在 [[document]] 中写出它，或改正名称", "write it as a [[document]], or correct the name")
DECLARE_IT = Text("在规则文件中声明它", "declare it in the rules")


def wrong_names(place: Place) -> Iterator[PackFault]:
    """Names of rules, papers, instruments, programmes and entities that do not fit, and cells that are no figures."""
    for book in place.books:
        for programme in book.programmes.values():
            yield from _of_programme(place, book, programme)
        yield from _conditions(book, place)
    yield from _entities(place)
    yield from _instruments(place)
    yield from _delegations(place)
    yield from _terms(place)
    yield from _figures(place.pack, place.books)


def _of_programme(place: Place, book: Rulebook, programme: Programme) -> Iterator[PackFault]:
    where = f"programme {programme.id}"
    for name in programme.conditions:
        yield from _kind(place, book, programme, name, BOOL)
    for name in filter(None, (programme.monthly, programme.one_off)):
        yield from _kind(place, book, programme, name, MONEY)
    for name in programme.documents:
        if name not in book.documents:
            problem = Text(f"没有名为 {name} 的材料", f"there is no document {name}")
            yield PackFault(_pack_of(place, programme), where, 0, problem, WRITE_A_DOCUMENT)


def _kind(place: Place, book: Rulebook, programme: Programme, name: str, kind: Kind) -> Iterator[PackFault]:
    rule, where = book.rules[name], f"programme {programme.id}"
    if rule.kind != kind:
        problem = Text(
            f"规则 {name} 是{rule.kind.zh}，此处需要{kind.zh}", f"the rule {name} is {rule.kind}, and {kind} is needed"
        )
        remedy = Text("条件用真假，金额用 money", "conditions are bool, amounts are money")
        yield PackFault(_pack_of(place, programme), where, 0, problem, remedy)
    if rule.entity not in book.schema.lineage(programme.entity):
        problem = Text(
            f"规则 {name} 针对每个 {rule.entity}，而项目针对 {programme.entity}",
            f"the rule {name} is for each {rule.entity}, and the programme is for a {programme.entity}",
        )
        remedy = Text("用 any 或 all 汇总成一条规则", "gather it into a rule with any or all")
        yield PackFault(_pack_of(place, programme), where, 0, problem, remedy)


def _pack_of(place: Place, programme: Programme) -> str:
    return next(pack.id for pack in place.chain if programme in pack.programmes)


def _conditions(book: Rulebook, place: Place) -> Iterator[PackFault]:
    named = [(f"exclusion of {item.loser}", item.when) for item in place.pack.exclusions]
    named += [(f"document {item.id}", item.when) for item in place.pack.documents if item.when]
    for where, name in named:
        rule = book.rules.get(name)
        # On days before the rule its programme is not there either; one that never comes is an unknown name.
        if rule is None and not any(name in other.rules for other in place.books):
            problem = Text(f"没有名为 {name} 的规则", f"there is no rule {name}")
            yield PackFault(place.pack.id, where, 0, problem, WRITE_A_RULE)
        elif rule is not None and rule.kind != BOOL:
            problem = Text(f"规则 {name} 不是条件", f"the rule {name} is no condition")
            yield PackFault(place.pack.id, where, 0, problem, Text("写真假类型的规则", "name a rule of type bool"))


def _entities(place: Place) -> Iterator[PackFault]:
    named = [(f"presumption {item.entity}.{item.key}", item.entity) for item in place.pack.presumptions]
    named += [(f"programme {item.id}", item.entity) for item in place.pack.programmes]
    for book in place.books[:1]:
        for where, entity in named:
            if entity not in book.schema.by_name:
                problem = Text(f"没有名为 {entity} 的对象", f"there is no entity {entity}")
                yield PackFault(place.pack.id, where, 0, problem, one_of(book.schema.by_name))


def _instruments(place: Place) -> Iterator[PackFault]:
    listed = {name for pack in place.chain for name in pack.instruments}
    named = [(f"document {item.id}", citation) for item in place.pack.documents for citation in item.citations]
    named += [
        (f"exception {item.when.id}", citation) for item in place.pack.exceptions for citation in item.when.citations
    ]
    named += [(f"linked {item.figure}", item.citation) for item in place.pack.linked]
    for where, citation in named:
        if citation.instrument not in listed:
            name = citation.instrument
            problem = Text(f"没有规则包列出依据文件 {name}", f"no pack lists the instrument {name}")
            yield PackFault(place.pack.id, where, 0, problem, LIST_THE_INSTRUMENT)


def _delegations(place: Place) -> Iterator[PackFault]:
    known = {item.id for pack in place.chain for item in pack.programmes}
    for name in place.pack.delegation:
        if name not in known:
            problem = Text("没有这个项目", "there is no such programme")
            yield PackFault(place.pack.id, f"delegation {name}", 0, problem, one_of(sorted(known)))


def _terms(place: Place) -> Iterator[PackFault]:
    known: set[str] = set()
    for book in place.books:
        known.update(book.rules)
        known.update(f"{name}.{code}" for name, rule in book.rules.items() for code in rule.kind.codes)
    for pack in place.chain:
        known.update(f"{name}.{code}" for name, item in pack.declarations.items() for code in item.codes)
    for name in place.pack.terms:
        if name not in known:
            problem = Text("没有这条规则或代码", "there is no such rule or code")
            yield PackFault(place.pack.id, f"term {name}", 0, problem, WRITE_A_RULE)


def _figures(pack: Pack, books: Sequence[Rulebook]) -> Iterator[PackFault]:
    """Cells that are no figure, also of rows that no day has looked at."""
    for book in books[-1:]:
        for figure in pack.figures:
            declaration = book.declarations.get(figure.name)
            if declaration is not None and not figure.unit.startswith(SHARE_OF):
                try:
                    value_of(figure, declaration, pack.id)
                except PackFault as fault:
                    yield fault
