"""The life line of a child process: it ends when the process that started it is gone, however that one ended.

`python -m services.shared.runtime.parent MODULE [ARGUMENTS]` gives a life line to a module that knows nothing of one.
"""

import os
import runpy
import signal
import sys
import threading
import time

PARENT_FD = "DOUDI_PARENT_FD"
"""Names the inherited read end of a pipe whose write end the parent alone holds, and never writes to."""

ORDERLY_END_S = 10
"""How long work in hand may take after the parent is gone; then the process group is killed."""


def exit_with_parent() -> None:
    """Watches the parent in a thread from now on; does nothing in a process that was started by hand."""
    given = os.environ.pop(PARENT_FD, "")
    if not given.isdecimal():
        return
    descriptor = int(given)
    # A grandchild that held it open would not hurt, but it has no use for it.
    os.set_inheritable(descriptor, False)
    threading.Thread(target=_end_after, args=(descriptor,), name="parent", daemon=True).start()


def _end_after(descriptor: int) -> None:
    os.read(descriptor, 1)  # returns only at the end of the pipe: the kernel closes the parent's end with the parent
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(ORDERLY_END_S)
    # The supervisor makes each child the leader of its group, so nothing but its own children is in it.
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


if __name__ == "__main__":
    exit_with_parent()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
