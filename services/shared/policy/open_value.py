"""A value that is not known: using it for anything but passing it on stops the rule, which then stays open."""

from typing import Any, NoReturn


class OpenValueUsed(Exception):
    """A compiled rule needed a value that is not known; the rule is left to the abstract evaluator."""


def _refuse(*_: Any) -> NoReturn:
    raise OpenValueUsed


class Unknown:
    """A fact, parameter or rule without a value; `path` says what would have to be given, "" for a rule.

    Every operator raises OpenValueUsed, so that compiled code cannot mistake it for false, zero or a code.
    """

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        self.path = path

    def __repr__(self) -> str:
        return f"Unknown({self.path!r})"

    __bool__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __hash__ = _refuse  # type: ignore[assignment]
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __floordiv__ = __rfloordiv__ = _refuse
    __neg__ = __int__ = __index__ = __mod__ = __rmod__ = __iter__ = _refuse


OPEN = Unknown("")

PARAMETER_PREFIX = "parameter:"


def unknown_parameter(name: str) -> Unknown:
    """A figure that no pack holds for the place and date."""
    return Unknown(PARAMETER_PREFIX + name)


def parameter_named(path: str) -> str | None:
    """The parameter that `path` names, None when it names a fact."""
    return path.removeprefix(PARAMETER_PREFIX) if path.startswith(PARAMETER_PREFIX) else None
