"""What the eligibility service is told."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.shared.runtime.environment import Configuration, ServiceSettings, read_configuration


class EligibilitySettings(ServiceSettings):
    """Settings with the prefix DOUDI_ELIGIBILITY_."""

    model_config = SettingsConfigDict(env_prefix="DOUDI_ELIGIBILITY_", frozen=True, extra="ignore")

    populations_dir: Path | None = Field(
        None, description="folder of populations (NAME.parquet) over which policy officers may simulate reforms"
    )


def configuration() -> Configuration[EligibilitySettings]:
    """The settings of this process; raises SettingRefused."""
    return read_configuration(EligibilitySettings)
