"""Everything that can be found wrong or doubtful in packs before anyone is judged by them."""

from collections.abc import Collection, Iterator

from services.shared.policy.checks.bounds import Bounds
from services.shared.policy.checks.dates import findings_of_dates
from services.shared.policy.checks.linked import linked_figures
from services.shared.policy.checks.names import wrong_names
from services.shared.policy.checks.place import Place, brings_rules
from services.shared.policy.checks.usage import Usage
from services.shared.policy.checks.words import missing_words
from services.shared.policy.evaluation import PackSet
from services.shared.policy.fault import Finding, PackFault
from services.shared.policy.pack import Pack
from services.shared.policy.rulebook import edges, rulebook_of
from services.shared.policy.text import Text

MAX_DAYS = 500
"""Days on which something of a pack begins or ends; each is looked at."""
TOO_MANY_DAYS = (
    Text(f"起止日期超过 {MAX_DAYS} 个", f"something begins or ends on more than {MAX_DAYS} days"),
    Text("删去早已失效的标准", "remove figures that ended long ago"),
)

__all__ = ["check", "faults_of", "findings_of", "standing_on"]


def findings_of(packs: PackSet, only: Collection[str] | None = None) -> Iterator[Finding]:
    """Every fault and warning of the packs, each once; of the places of the packs of these ids, when `only` is given.

    Names, kinds, units, circles, dates, unused and unreachable things, sentences and citations, linked figures,
    overflow, negative division. A place whose rules cannot be read on some day is judged by the other days.
    """
    given: set[str] = set()
    for finding in _all(packs, only):
        if str(finding) not in given:
            given.add(str(finding))
            yield finding


def faults_of(packs: PackSet, only: Collection[str] | None = None) -> Iterator[PackFault]:
    """What refuses the packs."""
    return (finding for finding in findings_of(packs, only) if isinstance(finding, PackFault))


def standing_on(packs: PackSet, pack: Pack) -> frozenset[str]:
    """The ids of the packs that another content of `pack` can put in the wrong: its own, and those of places below."""
    return frozenset(each.id for each in packs.packs if pack in packs.chain(each.jurisdiction))


def check(packs: PackSet) -> None:
    """Raise the first of `faults_of`, before packs are published or used."""
    for fault in faults_of(packs):
        raise fault


def _all(packs: PackSet, only: Collection[str] | None) -> Iterator[Finding]:
    bounds, usage, is_readable = Bounds(), Usage(), True
    for pack in packs.packs:
        if only is not None and pack.id not in only:
            continue
        if len(edges((pack,))) > MAX_DAYS:
            yield PackFault(pack.id, "pack.toml", 0, *TOO_MANY_DAYS)
            return
        yield from findings_of_dates(pack)
        try:
            chain = packs.chain(pack.jurisdiction)
        except PackFault as fault:
            yield fault
            return
        yield from _parent(pack, chain)
        place, unread = _place(packs, pack, chain)
        yield from unread
        is_readable = is_readable and not unread
        yield from wrong_names(place)
        yield from linked_figures(place)
        if brings_rules(pack, chain):
            yield from missing_words(place)
            yield from bounds.faults(place)
        usage.add(place)
    if is_readable:
        # What an unreadable day uses is not known, nor what the packs that were left out use of those above them.
        yield from (finding for finding in usage.findings() if only is None or finding.pack in only)


def _parent(pack: Pack, chain: tuple[Pack, ...]) -> Iterator[PackFault]:
    if pack.parent is not None and pack.parent not in {other.id for other in chain[1:]}:
        problem = Text(f"上级规则包 {pack.parent} 不属于其上级地区", f"its parent {pack.parent} is not above its place")
        yield PackFault(pack.id, "pack.toml", 0, problem, Text("写上级地区的规则包", "name a pack above"))


def _place(packs: PackSet, pack: Pack, chain: tuple[Pack, ...]) -> tuple[Place, list[PackFault]]:
    books, faults = [], []
    # Figures alone leave the rules of the packs above, which were looked at, as they are.
    days = edges(chain if brings_rules(pack, chain) else (pack,))
    # A rule without a start is as old as its pack.
    for day in (day for day in days if day >= chain[-1].period.from_on):
        try:
            books.append(rulebook_of(packs.schema, chain, day, packs.readings))
        except PackFault as fault:
            faults.append(fault)
    return Place(pack, chain, tuple(books)), faults
