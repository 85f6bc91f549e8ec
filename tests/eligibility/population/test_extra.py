"""What whole populations need is an extra: nothing else imports it, and whoever lacks it is told what to install."""

import subprocess
import sys

import pytest

from services.shared.policy.columns import extra
from services.shared.policy.columns.extra import PACKAGES, ExtraMissing, require_population_extra

SERVING = (
    "services.eligibility.app",
    "services.monitoring.app",
    "services.payments.app",
    "services.cli.main",
    "services.shared.policy.columns.extra",
)


def test_what_serves_one_household_runs_without_the_extra():
    program = (
        "import sys\n"
        f"for name in {(*PACKAGES, 'llvmlite.binding')!r}: sys.modules[name] = None\n"
        f"for name in {SERVING!r}: __import__(name)\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr


def test_whoever_lacks_the_extra_is_told_in_one_line_what_to_install(monkeypatch):
    require_population_extra()
    monkeypatch.setattr(extra, "PACKAGES", ("numpy", "no_such_package"))
    with pytest.raises(ExtraMissing) as raised:
        require_population_extra()
    for text in (raised.value.text.zh, raised.value.text.en):
        assert "no_such_package" in text and "numpy" not in text
        assert "requirements-population.lock" in text and "\n" not in text
