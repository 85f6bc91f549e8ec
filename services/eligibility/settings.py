"""What the eligibility service is told."""

from pydantic_settings import SettingsConfigDict

from services.shared.runtime.environment import Configuration, ServiceSettings, read_configuration


class EligibilitySettings(ServiceSettings):
    """Settings with the prefix DOUDI_ELIGIBILITY_."""

    model_config = SettingsConfigDict(env_prefix="DOUDI_ELIGIBILITY_", frozen=True, extra="ignore")


def configuration() -> Configuration[EligibilitySettings]:
    """The settings of this process; raises SettingRefused."""
    return read_configuration(EligibilitySettings)
