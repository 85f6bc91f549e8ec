"""Payments' application: everything is wired here and nowhere else."""

from typing import Any

from fastapi import FastAPI

from services.payments.api import awards, batches, disbursements, exceptions, holds, ledger, on_time, policy_packs
from services.payments.domain.permission import PERMISSIONS
from services.payments.errors import CATALOGUE, CONSTRAINTS
from services.payments.gateways.policy_pack import read_payment_pack
from services.payments.settings import configuration
from services.payments.store.tables import runtime_tables
from services.shared.runtime.environment import Configuration
from services.shared.runtime.process import default_app
from services.shared.runtime.service_app import Runtime, create_service_app, new_runtime

NAME = "payments"
VERSION = "0.1.0"
TITLE = "兜底 Doudi: payments / 资金发放"


def create_runtime(settings: Configuration[Any]) -> Runtime:
    """What the service and its worker share."""
    return new_runtime(NAME, settings, runtime_tables, CONSTRAINTS, PERMISSIONS)


def create_app(settings: Configuration[Any]) -> FastAPI:
    """The service on `settings`. Raises PaymentPackInvalid rather than paying by half of its rules."""
    routers = [
        awards.router,
        batches.router,
        disbursements.router,
        holds.router,
        exceptions.router,
        ledger.router,
        on_time.router,
        policy_packs.router,
    ]
    app = create_service_app(create_runtime(settings), TITLE, routers, CATALOGUE, VERSION)
    app.state.payment_pack = read_payment_pack()
    return app


def create_default_app() -> FastAPI:
    """The service on this process's settings, for uvicorn's factory."""
    return default_app(NAME, configuration, create_app)
