"""Eligibility's application: everything is wired here and nowhere else."""

from typing import Any

from fastapi import FastAPI

from services.eligibility.api import (
    awards,
    determinations,
    notices,
    policy_packs,
    population_simulations,
    redeterminations,
    regions,
)
from services.eligibility.api.household_body import parse_request
from services.eligibility.domain.permission import PERMISSIONS
from services.eligibility.errors import CATALOGUE, CONSTRAINTS
from services.eligibility.settings import configuration
from services.eligibility.store.tables import runtime_tables
from services.eligibility.use_cases.examine_pack import PackExaminer
from services.eligibility.use_cases.overlay_packs import PackOverlays
from services.eligibility.use_cases.published_policy import PublishedPolicy
from services.shared.runtime.environment import Configuration
from services.shared.runtime.process import default_app
from services.shared.runtime.service_app import Runtime, create_service_app, new_runtime

VERSION = "0.1.0"
TITLE = "兜底 Doudi: eligibility / 救助认定"


def create_runtime(settings: Configuration[Any]) -> Runtime:
    """What the service and its worker share."""
    return new_runtime("eligibility", settings, runtime_tables, CONSTRAINTS, PERMISSIONS)


def create_app(settings: Configuration[Any]) -> FastAPI:
    """The service on `settings`."""
    runtime = create_runtime(settings)
    routers = [
        determinations.router,
        notices.router,
        population_simulations.router,
        redeterminations.router,
        awards.router,
        policy_packs.router,
        policy_packs.proposals_router,
        regions.router,
    ]
    app = create_service_app(
        runtime, TITLE, routers, CATALOGUE, VERSION, policy_packs.LARGER_BODIES, determinations.DIRECT
    )
    app.state.published_policy = policy = PublishedPolicy(runtime.database)
    app.state.pack_examiner = PackExaminer(policy, parse_request)
    app.state.pack_overlays = PackOverlays()
    return app


def create_default_app() -> FastAPI:
    """The service on this process's settings, for uvicorn's factory."""
    return default_app("eligibility", configuration, create_app)
