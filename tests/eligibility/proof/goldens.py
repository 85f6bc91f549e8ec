"""The packs that ship, and what the golden cases of all of them ask."""

from functools import cache

from services.eligibility.api.household_body import parse_request
from services.eligibility.domain.request import DeterminationRequest
from services.eligibility.gateways.pack_folder import read_packs
from services.eligibility.use_cases.evaluate_household import pack_set_of
from services.eligibility.use_cases.run_golden_cases import request_of
from services.shared.policy.evaluation import PackSet
from services.shared.policy.pack import PackCase
from services.shared.vocabulary.invalid_body import InvalidBody


@cache
def shipped() -> PackSet:
    """The packs that ship."""
    return pack_set_of(read_packs())


@cache
def golden_requests() -> tuple[tuple[str, DeterminationRequest], ...]:
    """Each golden case's name and request; not those of a request that must be refused."""
    named = ((f"{pack.id} {case.name}", _request(case)) for pack in shipped().packs for case in pack.cases)
    return tuple((name, request) for name, request in named if request is not None)


def _request(case: PackCase) -> DeterminationRequest | None:
    try:
        return parse_request(request_of(case))
    except InvalidBody:
        return None
