"""The table keeps apart what two persons must do, and no one role pays alone."""

import pytest

from services.payments.domain.batch import BatchState
from services.payments.domain.permission import AUDITOR, MAKER, PERMISSIONS
from services.shared.vocabulary.actor import NotAllowedInThisState, require_state


def test_no_role_both_makes_and_approves() -> None:
    assert not PERMISSIONS["submit_batch"].roles & PERMISSIONS["approve_batch"].roles


def test_the_auditor_only_reads() -> None:
    assert all(action.startswith("read_") for action, permission in PERMISSIONS.items() if AUDITOR in permission.roles)


@pytest.mark.parametrize(
    ("action", "state", "allowed"),
    [
        ("approve_batch", BatchState.SUBMITTED, True),
        ("approve_batch", BatchState.CALCULATED, False),
        ("submit_batch", BatchState.CALCULATED, True),
        ("submit_batch", BatchState.SUBMITTED, False),
        ("cancel_batch", BatchState.APPROVED, True),
        ("cancel_batch", BatchState.RELEASED, False),
        ("release_batch", BatchState.APPROVED, True),
        ("release_batch", BatchState.SUBMITTED, False),
    ],
)
def test_an_action_has_its_states(action: str, state: BatchState, allowed: bool) -> None:
    if allowed:
        require_state(PERMISSIONS, action, state)
    else:
        with pytest.raises(NotAllowedInThisState):
            require_state(PERMISSIONS, action, state)


def test_the_maker_cannot_release() -> None:
    assert MAKER not in PERMISSIONS["release_batch"].roles
