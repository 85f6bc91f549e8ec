"""Monitoring's own settings."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.shared.runtime.environment import Configuration, ServiceSettings, read_configuration


class MonitoringSettings(ServiceSettings):
    """What monitoring reads beside the common settings; each name begins with DOUDI_MONITORING_."""

    model_config = SettingsConfigDict(env_prefix="DOUDI_MONITORING_", frozen=True, extra="ignore")

    partner_keys_file: Path = Field(description="JWKS of the departments whose signed feeds are accepted")


def configuration() -> Configuration[MonitoringSettings]:
    """The settings of this process; raises SettingRefused."""
    return read_configuration(MonitoringSettings)
