"""Decides, from prepared policy and a request, who is entitled to what, what excludes what, and what is missing."""

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial

from services.eligibility.domain.answer import (
    HOUSEHOLD,
    Answer,
    Combination,
    Paper,
    PresumptionUsed,
    Refusals,
    Result,
)
from services.eligibility.domain.combination import best_combination
from services.eligibility.domain.facts import CIRCUMSTANCES, read_facts, used_presumptions
from services.eligibility.domain.missing import Budget, Found, settling
from services.eligibility.domain.origins import origins_of
from services.eligibility.domain.outcome import entitled, open_paths, outcome_of
from services.eligibility.domain.request import PROGRAMMES, TIERS, DeterminationRequest
from services.eligibility.domain.subjects import names_of
from services.eligibility.domain.top_up import paid_together
from services.shared.policy.evaluation import Evaluation, PreparedPolicy, Row, parameter_value
from services.shared.policy.explanation import Explanation, NameOf, bare_reason
from services.shared.policy.open_value import Unknown, parameter_named
from services.shared.policy.pack import (
    Citation,
    Document,
    Exclusion,
    Pack,
    ParameterDeclaration,
    Presumption,
    Programme,
)
from services.shared.policy.rulebook import Rulebook
from services.shared.policy.text import Text
from services.shared.vocabulary.invalid_body import BodyError, InvalidBody
from services.shared.vocabulary.period import next_month

CATEGORIES = ("tekun", "orphan", "unsupported_child", "dibao", "dibao_margin", "rigid_expenditure")
"""Statuses, the highest first."""
NO_CATEGORY, UNDETERMINED = "none", "undetermined"

NO_RULES = Text(
    "各级规则包中没有该项目在该日期有效的规则", "no pack holds rules for this programme that are in force on this date"
)


class NotAtOnce(Exception):
    """Something is open, and what would settle it takes longer to find than to answer."""


def evaluate(
    policy: PreparedPolicy, request: DeterminationRequest, *, is_simulation: bool = False, at_once: bool = False
) -> Answer:
    """The answer to a request under a policy prepared for its region and date. Pure: same inputs, same answer.

    It is a simulation when asked for as one, and when figures are replaced. Raises NotAtOnce where an outcome is open
    and the answer is wanted `at_once`.
    """
    policy = with_overrides(policy, request)
    case = Case.of(policy, request, at_once=at_once)
    results = _decided(case)
    granted = [result for result in results if result.outcome == "eligible"]
    return Answer(
        as_of=request.as_of,
        region=request.region,
        simulation=is_simulation or request.simulation,
        packs=_packs(case, results),
        category=_category(results, request),
        results=tuple(results),
        presumptions=tuple(_presumptions(case, results)),
        monthly_total_fen=sum([result.paid_fen for result in granted]),
        one_off_total_fen=sum([result.one_off_fen or 0 for result in granted]),
        combination=_combination(policy, request, results),
    )


def with_overrides(policy: PreparedPolicy, request: DeterminationRequest) -> PreparedPolicy:
    """The policy with the figures that the request replaces; figures that no pack declares change nothing.

    Raises InvalidBody for a rule by a name that the packs do not have.
    """
    if not request.parameters:
        return policy
    declared = policy.book.declarations
    given = {name: value for name, value in sorted(request.parameters.items()) if name in declared}
    errors = tuple(_unknown_code(declared[name]) for name in given if not _is_among(given[name], declared[name]))
    if errors:
        raise InvalidBody(errors)
    read = {
        name: parameter_value(value, declared[name]) if isinstance(value, str) else value
        for name, value in given.items()
    }
    return policy.with_parameters(read)


def _is_among(value: str | bool | int, declaration: ParameterDeclaration) -> bool:
    return declaration.type != "enum" or value in declaration.codes


def _unknown_code(declaration: ParameterDeclaration) -> BodyError:
    listed = ", ".join(declaration.codes)
    zh, en = f"不是规定的代码，只能使用：{listed}", f"is not one of the codes: use one of {listed}"
    return BodyError(f"/parameters/{declaration.name}", "unknown_code", zh, en)


@dataclass(slots=True)
class Case:
    """One request under evaluation; `elsewhere` is the same at the place of the event, where that is another.

    Never changed but for what it remembers; not frozen, as that is slow to make.
    """

    request: DeterminationRequest
    evaluation: Evaluation
    elsewhere: Evaluation | None
    names: NameOf = field(compare=False)
    budget: Budget = field(compare=False)
    at_once: bool = False
    explanations: dict[int, Explanation] = field(default_factory=dict, compare=False)

    def explanation(self, evaluation: Evaluation) -> Explanation:
        """That of this evaluation, so that results share reasons."""
        explanation = self.explanations.get(id(evaluation))
        if explanation is None:
            explanation = self.explanations[id(evaluation)] = Explanation(
                evaluation, self.names, origins_of(self.request), self._answered(evaluation)
            )
        return explanation

    def _answered(self, evaluation: Evaluation) -> Collection[str]:
        """The programmes that this evaluation answers, so that their own results tell of them."""
        book = self.evaluation.policy.book
        if self.elsewhere is None and self.request.programmes is None:
            return book.programmes
        asked = (book.programmes[code] for code in _asked(book, self.request) if code in book.programmes)
        return {programme.id for programme in asked if self.at(programme) is evaluation}

    @staticmethod
    def of(policy: PreparedPolicy, request: DeterminationRequest, *, at_once: bool = False) -> "Case":
        """The request's facts run through the policy."""
        place = _place_of_event(request)
        there = None
        if place is not None and place != request.region:
            there = _run(policy.elsewhere(place), request)
        return Case(request, _run(policy, request), there, names_of(request), Budget.of(request), at_once)

    def at(self, programme: Programme) -> Evaluation:
        """Where the programme is decided: at home, or where the event happened."""
        return self.elsewhere if programme.place == "event" and self.elsewhere is not None else self.evaluation


def _decided(case: Case) -> list[Result]:
    book = case.evaluation.policy.book
    results = list(itertools.chain.from_iterable([_results(case, code) for code in _asked(book, case.request)]))
    return paid_together(case.evaluation, case.request, _excluded(case, results))


def _combination(policy: PreparedPolicy, request: DeterminationRequest, results: Sequence[Result]) -> Combination:
    """The best that the household may lawfully take: aid is given to who applies (Law Art. 37)."""

    def asking(programmes: tuple[str, ...]) -> list[Result]:
        return _decided(Case.of(policy, replace(request, programmes=programmes)))

    return best_combination(results, _asked(policy.book, request), policy.book.exclusions, asking)


def _run(policy: PreparedPolicy, request: DeterminationRequest) -> Evaluation:
    return Evaluation(policy, read_facts(request, policy.book.presumptions))


def _place_of_event(request: DeterminationRequest) -> str | None:
    """Where the first event with a place happened (Law Art. 29: aid is asked for where the emergency is)."""
    if not request.events:
        return None
    return next((event["region"] for event in request.events if "region" in event), None)


def _asked(book: Rulebook, request: DeterminationRequest) -> tuple[str, ...]:
    if request.programmes is not None:
        return tuple(code for code in PROGRAMMES if code in request.programmes)
    return book.remembered("asked", lambda: tuple(code for code in PROGRAMMES if code in book.programmes))


# --- one programme -------------------------------------------------------------------------------------------------


def _results(case: Case, code: str) -> list[Result]:
    programme = case.evaluation.policy.book.programmes.get(code)
    if programme is None:
        reason = bare_reason("programme.rules_in_force", NO_RULES)
        missing = (f"{code}_rule",)
        return [
            Result(code, TIERS[code], HOUSEHOLD, "undetermined", missing_parameters=missing, explain=lambda: (reason,))
        ]
    evaluation = case.at(programme)
    rows = [evaluation.root] if programme.entity == HOUSEHOLD else evaluation.rows(programme.entity, evaluation.root)
    refusals: Refusals = evaluation.policy.book.remembered("refusals", Refusals)
    return [
        # Most are refusals, and most of those have nothing open.
        _refused(case, evaluation, programme, row, refusals)
        if value is False
        else _result(case, evaluation, programme, row, refusals)
        for row, value in zip(rows, entitled(evaluation, programme), strict=True)
    ]


def _result(case: Case, evaluation: Evaluation, programme: Programme, row: Row, refusals: Refusals) -> Result:
    outcome, amount = outcome_of(evaluation, programme, row)
    missing: tuple[str, ...] = ()
    if outcome == "undetermined":
        (outcome, amount), missing = _examined(case, evaluation, programme, row)
    if outcome == "ineligible":
        return _refused(case, evaluation, programme, row, refusals)
    eligible = outcome == "eligible"
    return Result(
        programme=programme.id,
        tier=programme.tier,
        subject=case.names(row.entity, row.indices),
        outcome=outcome,
        monthly_fen=amount if eligible and programme.monthly else None,
        one_off_fen=amount if eligible and programme.one_off else None,
        months=_months(evaluation, programme, row) if eligible else None,
        starts_in=_starts_in(programme, case.request.as_of) if eligible else None,
        decision_level=_decision_level(evaluation, programme, row),
        department=programme.department,
        region=_place_of_event(case.request) if evaluation is case.elsewhere else None,
        category=programme.category,
        documents=tuple(_papers(evaluation, programme, row)),
        missing_facts=tuple(path for path in missing if parameter_named(path) is None),
        missing_parameters=tuple(name for name in map(parameter_named, missing) if name is not None),
        explain=partial(_granted_or_open, case, evaluation, programme, row),
    )


def _refused(case: Case, evaluation: Evaluation, programme: Programme, row: Row, refusals: Refusals) -> Result:
    return refusals.refusal(
        programme,
        case.names(row.entity, row.indices) if row.indices else HOUSEHOLD,
        _decision_level(evaluation, programme, row),
        _place_of_event(case.request) if evaluation is case.elsewhere else None,
        partial(_not_granted, case, evaluation, programme, row),
    )


def _examined(case: Case, evaluation: Evaluation, programme: Programme, row: Row) -> tuple[Found, tuple[str, ...]]:
    """What an open outcome is after all, where every completion gives the same; and else what would settle it."""
    if case.at_once:
        raise NotAtOnce
    if _surely_excluded(case, programme, row):
        return ("undetermined", None), ()
    live = open_paths(evaluation, programme, row)
    examined = settling(case.request, evaluation.policy, programme, row, frozenset(live), case.budget)
    return examined.settled or ("undetermined", None), tuple(path for path in live if path in examined.missing)


def _months(evaluation: Evaluation, programme: Programme, row: Row) -> int | None:
    if not programme.months:
        return None
    months = evaluation.settled(programme.months, row)
    # Nought months is paid at once, and not in stages.
    return None if isinstance(months, Unknown) else int(months) or None


def _starts_in(programme: Programme, as_of: date) -> str | None:
    if programme.starts == "next_month":
        return next_month(as_of)
    return f"{as_of.year}-{as_of.month:02d}" if programme.starts == "same_month" else None


def _decision_level(evaluation: Evaluation, programme: Programme, row: Row) -> str | None:
    if not programme.level:
        return evaluation.policy.book.delegation.get(programme.id, programme.decision_level)
    level = evaluation.settled(programme.level, row)
    return None if isinstance(level, Unknown) else str(level)


def _surely_excluded(case: Case, programme: Programme, row: Row) -> bool:
    """Whether it is refused whatever its own tests say, so that nothing need be asked for it."""
    exclusions = _exclusions_of(case.evaluation.policy.book, programme.id)
    return any(case.evaluation.truth(exclusion.when, row) is True for exclusion in exclusions)


def _granted_or_open(case: Case, evaluation: Evaluation, programme: Programme, row: Row) -> Sequence[str]:
    return case.explanation(evaluation).granted(programme, row)


def _not_granted(case: Case, evaluation: Evaluation, programme: Programme, row: Row) -> Sequence[str]:
    return case.explanation(evaluation).refused(programme, row)


def _papers(evaluation: Evaluation, programme: Programme, row: Row) -> Iterator[Paper]:
    book = evaluation.policy.book
    for name in programme.documents:
        document = book.documents[name]
        if document.when and evaluation.truth(document.when, row) is False:
            continue
        yield book.remembered(f"paper {name}", partial(_paper, book, document))


def _paper(book: Rulebook, document: Document) -> Paper:
    return Paper(document.id, document.text, document.held_by, _citation(book, document.citations))


def _citation(book: Rulebook, citations: Sequence[Citation]) -> Mapping[str, str] | None:
    for citation in citations:
        instrument = book.instruments[citation.instrument]
        if citation.period.contains(book.on) and instrument.period.contains(book.on):
            start = instrument.period.from_on.isoformat()
            return {"instrument": instrument.title, "article": citation.article, "in_force_from": start}
    return None


# --- what excludes what --------------------------------------------------------------------------------------------


def _excluded(case: Case, results: list[Result]) -> list[Result]:
    """The results after exclusions: one acts only where its rule surely holds; where that is open, it is named."""
    chosen_over: dict[tuple[str, str], list[str]] = {}
    after = []
    for result in results:
        if result.outcome != "ineligible":
            for exclusion in _exclusions_of(case.evaluation.policy.book, result.programme):
                if result.outcome != "ineligible":
                    result = _apply(case, exclusion, result, chosen_over)
        after.append(result)
    if not chosen_over:
        return after
    return [
        result.changed(chosen_over=tuple(chosen_over[key]))
        if (key := (result.programme, result.subject)) in chosen_over
        else result
        for result in after
    ]


def _exclusions_of(book: Rulebook, loser: str) -> Sequence[Exclusion]:
    found: Mapping[str, list[Exclusion]] = book.remembered("exclusions by loser", lambda: _by_loser(book))
    return found.get(loser, ())


def _by_loser(book: Rulebook) -> Mapping[str, list[Exclusion]]:
    found: dict[str, list[Exclusion]] = {}
    for exclusion in book.exclusions:
        found.setdefault(exclusion.loser, []).append(exclusion)
    return found


def _apply(case: Case, exclusion: Exclusion, result: Result, chosen_over: dict[tuple[str, str], list[str]]) -> Result:
    row = _row_of(case, result)
    is_excluded = case.evaluation.truth(exclusion.when, row)
    if is_excluded is False:
        return result
    if is_excluded is None:
        return result.changed(may_be_excluded_by=(*result.may_be_excluded_by, exclusion.winner))
    for subject in _winners(case, exclusion, result):
        chosen_over.setdefault((exclusion.winner, subject), []).append(exclusion.loser)
    own = result.explain

    def reasons() -> Sequence[str]:
        return (case.explanation(case.evaluation).reason(exclusion.when, row), *own())

    return result.changed(
        outcome="ineligible",
        monthly_fen=None,
        one_off_fen=None,
        months=None,
        forgone_fen=result.one_off_fen if result.monthly_fen is None else result.monthly_fen,
        starts_in=None,
        documents=(),
        missing_facts=(),
        missing_parameters=(),
        excluded_by=exclusion.winner,
        may_be_excluded_by=(),
        explain=reasons,
    )


def _winners(case: Case, exclusion: Exclusion, result: Result) -> Iterator[str]:
    """The subjects of the winning programme that the loser gives way to."""
    programme = case.evaluation.policy.book.programmes.get(exclusion.winner)
    if programme is None or programme.entity == HOUSEHOLD or result.subject != HOUSEHOLD:
        yield result.subject
        return
    for member in case.request.household["members"]:
        yield member["id"]


def _row_of(case: Case, result: Result) -> Row:
    root = case.evaluation.root
    if result.subject == HOUSEHOLD:
        return root
    rows = case.evaluation.rows("member", root)
    return next(row for row in rows if case.names(row.entity, row.indices) == result.subject)


# --- the whole -----------------------------------------------------------------------------------------------------


def _category(results: Sequence[Result], request: DeterminationRequest) -> str:
    recognised = request.household.get("recognised_as")
    found = {(result.category, result.outcome) for result in results if result.category}
    for category in CATEGORIES:
        if (category, "eligible") in found or recognised == category:
            return category
        if (category, "undetermined") in found:
            return UNDETERMINED
    return NO_CATEGORY


def _packs(case: Case, results: Sequence[Result]) -> tuple[Mapping[str, str], ...]:
    chains = [case.evaluation.policy.book.chain]
    book = case.evaluation.policy.book
    if case.elsewhere is not None and any(
        result.programme in book.programmes and book.programmes[result.programme].place == "event" for result in results
    ):
        chains.append(case.elsewhere.policy.book.chain)
    if len(chains) == 1:
        return book.remembered("identities", partial(_identities, chains))
    return _identities(chains)


def _identities(chains: Sequence[Sequence[Pack]]) -> tuple[Mapping[str, str], ...]:
    return tuple({pack.id: pack.identity for chain in chains for pack in reversed(chain)}.values())


def _presumptions(case: Case, results: Sequence[Result]) -> Iterator[PresumptionUsed]:
    book = case.evaluation.policy.book
    if case.request.programmes is None:
        mattering = book.remembered("presumptions", lambda: _mattering(book, book.programmes))
    else:
        mattering = _mattering(book, {result.programme for result in results})
    for path, item in used_presumptions(case.request, mattering):
        yield PresumptionUsed(path, item.value, item.text)


def _mattering(book: Rulebook, programmes: Iterable[str]) -> tuple[Presumption, ...]:
    """The presumptions of facts that these programmes read."""
    read = frozenset().union(*(book.facts_read.get(code, ()) for code in programmes))
    return tuple(item for item in book.presumptions if any(_stands_for(item.entity, item.key, fact) for fact in read))


def _stands_for(entity: str, key: str, fact: tuple[str, str]) -> bool:
    if key == "circumstances":
        # The circumstances of members are also those of the supporters among them.
        return fact[1] in CIRCUMSTANCES and (fact[0] == entity or entity == "member")
    return fact[0] == "event" if key == "events" else fact == (entity, key)
