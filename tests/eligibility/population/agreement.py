"""Holds the kernel and its SQL to the scalar engine: every column of the result, of every household."""

import calendar
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from services.eligibility.domain import determination
from services.eligibility.domain.answer import HOUSEHOLD, Result
from services.eligibility.domain.facts import SCHEMA
from services.eligibility.domain.missing import Budget
from services.eligibility.domain.outcome import outcome_of
from services.eligibility.domain.request import PROGRAMMES, DeterminationRequest
from services.eligibility.domain.subjects import names_of
from services.shared.policy.columns.population import PopulationPolicy
from services.shared.policy.columns.sql_running import results_by_sql
from services.shared.policy.columns.table import rows_to_table
from services.shared.policy.evaluation import Evaluation, PreparedPolicy
from services.shared.policy.open_value import Unknown
from services.shared.policy.pack import Programme
from services.shared.policy.schema import DATE, Entity

Row = tuple[Any, ...]
Said = dict[str, Any]
"""Columns of the result of one household, `members` a list of the same of each member."""

_MEMBERS = SCHEMA.rows_slot("member")


@dataclass
class Agreement:
    """How many values were compared, how often each outcome was among them, and those that differ."""

    values: int = 0
    outcomes: dict[str, int] | None = None
    differing: list[str] | None = None


def compare(policy: PopulationPolicy, households: Sequence[tuple[str, Row]], policy_of: Any) -> Agreement:
    """The kernel's results of households, each with its region, against those of `policy_of(region)` one by one."""
    table = rows_to_table(SCHEMA, [row for _, row in households], [region for region, _ in households])
    results, rejects = policy.run(table)
    assert rejects.num_rows == 0, rejects.to_pylist()[:3]
    found = Agreement(0, {}, [])
    for number, (said, (region, row)) in enumerate(zip(results.to_pylist(), households, strict=True)):
        expected = said_by_scalar(policy_of(region), region, row)
        _compare(said, expected, f"household {number} in {region}", found)
    return found


def _compare(said: Said, expected: Said, where: str, found: Agreement) -> None:
    assert found.outcomes is not None and found.differing is not None
    for name, value in said.items():
        if name == "members":
            for number, (member, other) in enumerate(zip(value, expected["members"], strict=True)):
                _compare(member, other, f"{where}, member {number}", found)
        elif name != "row":
            found.values += 1
            if value in ("eligible", "ineligible", "undetermined"):
                found.outcomes[value] = found.outcomes.get(value, 0) + 1
            if value != expected.get(name):
                found.differing.append(f"{where}: {name} is {value!r}, of one household {expected.get(name)!r}")


def compare_sql(policy: PopulationPolicy, households: Sequence[tuple[str, Row]]) -> tuple[int, list[str]]:
    """How many values the SQL gave, and the columns in which it differs from the kernel."""
    table = rows_to_table(SCHEMA, [row for _, row in households], [region for region, _ in households])
    facts, _, _ = policy.reader.read(table, policy.place_of)
    kernel, sql = policy.kernel.run(facts), results_by_sql(policy, facts)
    count, differing = 0, []
    for entity, found in sql.items():
        for name, column in policy.columns_of(SCHEMA.by_name[entity], kernel).items():
            plain = column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
            count += len(plain)
            if not plain.equals(found.column(name).combine_chunks().cast(plain.type)):
                differing.append(f"{entity}.{name}")
    return count, differing


# --- one household ---------------------------------------------------------------------------------------------------


def said_by_scalar(policy: PreparedPolicy, region: str, row: Row) -> Said:
    """What the engine for one household says, in the columns of the result."""
    request = request_of(policy, region, row)
    evaluation = Evaluation(policy, row)
    case = determination.Case(request, evaluation, None, names_of(request), Budget.of(request))
    decided = determination._excluded(case, list(_results(case)))
    said: Said = {"members": [{} for _ in row[_MEMBERS]]}
    monthly = one_off = 0
    for result in decided:
        programme = policy.book.programmes[result.programme]
        into = said if result.subject == HOUSEHOLD else said["members"][int(result.subject)]
        together = _together(evaluation, decided, result, programme)
        into |= _columns(result, together)
        monthly += (result.monthly_fen if together is None else together) or 0
        one_off += result.one_off_fen or 0
    said["category"] = determination._category(decided, request)
    return {**said, "monthly_total_fen": monthly, "one_off_total_fen": one_off}


def _columns(result: Result, together: int | None) -> Said:
    paid = result.one_off_fen if result.monthly_fen is None else result.monthly_fen
    return {
        result.programme: result.outcome,
        f"{result.programme}_fen": paid,
        f"{result.programme}_excluded_by": result.excluded_by,
        f"{result.programme}_may_be_excluded_by": ", ".join(dict.fromkeys(result.may_be_excluded_by)) or None,
        f"{result.programme}_together_fen": together,
    }


def request_of(policy: PreparedPolicy, region: str, row: Row) -> DeterminationRequest:
    """A request as it is told apart by what an answer says: members by number, and the status that was recognised."""
    household: dict[str, Any] = {"members": [{"id": str(number)} for number in range(len(row[_MEMBERS]))]}
    household["recognised_as"] = row[SCHEMA.root.position["recognised_as"]]
    return DeterminationRequest(policy.book.on, region, household, (), None, {})


def _results(case: determination.Case) -> Iterator[Result]:
    evaluation = case.evaluation
    for code in PROGRAMMES:
        programme = evaluation.policy.book.programmes.get(code)
        if programme is None:
            continue
        is_for_all = programme.entity == HOUSEHOLD
        for row in [evaluation.root] if is_for_all else evaluation.rows(programme.entity, evaluation.root):
            outcome, amount = outcome_of(evaluation, programme, row)
            yield Result(
                programme=code,
                tier=programme.tier,
                subject=case.names(row.entity, row.indices),
                outcome=outcome,
                monthly_fen=amount if programme.monthly else None,
                one_off_fen=amount if programme.one_off else None,
                category=programme.category,
            )


def _together(evaluation: Evaluation, decided: Sequence[Result], result: Result, programme: Programme) -> int | None:
    """What a top-up comes to beside what else is granted, None where that is what it is alone: as `top_up` has it,
    on rows instead of requests."""
    if not programme.set_off or result.outcome != "eligible":
        return None
    number = int(result.subject)
    row = evaluation.rows("member", evaluation.root)[number]
    paid = {
        other.programme: _part(evaluation, other, row)
        for other in decided
        if other.programme in programme.set_off
        and other.subject in (result.subject, HOUSEHOLD)
        and (other.outcome == "eligible" or other.excluded_by is not None)
    }
    anew = Evaluation(evaluation.policy, _with_paid(evaluation.root.facts, number, paid))
    outcome, amount = outcome_of(anew, programme, anew.rows("member", anew.root)[number])
    together = amount if outcome == "eligible" else 0
    return None if together == result.monthly_fen else together


def _part(evaluation: Evaluation, other: Result, row: Any) -> int:
    if other.subject != HOUSEHOLD or other.outcome != "eligible":
        return other.monthly_fen or 0
    return evaluation.settled(evaluation.policy.book.programmes[other.programme].share, row)


def _with_paid(root: Row, number: int, paid: Mapping[str, int]) -> Row:
    position, members = SCHEMA.by_name["member"].position, list(root[_MEMBERS])
    member = list(members[number])
    for code, amount in paid.items():
        member[position[f"draws_{code}"]] = amount > 0
        member[position[f"drawn_{code}"]] = amount
    members[number] = tuple(member)
    return (*root[:_MEMBERS], tuple(members), *root[_MEMBERS + 1 :])


# --- days ------------------------------------------------------------------------------------------------------------


def with_real_days(row: Row, entity: Entity = SCHEMA.root) -> Row:
    """The household with days of the calendar: whoever halves date numbers also finds the 45th of a month."""
    facts: list[Any] = [
        _real_day(value) if fact.kind == DATE and not isinstance(value, Unknown) else value
        for fact, value in zip(entity.facts, row, strict=False)
    ]
    for child in SCHEMA.children(entity.name):
        slot = SCHEMA.rows_slot(child.name)
        facts += [tuple([with_real_days(each, child) for each in row[slot]]), row[slot + 1]]
    return tuple(facts)


def _real_day(number: int) -> int:
    year, month = number // 10_000, min(max(number // 100 % 100, 1), 12)
    day = min(max(number % 100, 1), calendar.monthrange(year, month)[1])
    return date(year, month, day).year * 10_000 + month * 100 + day
