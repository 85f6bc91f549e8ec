"""Monitoring's application: everything is wired here and nowhere else."""

from fastapi import FastAPI

from services.monitoring.api import alerts, feeds
from services.monitoring.domain.permission import PERMISSIONS
from services.monitoring.errors import CATALOGUE, CONSTRAINTS
from services.monitoring.gateways.partner_keys import read_partner_keys
from services.monitoring.gateways.policy_pack import read_signals
from services.monitoring.settings import MonitoringSettings, configuration
from services.monitoring.store.tables import runtime_tables
from services.shared.runtime.environment import Configuration
from services.shared.runtime.process import default_app
from services.shared.runtime.service_app import Runtime, create_service_app, new_runtime

NAME = "monitoring"
TITLE = "兜底监测 · Doudi monitoring"
VERSION = "0.1.0"


def create_runtime(settings: Configuration[MonitoringSettings]) -> Runtime:
    """What the application and the worker share."""
    return new_runtime(NAME, settings, runtime_tables, dict(CONSTRAINTS), PERMISSIONS)


def create_app(settings: Configuration[MonitoringSettings]) -> FastAPI:
    """The application. Raises UntrustedKeys or SignalPackInvalid rather than starting on half of its data."""
    app = create_service_app(create_runtime(settings), TITLE, [feeds.router, alerts.router], CATALOGUE, VERSION)
    is_production = settings.common.mode == "production"
    app.state.partner_keys = read_partner_keys(settings.own.partner_keys_file, is_production)
    app.state.signals = read_signals()
    return app


def create_default_app() -> FastAPI:
    """The application on this process's settings, for uvicorn's factory."""
    return default_app(NAME, configuration, create_app)
