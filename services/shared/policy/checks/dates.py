"""Days on which two of a pack's figures, programmes or papers would be in force at once, and days without a figure."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from datetime import date
from itertools import pairwise

from services.shared.policy.fault import Finding, PackFault, PackWarning
from services.shared.policy.figures import end_of
from services.shared.policy.pack import Figure, Pack, Programme
from services.shared.policy.text import Text
from services.shared.vocabulary.period import Period

END_THE_OLDER = Text("给旧的一条写上截止日期", "end the older one")
NAME_BOTH_KEYS = Text("写全这一行的键，或删除其中一行", "fill in the keys of the row, or remove one of them")
REMOVE_ONE = Text("删除其中一条", "remove one of them")


def findings_of_dates(pack: Pack) -> Iterator[Finding]:
    """Overlaps, which are faults, and gaps that the pack does not say it means, which are warnings."""
    yield from _figures(pack)
    yield from _programmes(pack)
    yield from _twice(pack, "document", (item.id for item in pack.documents))
    yield from _twice(pack, "exclusion of", (f"{item.loser} ({item.winner})" for item in pack.exclusions))
    yield from _twice(pack, "presumption", (f"{item.entity}.{item.key}" for item in pack.presumptions))


def _twice(pack: Pack, what: str, names: Iterable[str]) -> Iterator[PackFault]:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield PackFault(pack.id, f"{what} {name}", 0, Text("写了两次", "it is written twice"), REMOVE_ONE)
        seen.add(name)


def _programmes(pack: Pack) -> Iterator[PackFault]:
    versions: dict[str, list[Programme]] = defaultdict(list)
    for programme in pack.programmes:
        versions[programme.id].append(programme)
    for name, found in versions.items():
        found.sort(key=lambda programme: programme.period.from_on)
        for earlier, later in pairwise(found):
            if earlier.period.contains(later.period.from_on):
                on = later.period.from_on
                problem = Text(f"{on} 有两个版本同时有效", f"two versions are in force on {on}")
                yield PackFault(pack.id, f"programme {name}", 0, problem, END_THE_OLDER)


# --- figures ---------------------------------------------------------------------------------------------------------


def _figures(pack: Pack) -> Iterator[Finding]:
    by_name: dict[str, dict[Hashable, list[Figure]]] = defaultdict(lambda: defaultdict(list))
    for figure in pack.figures:
        by_name[figure.name][tuple(sorted(figure.key.items()))].append(figure)
    for by_key in by_name.values():
        for rows in by_key.values():
            yield from _series(pack, sorted(rows, key=lambda row: row.from_on))
        yield from _crossing(pack, list(by_key.values()))


def _series(pack: Pack, rows: list[Figure]) -> Iterator[Finding]:
    for earlier, later in pairwise(rows):
        if earlier.until_on is not None and earlier.until_on > later.from_on > earlier.from_on:
            on = later.from_on
            problem = Text(f"{on} 已有第 {earlier.row} 行的标准有效", f"row {earlier.row} is still in force on {on}")
            yield PackFault(pack.id, later.where, 0, problem, END_THE_OLDER)
        if earlier.until_on is None and end_of(earlier) < later.from_on:
            end, start = end_of(earlier), later.from_on
            problem = Text(f"{end} 至 {start} 没有有效的标准", f"no figure is in force from {end} until {start}")
            remedy = Text(
                f"在第 {earlier.row} 行的 until 写明截止日期，或写 replaced",
                f"say in until of row {earlier.row} when it ended, or write replaced",
            )
            yield PackWarning(pack.id, later.where, problem, remedy)


def _crossing(pack: Pack, series: list[list[Figure]]) -> Iterator[PackFault]:
    """Rows of different keys that fit the same case, none of them more exact than the other, on the same day."""
    for index, rows in enumerate(series):
        for others in series[index + 1 :]:
            if _crosses(rows[0].key, others[0].key):
                for row, other in ((row, other) for row in rows for other in others if _meet(row, other)):
                    problem = Text(
                        f"与第 {other.row} 行适用于同样的情形，无法取舍",
                        f"it fits the same cases as row {other.row}, and neither is the more exact",
                    )
                    yield PackFault(pack.id, row.where, 0, problem, NAME_BOTH_KEYS)


def _crosses(key: Mapping[str, str], other: Mapping[str, str]) -> bool:
    shared = key.keys() & other.keys()
    return all(key[name] == other[name] for name in shared) and len(key) == len(other) and key != other


def _meet(figure: Figure, other: Figure) -> bool:
    return _period(figure).contains(other.from_on) or _period(other).contains(figure.from_on)


def _period(figure: Figure) -> Period:
    end = end_of(figure)
    return Period(figure.from_on, None if end == date.max else end)
