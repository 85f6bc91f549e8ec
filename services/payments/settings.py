"""What the payments service is told."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.shared.runtime.environment import Configuration, ServiceSettings, read_configuration


class PaymentsSettings(ServiceSettings):
    """Settings with the prefix DOUDI_PAYMENTS_."""

    model_config = SettingsConfigDict(env_prefix="DOUDI_PAYMENTS_", frozen=True, extra="ignore")

    bank_url: str = Field("http://127.0.0.1:8104", description="where the paying bank is reached")
    bank_key_file: Path = Field(description="bearer key for the paying bank")
    bank_name: str = Field("test_bank", max_length=35, description="the bank's name in accounts and messages")
    bank_dedupes_by_msg_id: bool = Field(
        True, description="the contract says that the bank pays a message id once; only then is a file ever resent"
    )
    payer_name: str = Field("兜底示范民政局", max_length=140, description="who pays, as the payees read it")
    payer_account: str = Field("420100000000000001", max_length=34, description="the account that is paid from")


def configuration() -> Configuration[PaymentsSettings]:
    """The settings of this process; raises SettingRefused."""
    return read_configuration(PaymentsSettings)
