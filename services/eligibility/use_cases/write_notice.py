"""What a notice says of a recorded determination: titles, reasons, what would turn a refusal, remedies with dates."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson

from services.eligibility.domain.missing_words import fact_missing
from services.eligibility.domain.nearest_change import NearestChange, nearest_changes
from services.eligibility.domain.remedy import Remedy, remedy_from
from services.eligibility.domain.request import DeterminationRequest
from services.eligibility.store.determinations import Determination
from services.eligibility.use_cases.published_policy import PublishedPolicy
from services.shared.policy.evaluation import PackSet
from services.shared.policy.rulebook import Rulebook
from services.shared.policy.text import Text
from services.shared.runtime.clock import china_date

MAX_CHANGES_SHOWN = 3
OUTCOMES = ("eligible", "undetermined", "ineligible")
SHOWN_IN_A_LINE = ("programme", "outcome", "monthly", "one_off", "from")
Result = Mapping[str, Any]
Results = Sequence[tuple[Text, Result]]
"""Results as an answer holds them, each beside its programme's title."""
Changes = Mapping[tuple[str, str], tuple[NearestChange, ...]]
"""For each refused result, by programme and subject, the single facts that would turn it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table of results: a programme, and everybody for whom it comes to the same."""

    title: Text
    subjects: tuple[str, ...]
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """One programme's result and whom it is for: several members where the same is to be said of each.

    `reasons` are the result's, each told once; `missing` are the facts and figures that it still needs, in words.
    """

    title: Text
    subjects: tuple[str, ...]
    reasons: tuple[Mapping[str, Any], ...]
    missing: tuple[Text, ...]
    changes: tuple[NearestChange, ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """A determination as its notice shows it: what is granted first, then what is open, then what is refused.

    `laws` gives the English title of each instrument that an answer cites by its Chinese one.
    """

    determination_id: str
    determined_on: date
    answer: Mapping[str, Any]
    lines: tuple[Line, ...]
    findings: tuple[Finding, ...]
    laws: Mapping[str, str]
    remedy: Remedy


def changes_by_result(packs: PackSet, request: DeterminationRequest, answer: Mapping[str, Any]) -> Changes:
    """The nearest changes of every refused result of the answer that was recorded for the request.

    What is refused only because of other aid is passed over: no fact of the household would change that. Raises
    PackFault for unsound packs.
    """
    refused = [item for item in answer["results"] if item["outcome"] == "ineligible" and item["excluded_by"] is None]
    return {(item["programme"], item["subject"]): _changes(packs, request, item) for item in refused}


def _changes(packs: PackSet, request: DeterminationRequest, result: Mapping[str, Any]) -> tuple[NearestChange, ...]:
    policy = packs.prepare(result.get("region", request.region), request.as_of)
    return nearest_changes(policy, request, result["programme"], result["subject"])


def write_notice(recorded: Determination, request: DeterminationRequest, policy: PublishedPolicy) -> Notice:
    """The notice of a determination, by the packs that it was made under. Raises PackAltered."""
    packs = policy.named(recorded.packs)
    book = packs.prepare(request.region, request.as_of).book
    determined_on, answer = china_date(recorded.determined_at), orjson.loads(recorded.answer)
    results = [
        (_title(book, result["programme"]), result)
        for result in sorted(answer["results"], key=lambda result: OUTCOMES.index(result["outcome"]))
    ]
    return Notice(
        determination_id=recorded.id,
        determined_on=determined_on,
        answer=answer,
        lines=tuple(Line(title, subjects, group[0]) for title, subjects, group in _alike(results, SHOWN_IN_A_LINE)),
        findings=tuple(_findings(book, results, changes_by_result(packs, request, answer))),
        laws={instrument.title: instrument.title_en for instrument in book.instruments.values()},
        remedy=remedy_from(determined_on),
    )


def _title(book: Rulebook, code: str) -> Text:
    programme = book.programmes.get(code)
    return Text(code, code) if programme is None else programme.text


def _alike(results: Results, keys: Collection[str] = ()) -> Iterator[tuple[Text, tuple[str, ...], Sequence[Result]]]:
    """Results of which the same is said, together: all but the subject, or what stands under these keys."""
    alike: dict[bytes, list[tuple[Text, Result]]] = {}
    for title, result in results:
        said = {key: value for key, value in result.items() if (key in keys if keys else key != "subject")}
        alike.setdefault(orjson.dumps(said, option=orjson.OPT_SORT_KEYS), []).append((title, result))
    for group in alike.values():
        yield group[0][0], tuple(result["subject"] for _, result in group), [result for _, result in group]


def _findings(book: Rulebook, results: Results, changes: Changes) -> Iterator[Finding]:
    for title, subjects, group in _alike(results):
        first = group[0]
        found = changes.get((first["programme"], subjects[0]), ()) if len(group) == 1 else ()
        missing = (
            *map(fact_missing, first["missing_facts"]),
            *(book.declarations[name].text for name in first["missing_parameters"]),
        )
        reasons = tuple(_told_once(first["reasons"], set(), None))
        yield Finding(title, subjects, reasons, missing, found[:MAX_CHANGES_SHOWN])


def _told_once(
    reasons: Iterable[Mapping[str, Any]], told: set[tuple[str, str | None]], subject: str | None
) -> Iterator[Mapping[str, Any]]:
    """The reasons without those that were told before of the same subject."""
    for reason in reasons:
        whose = reason["subject"] or subject
        if (reason["rule"], whose) not in told:
            told.add((reason["rule"], whose))
            yield {**reason, "children": list(_told_once(reason["children"], told, whose))}
