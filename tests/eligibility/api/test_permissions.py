"""Who may call what: every role against every route, as the one table of permissions says."""

import pytest

from services.cli.provision import DEVELOPMENT_ROLES
from services.eligibility.api import (
    awards,
    determinations,
    notices,
    policy_packs,
    population_simulations,
    redeterminations,
    regions,
)
from services.eligibility.domain.permission import PERMISSIONS

SERVICE = "payments"
ROLES = (*DEVELOPMENT_ROLES, SERVICE)
SHARED = [("GET", f"/log/{path}", "read_log") for path in ("checkpoint", "key", "consistency")]
SHARED += [("POST", "/test-helpers/clock", "set_test_clock")]
OPEN = {("GET", "/health"), ("GET", "/ready"), ("GET", "/test-helpers/clock")}


def own_routes():
    """(method, path, action) of each route, as the route itself says."""
    routers = (awards.router, determinations.router, notices.router, redeterminations.router, regions.router)
    for router in (*routers, policy_packs.router, policy_packs.proposals_router, population_simulations.router):
        for route in router.routes:
            [action] = [a for a in (getattr(d.call, "action", None) for d in route.dependant.dependencies) if a]
            yield (*route.methods, route.path, action)


ROUTES = [*own_routes(), *SHARED]


def allowed(role, action):
    return ("service" if role == SERVICE else role) in PERMISSIONS[action].roles


def call(eligibility, method, path, role, **options):
    ids = {f"{what}_id": f"{what}_0" for what in ("determination", "redetermination", "award", "pack", "simulation")}
    filled = path.format(**ids, version="0", code="420100")
    headers = {"Idempotency-Key": f"gate-{role}", **options.pop("headers", {})}
    return eligibility.call(method, filled, role, headers=headers, **options)


@pytest.mark.parametrize(("method", "path", "action"), ROUTES, ids=[f"{m} {p}" for m, p, _ in ROUTES])
def test_only_the_roles_of_the_table_pass(eligibility, method, path, action):
    before = eligibility.counts()
    for role in ROLES:
        answer = call(eligibility, method, path, role)
        if allowed(role, action):
            assert answer.status_code not in (401, 403), role
        else:
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), role
    assert eligibility.counts() == before


@pytest.mark.parametrize(("method", "path", "action"), ROUTES, ids=[f"{m} {p}" for m, p, _ in ROUTES])
def test_nobody_passes_without_a_token(eligibility, method, path, action):
    for headers in (
        {},
        {"Authorization": "Bearer x.y.z"},
        {"Authorization": "Basic YTpi"},
        {"Authorization": "Bearer"},
    ):
        answer = call(eligibility, method, path, None, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
        assert answer.headers["www-authenticate"] == "Bearer"


def test_the_gate_is_before_the_body(eligibility):
    for path in ("/determinations", "/simulations", "/determinations/none/awards", "/awards/none/confirm"):
        for role, status in ((None, 401), ("auditor", 403)):
            answer = eligibility.call("POST", path, role, json={"surprise": 1})
            assert answer.status_code == status, path


def test_every_route_is_known_and_every_action_has_one(eligibility):
    described = eligibility.http.get(f"{eligibility.url}/eligibility/openapi.json").json()["paths"]
    there = {
        (method.upper(), path.removeprefix("/eligibility/v1")) for path, ways in described.items() for method in ways
    }
    assert there == {(method, path) for method, path, _ in ROUTES} | OPEN
    assert {action for _, _, action in ROUTES} == set(PERMISSIONS)
    assert {role for permission in PERMISSIONS.values() for role in permission.roles} <= {*DEVELOPMENT_ROLES, "service"}


def test_the_auditor_changes_nothing(eligibility):
    of_the_auditor = {action for action, permission in PERMISSIONS.items() if "auditor" in permission.roles}
    assert of_the_auditor == {
        "read_determination",
        "replay_determination",
        "read_award",
        "read_policy_pack",
        "read_pack_proposal",
        "read_population_simulation",
        "read_region",
        "read_log",
    }


def test_nobody_but_staff_moves_money():
    assert PERMISSIONS["propose_award"].roles == {"caseworker"}
    assert PERMISSIONS["decide_award"].roles == {"caseworker", "confirmer"}
