"""The policy in our engine: the same eleven outputs, read from the values of the pack's rules."""

import json
from collections.abc import Callable
from typing import Any

from benchmarks.comparison.household import Household
from benchmarks.comparison.pack_files import packs
from benchmarks.comparison.referee import Outputs
from benchmarks.comparison.request_body import request_body
from services.eligibility.api.household_body import parse_request
from services.eligibility.domain.facts import read_facts
from services.eligibility.domain.request import DeterminationRequest
from services.eligibility.use_cases.evaluate_household import pack_set_of
from services.shared.policy.checks import check
from services.shared.policy.evaluation import Evaluation, PackSet, PreparedPolicy
from services.shared.policy.explanation import Explanation
from services.shared.policy.pack import load_pack
from services.shared.policy.printing import Frame
from services.shared.policy.wire import wire_bytes, wire_list

RULES = {
    "household_income": "income.household",
    "income_per_head": "income.per_head",
    "assets_ok": "assets.within",
    "tekun": "tekun.total",
    "dibao": "dibao.paid",
    "supplement": "supplement.paid",
    "margin": "dibao_margin.eligible",
    "single": "single.total",
    "rigid": "rigid_expenditure.eligible",
    "emergency": "emergency.paid",
    "monthly_total": "total.monthly",
}
"""The rule that yields each output."""


def comparison_packs() -> PackSet:
    """The fifty-one packs, checked as a migration checks those that it publishes."""
    found = pack_set_of(load_pack(files) for _, files in packs())
    check(found)
    return found


def parsed(household: Household) -> DeterminationRequest:
    """The household as the service has it after its body was checked."""
    return parse_request(json.dumps(request_body(household)).encode())


def rows(policy: PreparedPolicy, request: DeterminationRequest) -> Frame:
    """The household laid out in rows."""
    return read_facts(request, policy.book.presumptions)


def outputs(packs: PackSet, household: Household) -> Outputs:
    """The eleven outputs for a household, in fen."""
    request = parsed(household)
    policy = packs.prepare(request.region, request.as_of)
    return outputs_of(policy)(policy.run(rows(policy, request)))


def outputs_of(policy: PreparedPolicy) -> Callable[[Frame], Outputs]:
    """Reads the outputs out of what a run of the policy returns."""
    places = [policy.program.places[RULES[name]] for name in Outputs._fields]

    def read(frame: Frame) -> Outputs:
        return Outputs(*(_at(frame, place) for place in places))

    return read


def _at(frame: Frame, place: tuple[int, ...]) -> int:
    value: Any = frame
    for slot in place:
        value = value[slot]
    return int(value)


def sentences(policy: PreparedPolicy, household: Frame) -> bytes:
    """Why each programme is granted or refused to each whom it is for: values, sentences, figures and citations."""
    evaluation = Evaluation(policy, household)
    programmes = policy.book.programmes
    explanation = Explanation(evaluation, _name_of, answered=frozenset(programmes))
    said: list[str] = []
    for programme in programmes.values():
        is_for_all = programme.entity == policy.book.schema.root.name
        for row in (evaluation.root,) if is_for_all else evaluation.rows(programme.entity, evaluation.root):
            is_granted = evaluation.value(f"{programme.id}.eligible", row)
            said += explanation.granted(programme, row) if is_granted else explanation.refused(programme, row)
    return wire_bytes(wire_list(said))


def _name_of(entity: str, indices: tuple[int, ...]) -> str:
    return f"m{indices[0] + 1}" if entity == "member" else entity
