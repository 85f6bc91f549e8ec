"""What is wrong with a pack: which pack, which rule or row, where in it, and how to put it right."""


class PackFault(Exception):
    """A pack that is refused at load. `where` is a rule's id, or a file and row; `column` counts from 1, 0 is none."""

    def __init__(self, pack: str, where: str, column: int, problem: str, remedy: str) -> None:
        super().__init__(pack, where, column, problem, remedy)
        self.pack, self.where, self.column = pack, where, column
        self.problem, self.remedy = problem, remedy

    def __str__(self) -> str:
        column = f", column {self.column}" if self.column else ""
        return f"{self.pack}: {self.where}{column}: {self.problem}; {self.remedy}"
