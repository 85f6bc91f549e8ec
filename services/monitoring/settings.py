"""Monitoring's own settings."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.shared.runtime.environment import ServiceSettings


class MonitoringSettings(ServiceSettings):
    """What monitoring reads beside the common settings; each name begins with DOUDI_MONITORING_."""

    model_config = SettingsConfigDict(env_prefix="DOUDI_MONITORING_", frozen=True, extra="ignore")

    partner_keys_file: Path = Field(description="JWKS of the departments whose signed feeds are accepted")
