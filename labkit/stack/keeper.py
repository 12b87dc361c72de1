"""`python -m labkit.stack.keeper PID`: end when that process has ended, and so tell the supervisor to end as well.

A stack that was started for one command (a run, a test) must not outlive it, not even when the command is killed.
"""

import os
import signal
import sys

import psutil


def wait_for(pid: int) -> None:
    """Return when the process has ended."""
    try:
        psutil.Process(pid).wait()
    except psutil.NoSuchProcess:
        return


if __name__ == "__main__":
    wait_for(int(sys.argv[1]))
    os.kill(os.getppid(), signal.SIGTERM)  # the supervisor is our parent
