"""`python -m labkit.stack.launch FILE`: become the process that a file describes.

The file holds passwords, so it is readable by its owner only, and none of them shows up in the configuration of the
supervisor or in a list of processes. It must import little, because every start of every service passes through it.

Every service leads a process group. A leader that is killed may leave workers behind, which hold its port; so the
group's number is written down, and its rest is ended before the service starts again.
"""

import contextlib
import json
import os
import signal
import sys
from pathlib import Path


def write(file: Path, argv: list[str], environment: dict[str, str], folder: Path, user: int | None = None) -> None:
    """Describe a process: its command, its whole environment, its folder, and whom to run it as."""
    text = json.dumps({"argv": argv, "environment": environment, "folder": str(folder), "user": user})
    file.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
        opened.write(text)


def become(file: Path) -> None:
    """Replace this process by the one described, after ending what a crash has left of an earlier one."""
    group = file.with_suffix(".group")
    end_rest(group)
    if os.getpgrp() == os.getpid():
        group.write_text(str(os.getpid()))
    what = json.loads(file.read_text())
    os.chdir(what["folder"])
    if what["user"] is not None:
        os.setgroups([])
        os.setgid(what["user"])
        os.setuid(what["user"])
    os.execve(what["argv"][0], what["argv"], what["environment"])  # noqa: S606 - no shell is wanted


def note_ready(file: Path, pid: int) -> None:
    """Write down that this process of the service has answered: the supervisor says so only seconds later."""
    file.with_suffix(".ready").write_text(str(pid))


def was_ready(file: Path, pid: int) -> bool:
    """Whether this very process has answered before; one that took its place after a crash has not."""
    with contextlib.suppress(OSError):
        return file.with_suffix(".ready").read_text() == str(pid)
    return False


def end_rest(file: Path) -> None:
    """Kill the members of a group that has lost its leader.

    While one of them lives, the system gives the group's number to nobody else, so they are ours.
    """
    with contextlib.suppress(OSError, ValueError):
        group = int(file.read_text())
        try:
            os.kill(group, 0)
        except ProcessLookupError:
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    become(Path(sys.argv[1]))
