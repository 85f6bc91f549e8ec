"""The answer to a determination, and its one spelling as bytes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from functools import cached_property, partial
from operator import attrgetter
from typing import Any, Literal

import orjson

from services.shared.policy.explanation import Reason, reasons_of
from services.shared.policy.pack import Programme
from services.shared.policy.text import Text
from services.shared.policy.wire import wire, wire_bytes, wire_list
from services.shared.vocabulary.money import yuan_of
from services.shared.vocabulary.region import living_code

Outcome = Literal["eligible", "ineligible", "undetermined"]
HOUSEHOLD = "household"
FORMAT = 3
"""How answers are told: a new number where the same decision is told with other keys, sentences or reasons."""


@dataclass(frozen=True)
class Paper:
    """A document that is needed, and where that is written; `held_by` is the department that holds it already."""

    id: str
    text: Text
    held_by: Text | None
    citation: Mapping[str, str] | None

    @cached_property
    def wire(self) -> str:
        """The document as an answer shows it, on its way out."""
        held_by = {} if self.held_by is None else {"held_by": _text(self.held_by)}
        return wire({"id": self.id, "text": _text(self.text), "citation": self.citation, **held_by})


@dataclass(slots=True)
class Result:
    """One programme's outcome for the household or one member. Never changed; not frozen, as that is slow to make.

    `region` is set where another place than the request's decides: that of the emergency (Law Art. 29).
    `monthly_fen` or `one_off_fen` is set when the outcome is eligible and the programme pays, `months` where the
    one-off amount is paid in stages; `together_fen` is what a top-up is once all that is granted with it is
    paid, if another; `forgone_fen` is what an excluded programme would have paid. `department` decides a referral.
    `explain` makes the reasons, each as JSON on its way out (`wire`); `around` is what is sent before and after them,
    where that is known already.
    """

    programme: str
    tier: str
    subject: str
    outcome: Outcome
    monthly_fen: int | None = None
    one_off_fen: int | None = None
    months: int | None = None
    together_fen: int | None = None
    forgone_fen: int | None = None
    starts_in: str | None = None
    decision_level: str | None = None
    department: Text | None = None
    region: str | None = None
    category: str = ""
    documents: tuple[Paper, ...] = ()
    missing_facts: tuple[str, ...] = ()
    missing_parameters: tuple[str, ...] = ()
    excluded_by: str | None = None
    may_be_excluded_by: tuple[str, ...] = ()
    chosen_over: tuple[str, ...] = ()
    around: tuple[str, str] | None = field(default=None, repr=False, compare=False)
    explain: Callable[[], Sequence[str]] = field(default=tuple, repr=False, compare=False)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why, with both sides' numbers, read back from what is sent."""
        return reasons_of(self.explain())

    def changed(self, **changes: Any) -> "Result":
        """The result with these fields replaced."""
        return replace(self, around=None, **changes)

    @property
    def paid_fen(self) -> int:
        """What the household gets of it a month once all that the answer grants is paid."""
        return (self.monthly_fen if self.together_fen is None else self.together_fen) or 0


@dataclass(frozen=True, slots=True)
class Combination:
    """What to apply for so that the household has most a month: the results granted then, and what to leave unasked.

    `is_settled` is false while some result is undetermined, so that the sum may still grow.
    """

    results: tuple[Result, ...]
    monthly_fen: int
    left_out: tuple[str, ...]
    is_settled: bool


@dataclass(frozen=True, slots=True)
class PresumptionUsed:
    """An absent fact that a pack presumed."""

    path: str
    presumed: Any
    text: Text


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything that a determination says."""

    as_of: date
    region: str
    simulation: bool
    packs: tuple[Mapping[str, str], ...]
    category: str
    results: tuple[Result, ...]
    presumptions: tuple[PresumptionUsed, ...]
    monthly_total_fen: int
    one_off_total_fen: int
    combination: Combination

    @property
    def region_resolved(self) -> str | None:
        """The code that the place has on the day, where the one that was asked had been given up by then."""
        living = living_code(self.region, self.as_of)
        return None if living == self.region else living

    def result(self, programme: str, subject: str = HOUSEHOLD) -> Result:
        """The result for a programme and subject. Raises KeyError when there is none."""
        for result in self.results:
            if (result.programme, result.subject) == (programme, subject):
                return result
        raise KeyError((programme, subject))


def render_answer(answer: Answer) -> bytes:
    """The answer as canonical JSON: sorted keys, no spaces, UTF-8; the same answer is always the same bytes."""
    totals = {"monthly": yuan_of(answer.monthly_total_fen)}
    if answer.one_off_total_fen:
        totals["one_off"] = yuan_of(answer.one_off_total_fen)
    resolved = {"region_resolved": answer.region_resolved} if answer.region_resolved else {}
    before, _, after = wire(
        {
            **resolved,
            "format": FORMAT,
            "as_of": answer.as_of.isoformat(),
            "region": answer.region,
            "simulation": answer.simulation,
            "packs": list(answer.packs),
            "category": answer.category,
            "results": [],
            "presumptions": [
                {"path": item.path, "presumed": item.presumed, "text": _text(item.text)} for item in answer.presumptions
            ],
            "totals": totals,
            "combination": _combination(answer.combination),
        }
    ).partition(_NO_RESULTS)
    return wire_bytes("".join([before, *_results(answer.results), after]))


_NO_RESULTS, _NO_REASONS = '"results":[]', '"reasons":[]'


def _combination(combination: Combination) -> dict[str, Any]:
    return {
        "granted": [
            {"programme": result.programme, "subject": result.subject, **_amounts_together(result)}
            for result in combination.results
        ],
        "monthly": yuan_of(combination.monthly_fen),
        "leaves_out": list(combination.left_out),
        "settled": combination.is_settled,
    }


def _amounts(result: Result) -> dict[str, Any]:
    amounts = {
        "monthly": result.monthly_fen,
        "monthly_together": result.together_fen,
        "one_off": result.one_off_fen,
        "forgone": result.forgone_fen,
    }
    return {name: yuan_of(fen) for name, fen in amounts.items() if fen is not None}


def _amounts_together(result: Result) -> dict[str, Any]:
    amounts = _amounts(result)
    together = amounts.pop("monthly_together", None)
    return amounts if together is None else {**amounts, "monthly": together}


MAX_REFUSALS = 500
"""Refusals that a rulebook keeps: of its programmes, each for the few names that households give their members."""

_all_but_reasons = attrgetter(*(item.name for item in fields(Result) if item.name != "explain"))


class Refusals:
    """The refusals by one rulebook: they differ from household to household in nothing but their reasons."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str, str | None, str | None], Callable[..., Result]] = {}

    def refusal(
        self,
        programme: Programme,
        subject: str,
        decision_level: str | None,
        region: str | None,
        explain: Callable[[], Sequence[str]],
    ) -> Result:
        """That of a programme to a subject, put together once."""
        key = (programme.id, subject, decision_level, region)
        made = self._made.get(key)
        if made is None:
            if len(self._made) >= MAX_REFUSALS:
                self._made.clear()
            refusal = _refusal(programme, subject, decision_level, region)
            made = self._made[key] = partial(Result, *_all_but_reasons(refusal))
        return made(explain)


def _refusal(programme: Programme, subject: str, decision_level: str | None, region: str | None) -> Result:
    result = Result(
        programme.id,
        programme.tier,
        subject,
        "ineligible",
        decision_level=decision_level,
        department=programme.department,
        region=region,
        category=programme.category,
    )
    result.around = _around_reasons(result)
    return result


def _results(results: Sequence[Result]) -> list[str]:
    """In pieces, to be joined once: they are nearly all of an answer."""
    pieces = ['"results":[']
    for result in results:
        before, after = result.around or _around_reasons(result)
        pieces += before, '"reasons":[', ",".join(result.explain()), "]", after, ","
    pieces[-1 if results else 1 :] = ["]"]
    return pieces


def _around_reasons(result: Result) -> tuple[str, str]:
    before, _, after = wire(_shown(result)).partition(_NO_REASONS)
    return before, after


def _papers(papers: Iterable[Paper]) -> orjson.Fragment:
    return orjson.Fragment(wire_bytes(wire_list([paper.wire for paper in papers])))


def _shown(result: Result) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "programme": result.programme,
        "tier": result.tier,
        "subject": result.subject,
        "outcome": result.outcome,
        "decision_level": result.decision_level,
        "reasons": [],
        "documents": _papers(paper for paper in result.documents if paper.held_by is None),
        "documents_held": _papers(paper for paper in result.documents if paper.held_by is not None),
        "missing_facts": result.missing_facts,
        "missing_parameters": result.missing_parameters,
        "excluded_by": result.excluded_by,
        "may_be_excluded_by": result.may_be_excluded_by,
        "chosen_over": result.chosen_over,
    }
    if result.outcome != "ineligible" or result.forgone_fen is not None:
        shown |= _amounts(result)
    if result.months is not None:
        shown["months"] = result.months
    if result.department is not None:
        shown["department"] = _text(result.department)
    if result.starts_in is not None:
        shown["from"] = result.starts_in
    if result.region is not None:
        shown["region"] = result.region
    return shown


def _text(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}
