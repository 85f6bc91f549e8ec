"""Whom the rows of a household stand for in an answer: the household, a member, or one who is listed with a member."""

from collections.abc import Sequence
from functools import partial

from services.eligibility.domain.answer import HOUSEHOLD
from services.eligibility.domain.facts import SCHEMA
from services.eligibility.domain.kinship import relatives_in_household
from services.eligibility.domain.request import Body, DeterminationRequest
from services.shared.policy.explanation import NameOf


def names_of(request: DeterminationRequest) -> NameOf:
    """Names the rows of the request's household, by entity and indices."""
    relatives: dict[tuple[str, int], list[str]] = {}
    return partial(_name, request.household["members"], relatives)


def _name(
    members: Sequence[Body], relatives: dict[tuple[str, int], list[str]], entity: str, indices: tuple[int, ...]
) -> str:
    if not indices:
        return HOUSEHOLD
    if entity == "member":
        return str(members[indices[0]]["id"])
    if entity not in ("supporter", "parent"):
        return f"{SCHEMA.by_name[entity].plural}[{indices[-1]}]"
    key = (entity, indices[0])
    if key not in relatives:
        relatives[key] = _relatives(members[indices[0]], members, entity)
    return relatives[key][indices[1]]


def _relatives(member: Body, members: Sequence[Body], entity: str) -> list[str]:
    listed = SCHEMA.by_name[entity].plural
    told = [f"{member['id']}.{listed}[{index}]" for index in range(len(member.get(listed, ())))]
    # After those outside come those in the household, who have names of their own.
    return [*told, *(str(other["id"]) for other in relatives_in_household(entity, member, members))]
