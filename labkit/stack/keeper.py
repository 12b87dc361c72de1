"""`python -m labkit.stack.keeper PID`: end when that process has ended, and so tell the supervisor to end as well.

A stack that was started for one command (a run, a test) must not outlive it, not even when the command is killed.
"""

import contextlib
import os
import signal
import sys
import time

import psutil

LOOK_SECONDS = 0.5


def wait_for(pid: int) -> None:
    """Return when the process has ended, even if its parent does not collect it."""
    with contextlib.suppress(psutil.NoSuchProcess):
        owner = psutil.Process(pid)
        while owner.is_running() and owner.status() != psutil.STATUS_ZOMBIE:
            time.sleep(LOOK_SECONDS)


if __name__ == "__main__":
    wait_for(int(sys.argv[1]))
    os.kill(os.getppid(), signal.SIGTERM)  # the supervisor is our parent
