"""Runs a pack's golden cases: each is a household and what must be answered to it."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.eligibility.domain.answer import render_answer
from services.eligibility.domain.request import DeterminationRequest
from services.eligibility.use_cases.evaluate_household import evaluate_household
from services.shared.policy.evaluation import PackSet
from services.shared.policy.pack import Pack, PackCase
from services.shared.policy.text import Text
from services.shared.vocabulary.invalid_body import InvalidBody

Parse = Callable[[Mapping[str, Any]], DeterminationRequest]
"""Reads a request's body; raises InvalidBody."""

_MEMBER = re.compile(r"household\.members\[(?P<id>[^\]]+)\]\.(?P<key>.+)")
_EVENT = re.compile(r"events\[(?P<index>[0-9]+)\]\.(?P<key>.+)")

NO_REQUEST = Text(
    "案例拼不出请求：核对 set 和 unset 的路径，日期要加引号",
    "the case makes no request: check the paths of set and unset, and put dates in quotes",
)
NO_PROGRAMME = Text("expect.results 的每一项都要写明 programme", "each of expect.results must name its programme")


@dataclass(frozen=True, slots=True)
class CaseReport:
    """One golden case and what its answer does not hold; nothing when it passes."""

    pack: str
    file: str
    name: str
    problems: tuple[Text, ...]


def run_golden_cases(packs: PackSet, pack: Pack, parse: Parse) -> Iterator[CaseReport]:
    """Each golden case of a pack, evaluated by `packs`; `parse` reads its request as the API does.

    Raises PackFault for packs that do not fit together.
    """
    for case in pack.cases:
        yield CaseReport(pack.id, case.file, case.name, tuple(_problems(packs, case, parse)))


def request_of(case: PackCase) -> Mapping[str, Any]:
    """The request body of a golden case: its base with the case's values set and removed."""
    body: dict[str, Any] = json.loads(json.dumps(case.base))
    for path, value in case.set.items():
        _place(body, path, value, remove=False)
    for path in case.unset:
        _place(body, path, None, remove=True)
    return body


def _problems(packs: PackSet, case: PackCase, parse: Parse) -> Iterator[Text]:
    try:
        body = request_of(case)
    except (LookupError, TypeError, AttributeError):
        # A path that leads nowhere, or a TOML date, which JSON has not.
        yield NO_REQUEST
        return
    try:
        answer = json.loads(render_answer(evaluate_household(packs, parse(body))))
    except InvalidBody as invalid:
        yield _refused(invalid)
        return
    expect = dict(case.expect)
    for wanted in _wanted_results(expect.pop("results", [])):
        yield from _result_differences(wanted, answer["results"])
    yield from _differences(expect, answer, "answer")


def _wanted_results(results: Any) -> list[Any]:
    return results if isinstance(results, list) else [results]


def _result_differences(wanted: Any, results: list[Mapping[str, Any]]) -> Iterator[Text]:
    if not isinstance(wanted, dict) or not isinstance(wanted.get("programme"), str):
        yield NO_PROGRAMME
        return
    programme = wanted["programme"]
    subject = wanted.get("subject", results[0]["subject"] if len(results) == 1 else "household")
    found = [result for result in results if (result["programme"], result["subject"]) == (programme, subject)]
    yield from _differences(wanted, found[0], programme) if found else [_no_result(programme)]


def _refused(invalid: InvalidBody) -> Text:
    zh = "；".join(f"{error.pointer or '/'}：{error.zh}" for error in invalid.errors)
    return Text(f"请求被拒绝：{zh}", f"the request is refused: {invalid}")


def _no_result(programme: str) -> Text:
    return Text(f"结果中没有 {programme}", f"no {programme}")


def _differences(wanted: Mapping[str, Any], found: Mapping[str, Any], where: str) -> Iterator[Text]:
    for key, value in wanted.items():
        got = found.get(key)
        if got != value:
            yield Text(
                f"{where}.{key}：应为 {value!r}，实为 {got!r}", f"{where}.{key}: expected {value!r}, got {got!r}"
            )


def _place(body: dict[str, Any], path: str, value: Any, *, remove: bool) -> None:
    """Set or remove what stands at a path written as in `missing_facts`."""
    holder, key = _holder(body, path)
    *above, last = key.split(".")
    for name in above:
        holder = holder.setdefault(name, {})
    if remove:
        holder.pop(last, None)
    else:
        holder[last] = value


def _holder(body: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    member = _MEMBER.fullmatch(path)
    if member is not None:
        found = [item for item in body["household"]["members"] if item["id"] == member["id"]]
        return found[0], member["key"]
    event = _EVENT.fullmatch(path)
    if event is not None:
        return body["events"][int(event["index"])], event["key"]
    return body, path
