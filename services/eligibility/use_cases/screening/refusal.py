"""Why a population is not screened, or not further: in Chinese and English, with what to do."""

from services.shared.policy.text import Text


class ScreeningRefused(Exception):
    """Nothing was computed: the input, the output or the rules are not fit. `text` says what, where and what to do."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(zh, en)
        self.text = Text(zh, en)


class ScreeningStopped(ScreeningRefused):
    """Something failed on the way; the parts that are finished stay, and the same command goes on from there."""
