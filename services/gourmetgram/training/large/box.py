"""A box for a program: it runs as a process of its own, may have so much memory, and is ended when it takes more.

In a container the kernel ends what takes more than the container may have. Elsewhere we look every 20 milliseconds, and
do the same. (A limit on the address space would be exact, but programs reserve much more of that than they use, and
libraries written in C++ hang or abort when they are refused a reservation.)
"""

import json
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final, Literal

import psutil

SAMPLE_SECONDS: Final = 0.02

KILLS: Final = (Path("/sys/fs/cgroup/memory.events"), Path("/sys/fs/cgroup/memory/memory.oom_control"))
"""Where a container's kernel counts the processes that it has ended for lack of memory: second and first version."""

Ended = Literal["done", "out of memory", "failed"]


@dataclass(frozen=True)
class Report:
    """What became of a program, and what it took meanwhile. Times are seconds since its start."""

    limit: int
    """Bytes that it might have."""
    status: int
    """As the system tells it: what the program returned, or the number of the signal that ended it, below 0."""
    ended: Ended
    seconds: float
    memory: list[tuple[float, int]] = field(default_factory=list)
    """Resident bytes, from the start to the end."""
    said: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    """The JSON objects that it printed."""
    complaint: str = ""
    """The end of what it wrote to its standard error."""


def run(argv: Sequence[str], limit: int, kills: Callable[[], int] | None = None) -> Report:
    """Run a program that prints JSON objects, one a line, and return when it has ended, in whatever way.

    Args:
        argv: the program and its arguments.
        limit: bytes of memory that it may have.
        kills: how many processes the kernel has ended for lack of memory so far.
    """
    kills = kills or kernel_kills
    before = kills()
    began = time.monotonic()
    memory: list[tuple[float, int]] = []
    said: list[tuple[float, dict[str, Any]]] = []
    with tempfile.TemporaryFile() as errors:
        with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors) as process:
            assert process.stdout  # noqa: S101 - it is a pipe
            listener = threading.Thread(target=_listen, args=(process.stdout, began, said))
            listener.start()
            try:
                is_over = _watch(process, limit, began, memory)
            finally:
                process.kill()
                listener.join()
        complaint = _end_of(errors)
    is_out = is_over or kills() > before
    ended: Ended = "done" if process.returncode == 0 else "out of memory" if is_out else "failed"
    return Report(limit, process.returncode, ended, time.monotonic() - began, memory, said, complaint)


def kernel_kills() -> int:
    """How many processes of this container the kernel has ended for lack of memory; 0 outside of one."""
    for path in KILLS:
        with suppress(OSError):
            counts = dict(line.split() for line in path.read_text().splitlines())
            return int(counts.get("oom_kill", 0))
    return 0


def _watch(process: "subprocess.Popen[bytes]", limit: int, began: float, memory: list[tuple[float, int]]) -> bool:
    """Follow the process to its end; whether it took too much and was ended for that."""
    with suppress(psutil.NoSuchProcess):
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            taken = watched.memory_info().rss
            if taken:  # it has none any more when it has ended a moment ago
                memory.append((time.monotonic() - began, taken))
            if taken > limit:
                process.kill()
                process.wait()
                return True
            time.sleep(SAMPLE_SECONDS)
    process.wait()
    return False


def _listen(output: IO[bytes], began: float, said: list[tuple[float, dict[str, Any]]]) -> None:
    for line in output:
        with suppress(ValueError):  # cut off when the process was killed
            said.append((time.monotonic() - began, json.loads(line)))


def _end_of(errors: IO[bytes], size: int = 2000) -> str:
    errors.seek(max(0, errors.seek(0, 2) - size))
    return errors.read().decode(errors="replace").strip()
