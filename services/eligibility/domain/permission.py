"""Who may do what in eligibility: one table of role × action × state, read by routes, use cases and tests."""

from services.shared.vocabulary.actor import Permission, Permissions


def _roles(*names: str, states: tuple[str, ...] = ()) -> Permission:
    return Permission(frozenset(names), frozenset(states))


PERMISSIONS: Permissions = {
    "determine": _roles("portal", "caseworker"),
    "simulate": _roles("portal", "caseworker", "policy_officer"),
    "simulate_population": _roles("policy_officer"),
    "read_population_simulation": _roles("policy_officer", "auditor"),
    "read_determination": _roles("portal", "caseworker", "confirmer", "auditor"),
    "replay_determination": _roles("caseworker", "confirmer", "policy_officer", "auditor"),
    "redetermine": _roles("caseworker", "policy_officer"),
    "propose_award": _roles("caseworker"),
    "decide_award": _roles("confirmer", "caseworker", states=("PROPOSED",)),
    "read_award": _roles("caseworker", "confirmer", "auditor"),
    "read_policy_pack": _roles("portal", "caseworker", "confirmer", "policy_officer", "auditor", "service"),
    "propose_policy_pack": _roles("policy_officer"),
    "decide_policy_pack": _roles("policy_officer", states=("PROPOSED",)),
    "read_pack_proposal": _roles("policy_officer", "auditor"),
    "read_region": _roles("portal", "caseworker", "confirmer", "policy_officer", "auditor", "operator", "service"),
    "read_log": _roles("auditor", "operator"),
    "set_test_clock": _roles("operator"),
}
"""A caseworker may confirm too, in an office of two; never what she proposed herself, which the database refuses.

So is the policy officer the second person to another one."""
