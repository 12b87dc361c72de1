"""Runs a process to its end, while its lines are in a log as soon as it writes them."""

import subprocess
import threading
from pathlib import Path

from labkit.stack.servers import Process

ONE_SHOT_SECONDS = 600
LATE = 124
"""The exit status of what did not end in time."""


def run_to_end(process: Process, log: Path) -> tuple[str, int]:
    """What the process wrote, and its exit status; the same lines are added to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    lines: list[str] = []
    late = threading.Event()
    with log.open("a", buffering=1) as file, _start(process) as running:

        def end() -> None:
            late.set()
            running.kill()

        timer = threading.Timer(ONE_SHOT_SECONDS, end)
        timer.start()
        try:
            assert running.stdout  # noqa: S101 - it is a pipe
            for line in running.stdout:
                lines.append(line)
                file.write(line)
        except BaseException:
            running.kill()
            raise
        finally:
            timer.cancel()
        code = running.wait()
        if late.is_set():
            lines.append(f"\ndid not end within {ONE_SHOT_SECONDS} s\n")
            file.write(lines[-1])
    return "".join(lines), LATE if late.is_set() else code


def _start(process: Process) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        process.argv, env=process.environment, cwd=process.folder, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
    )  # fmt: skip
