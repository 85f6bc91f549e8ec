"""Settings: the environment wins over the file, what is missing is named in one line, production is strict."""

import pytest

from services.eligibility.settings import EligibilitySettings
from services.shared.runtime.environment import SettingRefused, environment_file, read_configuration

GIVEN = {
    "DOUDI_ELIGIBILITY_PORT": "8101",
    "DOUDI_ELIGIBILITY_DATABASE_URL": "postgresql+psycopg://doudi_eligibility:canary-password@/doudi",
    "DOUDI_ELIGIBILITY_SIGNING_KEY_FILE": "signing.pem",
    "DOUDI_ELIGIBILITY_LOG_KEY_FILE": "log.pem",
    "DOUDI_ELIGIBILITY_PERSONAL_DATA_KEY_FILE": "personal-data.json",
}


@pytest.fixture
def given(monkeypatch, tmp_path):
    """Sets what a service needs, and nothing else, for a data folder of the test's own."""
    import os

    for name in [name for name in os.environ if name.startswith("DOUDI_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DOUDI_DATA_DIR", str(tmp_path))

    def give(**changed: str | None) -> None:
        for name, value in {**GIVEN, **changed}.items():
            monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)

    return give


def refusal() -> str:
    with pytest.raises(SettingRefused) as refused:
        read_configuration(EligibilitySettings)
    return str(refused.value)


def test_what_is_needed_suffices(given):
    given()
    settings = read_configuration(EligibilitySettings)
    assert settings.own.port == 8101
    assert settings.common.mode == "development"


def test_each_missing_or_wrong_setting_is_named_in_one_line_and_no_value_is_shown(given):
    given(
        DOUDI_ELIGIBILITY_PORT="canary-port",
        DOUDI_ELIGIBILITY_LOG_KEY_FILE=None,
        DOUDI_ELIGIBILITY_DATABASE_URL=None,
        DOUDI_MODE="canary-mode",
    )
    line = refusal()
    for name in ("ELIGIBILITY_PORT", "ELIGIBILITY_LOG_KEY_FILE", "ELIGIBILITY_DATABASE_URL", "MODE"):
        assert f"DOUDI_{name}" in line
    assert "SIGNING" not in line and "canary" not in line and "\n" not in line


@pytest.mark.parametrize(("port", "is_refused"), [("0", True), ("1", False), ("65535", False), ("65536", True)])
def test_a_port_is_one(given, port, is_refused):
    given(DOUDI_ELIGIBILITY_PORT=port)
    if is_refused:
        assert "DOUDI_ELIGIBILITY_PORT" in refusal()
    else:
        assert read_configuration(EligibilitySettings).own.port == int(port)


def test_production_refuses_the_test_clock(given):
    given(DOUDI_MODE="production", DOUDI_TEST_CLOCK="true")
    assert "DOUDI_TEST_CLOCK" in refusal()
    given(DOUDI_MODE="production", DOUDI_TEST_CLOCK="false")
    assert read_configuration(EligibilitySettings).common.mode == "production"
    given(DOUDI_MODE="development", DOUDI_TEST_CLOCK="true")
    assert read_configuration(EligibilitySettings).common.test_clock


def test_the_environment_wins_over_the_file(given, tmp_path):
    given(DOUDI_ELIGIBILITY_PORT=None)
    environment_file().write_text("DOUDI_ELIGIBILITY_PORT=9001\nDOUDI_LOG_LEVEL=ERROR\n", encoding="utf-8")
    assert read_configuration(EligibilitySettings).own.port == 9001
    given(DOUDI_ELIGIBILITY_PORT="9002")
    settings = read_configuration(EligibilitySettings)
    assert (settings.own.port, settings.common.log_level) == (9002, "ERROR")


def test_the_password_does_not_show_in_a_message(given):
    given()
    assert "canary" not in repr(read_configuration(EligibilitySettings))


def test_an_empty_data_folder_setting_is_none_at_all(given, monkeypatch):
    usual = environment_file().name
    monkeypatch.setenv("DOUDI_DATA_DIR", "")
    assert environment_file().is_absolute() and environment_file().name == usual
