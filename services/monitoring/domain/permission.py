"""Who may do what in monitoring: the one table that routes and tests read."""

from services.shared.vocabulary.actor import Permission, Permissions

DEPARTMENT = "department"
"""The role of a sender whose signature was verified; no token grants it."""

PERMISSIONS: Permissions = {
    "send_feed_batch": Permission(frozenset({DEPARTMENT})),
    "read_feed_batches": Permission(frozenset({"monitor", "operator", "auditor"})),
    "read_alerts": Permission(frozenset({"monitor", "caseworker", "auditor"})),
    "read_log": Permission(frozenset({"auditor", "operator"})),
    "set_test_clock": Permission(frozenset({"operator"})),
}
