"""Who may do what in payments, and in which state: the one table that routes and tests both read."""

from services.payments.domain.batch import BatchState
from services.payments.domain.hold import HoldState
from services.shared.vocabulary.actor import Permission, Permissions

MAKER = "maker"
CHECKER = "checker"
CASEWORKER = "caseworker"
CONFIRMER = "confirmer"
AUDITOR = "auditor"
OPERATOR = "operator"
SERVICE = "service"

_READERS = frozenset({MAKER, CHECKER, AUDITOR})
_COUNTY = frozenset({CASEWORKER, CONFIRMER})
_B = BatchState

PERMISSIONS: Permissions = {
    "apply_award": Permission(frozenset({SERVICE})),
    "create_batch": Permission(frozenset({MAKER})),
    "submit_batch": Permission(frozenset({MAKER}), frozenset({_B.CALCULATED})),
    "approve_batch": Permission(frozenset({CHECKER}), frozenset({_B.SUBMITTED})),
    "reject_batch": Permission(frozenset({CHECKER}), frozenset({_B.SUBMITTED})),
    # RELEASED and SENT too: lines that came back from a refused file wait for a person's word to go again.
    "release_batch": Permission(frozenset({CHECKER}), frozenset({_B.APPROVED, _B.RELEASED, _B.SENT})),
    "cancel_batch": Permission(frozenset({MAKER, CHECKER}), frozenset({_B.CALCULATED, _B.SUBMITTED, _B.APPROVED})),
    "read_batch": Permission(_READERS),
    "read_disbursement": Permission(_READERS | _COUNTY),
    "read_ledger": Permission(_READERS),
    "read_exception": Permission(_READERS),
    "place_hold": Permission(frozenset({SERVICE})),
    "answer_hold": Permission(_COUNTY, frozenset({HoldState.OPEN})),
    "confirm_hold": Permission(_COUNTY, frozenset({HoldState.ANSWERED})),
    "read_hold": Permission(_READERS | _COUNTY),
    "read_policy_pack": Permission(frozenset({AUDITOR})),
    "read_log": Permission(frozenset({AUDITOR, OPERATOR})),
    "set_test_clock": Permission(frozenset({OPERATOR})),
}
