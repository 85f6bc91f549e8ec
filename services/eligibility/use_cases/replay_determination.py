"""A recorded determination computed anew, from its recorded facts and packs; the same bytes or a refusal."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from services.eligibility.domain.answer import FORMAT
from services.eligibility.domain.request import DeterminationRequest
from services.eligibility.store.determinations import Determination
from services.eligibility.use_cases.evaluate_household import rendered_answer
from services.eligibility.use_cases.published_policy import PackAltered, PublishedPolicy
from services.eligibility.use_cases.record_determination import with_id

FIRST_FORMAT = 1
"""Of answers that do not say in which format they are told."""
DECIDING = ("programme", "subject", "outcome", "monthly", "one_off", "from", "excluded_by")


@dataclass(eq=False)
class ReplayRefused(Exception):
    """A pack that the determination rests on is not what it was."""

    pack_id: str
    version: str


class ReplayDiffers(Exception):
    """The computation gives other bytes than were recorded."""


def replay_determination(recorded: Determination, request: DeterminationRequest, policy: PublishedPolicy) -> bytes:
    """The bytes of the answer to `request`, the recorded one, computed anew; the recorded answer is only compared.

    An answer that was told in an older format is compared by what it decides, and given as it was recorded. Raises
    ReplayRefused and ReplayDiffers.
    """
    try:
        packs = policy.named(recorded.packs)
    except PackAltered as altered:
        raise ReplayRefused(altered.pack_id, altered.version) from None
    anew, told = with_id(recorded.id, rendered_answer(packs, request).body), _read(recorded.answer)
    if told.get("format", FIRST_FORMAT) == FORMAT:
        is_same = anew == recorded.answer
    else:
        is_same = _decision(_read(anew), told) == _decision(told, told)
    if not is_same:
        raise ReplayDiffers
    return recorded.answer


def _read(answer: bytes) -> dict[str, Any]:
    try:
        read: dict[str, Any] = orjson.loads(answer)
    except orjson.JSONDecodeError:
        raise ReplayDiffers from None
    return read


def _decision(answer: Mapping[str, Any], asked: Mapping[str, Any]) -> list[Any]:
    """What an answer decides of the programmes that another one tells of: outcomes, amounts, months and what excludes.

    Programmes that had no rules yet in the software of then are not looked at.
    """
    told = {(result["programme"], result["subject"]) for result in asked["results"]}
    results = [{key: result.get(key) for key in DECIDING} for result in answer["results"]]
    return [
        [answer.get(key) for key in ("id", "as_of", "region", "packs", "totals")],
        [result for result in results if (result["programme"], result["subject"]) in told],
    ]
