"""What a notice says of a recorded determination: titles, reasons, what would turn a refusal, remedies with dates."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson

from services.eligibility.domain.nearest_change import NearestChange, nearest_changes
from services.eligibility.domain.remedy import Remedy, remedy_from
from services.eligibility.domain.request import DeterminationRequest
from services.eligibility.store.determinations import Determination
from services.eligibility.use_cases.published_policy import PublishedPolicy
from services.shared.policy.evaluation import PackSet
from services.shared.policy.text import Text
from services.shared.runtime.clock import china_date

MAX_CHANGES_SHOWN = 3
OUTCOMES = ("eligible", "undetermined", "ineligible")
Changes = Mapping[tuple[str, str], tuple[NearestChange, ...]]
"""For each refused result, by programme and subject, the single facts that would turn it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One programme's result and whom it is for: several members where the same is to be said of each."""

    title: Text
    subjects: tuple[str, ...]
    result: Mapping[str, Any]
    changes: tuple[NearestChange, ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """A determination as its notice shows it: what is granted first, then what is open, then what is refused.

    `laws` gives the English title of each instrument that an answer cites by its Chinese one.
    """

    determination_id: str
    determined_on: date
    answer: Mapping[str, Any]
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
    titles = {code: programme.text for code, programme in book.programmes.items()}
    return Notice(
        determination_id=recorded.id,
        determined_on=determined_on,
        answer=answer,
        findings=tuple(_findings(answer["results"], titles, changes_by_result(packs, request, answer))),
        laws={instrument.title: instrument.title_en for instrument in book.instruments.values()},
        remedy=remedy_from(determined_on),
    )


def _findings(results: Iterable[Mapping[str, Any]], titles: Mapping[str, Text], changes: Changes) -> Iterator[Finding]:
    alike: dict[bytes, list[Mapping[str, Any]]] = {}
    for result in sorted(results, key=lambda result: OUTCOMES.index(result["outcome"])):
        said = {key: value for key, value in result.items() if key != "subject"}
        alike.setdefault(orjson.dumps(said, option=orjson.OPT_SORT_KEYS), []).append(result)
    for group in alike.values():
        first, subjects = group[0], tuple(result["subject"] for result in group)
        code = first["programme"]
        found = changes.get((code, subjects[0]), ()) if len(group) == 1 else ()
        yield Finding(titles.get(code, Text(code, code)), subjects, first, found[:MAX_CHANGES_SHOWN])
