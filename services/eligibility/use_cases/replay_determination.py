"""A recorded determination computed anew, from its recorded facts and packs; the same bytes or a refusal."""

from dataclasses import dataclass

from services.eligibility.domain.request import DeterminationRequest
from services.eligibility.store.determinations import Determination
from services.eligibility.use_cases.evaluate_household import rendered_answer
from services.eligibility.use_cases.published_policy import PackAltered, PublishedPolicy
from services.eligibility.use_cases.record_determination import with_id


@dataclass(eq=False)
class ReplayRefused(Exception):
    """A pack that the determination rests on is not what it was."""

    pack_id: str
    version: str


class ReplayDiffers(Exception):
    """The computation gives other bytes than were recorded."""


def replay_determination(recorded: Determination, request: DeterminationRequest, policy: PublishedPolicy) -> bytes:
    """The bytes of the answer to `request`, the recorded one, computed anew; the recorded answer is only compared.

    Raises ReplayRefused and ReplayDiffers.
    """
    try:
        packs = policy.named(recorded.packs)
    except PackAltered as altered:
        raise ReplayRefused(altered.pack_id, altered.version) from None
    numbered = with_id(recorded.id, rendered_answer(packs, request).body)
    if numbered != recorded.answer:
        raise ReplayDiffers
    return numbered
