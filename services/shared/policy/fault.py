"""What is wrong or doubtful in a pack: which pack, which rule or row, where in it, and how to put it right."""

from dataclasses import dataclass

from services.shared.policy.text import Text


class PackFault(Exception):
    """A pack that is refused at load. `where` is a rule's id, or a file and row; `column` counts from 1, 0 is none."""

    def __init__(self, pack: str, where: str, column: int, problem: Text, remedy: Text) -> None:
        super().__init__(pack, where, column, problem, remedy)
        self.pack, self.where, self.column = pack, where, column
        self.problem, self.remedy = problem, remedy

    def __str__(self) -> str:
        return _line(self.pack, self.where, self.column, self.problem, self.remedy)


@dataclass(frozen=True, slots=True)
class PackWarning:
    """What an author should look at again; it refuses nothing. The fields are those of a fault, which has a column."""

    pack: str
    where: str
    problem: Text
    remedy: Text

    def __str__(self) -> str:
        return _line(self.pack, self.where, 0, self.problem, self.remedy)


Finding = PackFault | PackWarning


def _line(pack: str, where: str, column: int, problem: Text, remedy: Text) -> str:
    at = f", column {column}" if column else ""
    zh, en = f"{problem.zh}；{remedy.zh}", f"{problem.en}; {remedy.en}"
    # A quoted name may hold a line break; a finding is one line of a log or a terminal.
    return " ".join(f"{pack}: {where}{at}: {zh} / {en}".splitlines())
