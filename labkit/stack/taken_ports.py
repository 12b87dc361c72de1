"""Ports that a stack needs and somebody else has."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import psutil

from labkit.stack import ports, processes
from labkit.stack.errors import StackError

REMEDY = "Stop that program, or set LAB_PORT_OFFSET=100 to move all ports of the lab by 100."


def require_free(wanted: Mapping[str, Iterable[int]], home: Path) -> None:
    """Make sure that services can have their ports, before any of them is started.

    Args:
        wanted: ports by service.
        home: the folder of the stack; what an earlier start of it has left does not count, it is ended in time.

    Raises:
        StackError: it names each port, the service that needs it, and the process that has it.
    """
    taken = [(name, port) for name, needed in wanted.items() for port in needed if not ports.is_free(port)]
    if not taken:
        return
    listening = processes.listeners()
    ours = {process.pid for process in processes.belongs_to(home)}
    clashes = [(name, port) for name, port in taken if not is_held_by(listening.get(port), ours)]
    if clashes:
        lines = [
            f"The service {name} needs port {port}, which is used by {processes.describe(listening.get(port))}."
            for name, port in clashes
        ]
        raise StackError("\n".join([*lines, f"Nothing was started. {REMEDY}"]), clashes[0][0])


def is_held_by(holder: psutil.Process | None, ours: set[int]) -> bool:
    """Whether a process, or one that it descends from, is among these."""
    if holder is None:
        return False
    try:
        return bool(ours & {holder.pid, *(parent.pid for parent in holder.parents())})
    except psutil.Error:
        return holder.pid in ours
