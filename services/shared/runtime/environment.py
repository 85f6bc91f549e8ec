"""Settings: read once, from the environment and then from the file that `doudi migrate` wrote."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

DEFAULT_DATA_DIR = Path(__file__).resolve().parents[3] / ".data"
ENVIRONMENT_FILE = "doudi.env"


class StartRefused(Exception):
    """The process may not start as it is: which setting, key or pack, and why, in one line (zh and en)."""


class SettingRefused(StartRefused):
    """A setting that may not be: which one and why, in one line (zh and en)."""


class CommonSettings(BaseSettings):
    """What every process of Doudi reads; each name in the environment begins with DOUDI_."""

    model_config = SettingsConfigDict(env_prefix="DOUDI_", frozen=True, extra="ignore")

    mode: Literal["development", "production"] = Field(
        "development", description="production refuses the test clock, development keys and demo people"
    )
    data_dir: Path = Field(DEFAULT_DATA_DIR, description="generated keys and addresses, logs, the embedded server")
    host: str = Field("127.0.0.1", description="the address that the services listen on")
    test_clock: bool = Field(False, description="business time stands where it is put; production refuses it")
    trusted_keys_file: Path | None = Field(
        None, description="JWKS of the issuers whose tokens are accepted; needed to serve"
    )
    eligibility_url: str = Field("http://127.0.0.1:8101", description="where the others reach eligibility")
    monitoring_url: str = Field("http://127.0.0.1:8102", description="where the others reach monitoring")
    payments_url: str = Field("http://127.0.0.1:8103", description="where the others reach payments")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="least level that is logged")
    job_heartbeat_seconds: int = Field(10, ge=1, le=600, description="after this silence a dead worker's job is rerun")


class ServiceSettings(BaseSettings):
    """What one service reads beside the common settings; its subclass sets the prefix DOUDI_<SERVICE>_."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    port: int = Field(ge=1, le=65535, description="the port that this service listens on")
    database_url: SecretStr = Field(description="the service's own database address, with its own role")
    signing_key_file: Path = Field(description="Ed25519 key (PEM) by which the service signs its tokens")
    log_key_file: Path = Field(description="Ed25519 key (PEM) by which the service signs its log's checkpoints")
    personal_data_key_file: Path = Field(description="keys of the personal data at rest (JSON)")


Own = TypeVar("Own", bound=ServiceSettings)
Kind = TypeVar("Kind", bound=BaseSettings)


@dataclass(frozen=True, slots=True)
class Configuration(Generic[Own]):
    """Everything that a service was told: the common settings and its own."""

    common: CommonSettings
    own: Own


def environment_file() -> Path:
    """The file beside the data, whether or not it exists yet."""
    return Path(os.environ.get("DOUDI_DATA_DIR") or DEFAULT_DATA_DIR) / ENVIRONMENT_FILE


def read_configuration(kind: type[Own]) -> Configuration[Own]:
    """Read the environment, then the file; raises SettingRefused naming each setting that is missing or wrong."""
    file = environment_file()
    wrong: list[str] = []
    common, own = _read(CommonSettings, file, wrong), _read(kind, file, wrong)
    if common is None or own is None:
        raise SettingRefused(f"缺少或有误的设置 / settings missing or wrong: {', '.join(wrong)} (doudi doctor)")
    if common.mode == "production" and common.test_clock:
        raise SettingRefused("DOUDI_TEST_CLOCK 不得用于生产环境 / is refused in production: unset it")
    return Configuration(common, own)


def _read(kind: type[Kind], file: Path, wrong: list[str]) -> Kind | None:
    """The settings of `kind`; None, and their names added to `wrong`, when some are missing or wrong."""
    try:
        return kind(_env_file=file)  # type: ignore[call-arg]  # pydantic-settings takes it beside the fields
    except ValidationError as error:
        prefix = kind.model_config.get("env_prefix", "")
        wrong += [f"{prefix}{finding['loc'][0]}".upper() for finding in error.errors(include_input=False)]
    except OSError:
        wrong.append(str(file))
    return None
