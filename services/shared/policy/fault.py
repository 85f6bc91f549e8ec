"""What is wrong with a pack: which pack, which rule or row, where in it, and how to put it right."""

from services.shared.policy.text import Text


class PackFault(Exception):
    """A pack that is refused at load. `where` is a rule's id, or a file and row; `column` counts from 1, 0 is none."""

    def __init__(self, pack: str, where: str, column: int, problem: Text, remedy: Text) -> None:
        super().__init__(pack, where, column, problem, remedy)
        self.pack, self.where, self.column = pack, where, column
        self.problem, self.remedy = problem, remedy

    def __str__(self) -> str:
        column = f", column {self.column}" if self.column else ""
        zh, en = f"{self.problem.zh}；{self.remedy.zh}", f"{self.problem.en}; {self.remedy.en}"
        # A quoted name may hold a line break; a fault is one line of a log or a terminal.
        return " ".join(f"{self.pack}: {self.where}{column}: {zh} / {en}".splitlines())
