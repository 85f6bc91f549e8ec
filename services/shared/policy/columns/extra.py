"""Whether what whole populations need is installed; this module itself needs none of it."""

from importlib.util import find_spec

from services.shared.policy.text import Text

PACKAGES = ("llvmlite", "numpy", "pyarrow", "duckdb")
LOCK = "requirements-population.lock"


class ExtraMissing(Exception):
    """Packages of the extra `population` are not installed; `text` says which and how to install them."""

    def __init__(self, missing: tuple[str, ...]) -> None:
        listed, command = ", ".join(missing), f"pip install --require-hashes -r {LOCK}"
        self.text = Text(
            f"整体人口计算需要 {listed}，尚未安装：运行 {command}",
            f"whole populations need {listed}, not installed yet: run {command}",
        )
        super().__init__(f"{self.text.zh} / {self.text.en}")


def require_population_extra() -> None:
    """Raises ExtraMissing when something of the extra is not installed; call it before importing what uses it."""
    missing = tuple(name for name in PACKAGES if find_spec(name) is None)
    if missing:
        raise ExtraMissing(missing)
