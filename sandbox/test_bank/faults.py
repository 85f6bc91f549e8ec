"""What goes wrong on demand: the next pay file is hung or refused, once, as a trial asks."""

import threading
from dataclasses import dataclass
from enum import StrEnum

LONGEST_HANG_SECONDS = 600.0


class FaultKind(StrEnum):
    """What happens to the next pay file."""

    ACCEPT_THEN_HANG = "accept_then_hang"  # booked, and the answer comes after the sender gave up
    HANG_BEFORE_ACCEPT = "hang_before_accept"  # booked late, after the sender gave up
    REFUSE_503 = "refuse_503"  # not booked


@dataclass(frozen=True, slots=True)
class Fault:
    """One planned fault and how long it hangs."""

    kind: FaultKind
    seconds: float


class Faults:
    """The fault planned for the next pay file, if any; taken once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next: Fault | None = None
        self._stopping = threading.Event()

    def plan(self, fault: Fault | None) -> None:
        """Plan `fault` for the next pay file, or none."""
        with self._lock:
            self._next = fault

    def take(self) -> Fault | None:
        """The planned fault, which is then spent."""
        with self._lock:
            fault, self._next = self._next, None
            return fault

    def hang(self, seconds: float) -> None:
        """Wait, but not longer than the process lives."""
        self._stopping.wait(min(seconds, LONGEST_HANG_SECONDS))

    def stop(self) -> None:
        """Wake everything that hangs, at the end of the process."""
        self._stopping.set()
