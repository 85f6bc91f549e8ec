"""A refused body: every error in it at once, each with its place and what to do, and never what was sent."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BodyError:
    """One error: where (JSON pointer, RFC 6901), a stable code, and what is wrong and what to do, zh and en."""

    pointer: str
    code: str
    zh: str
    en: str


class InvalidBody(Exception):
    """A body that is refused whole; nothing of it was recorded."""

    def __init__(self, errors: tuple[BodyError, ...]) -> None:
        super().__init__(", ".join(f"{error.pointer or '/'}: {error.code}" for error in errors))
        self.errors = errors
