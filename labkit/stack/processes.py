"""Who runs what on this machine, as far as we are allowed to see."""

import contextlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil

CONFIGURATION = "supervisor.conf"


def listeners() -> dict[int, psutil.Process | None]:
    """Ports somebody listens on, and the process where the system tells (macOS tells only about our own)."""
    found: dict[int, psutil.Process | None] = {}
    try:
        for one in psutil.net_connections("tcp"):
            if one.status == psutil.CONN_LISTEN and one.laddr:
                found[one.laddr.port] = _process(one.pid) or found.get(one.laddr.port)
    except psutil.AccessDenied:
        found.update(_listeners_we_may_see())
    return found


def _listeners_we_may_see() -> Iterator[tuple[int, psutil.Process]]:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            for one in process.net_connections("tcp"):
                if one.status == psutil.CONN_LISTEN and one.laddr:
                    yield one.laddr.port, process


def _process(pid: int | None) -> psutil.Process | None:
    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid) if pid else None
    return None


def describe(process: psutil.Process | None) -> str:
    """Such as `postgres (process 812 of user anna)`."""
    with contextlib.suppress(psutil.Error):
        if process:
            return f"{process.name()} (process {process.pid} of user {process.username()})"
    return "a program that the system does not name"


def supervisors() -> dict[Path, psutil.Process]:
    """Homes of the stacks of this checkout that run, and their supervisors."""
    found = {}
    for process, argv, _ in _ours():
        if "supervisor.supervisord" in argv:
            found[Path(argv[-1]).parent] = process
    return found


def belongs_to(home: Path) -> list[psutil.Process]:
    """Processes that were started for the stack in this folder, supervised or not."""
    return [process for process, argv, folder in _ours() if _touches(home, argv, folder)]


def orphans(homes: Iterable[Path]) -> list[psutil.Process]:
    """Processes of stacks in these folders whose supervisor has gone."""
    seen = [process for home in homes for process in belongs_to(home)]
    alive = {process.pid for process in supervisors().values()}  # looked up last: a stack may start meanwhile
    found = []
    for process in seen:
        with contextlib.suppress(psutil.Error):
            if not alive & {process.pid, *(parent.pid for parent in process.parents())}:
                found.append(process)
    return found


def _ours() -> Iterator[tuple[psutil.Process, list[str], str]]:
    """Processes run from this environment's programs, with their arguments and folders."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            argv = process.cmdline()
            # PostgreSQL may run from a copy; the name of its data folder then tells.
            if argv and (argv[0].startswith(sys.prefix) or process.name() == "postgres"):
                yield process, argv, _folder(process)


def _folder(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return process.cwd()
    return ""


def _touches(home: Path, argv: list[str], folder: str) -> bool:
    return Path(folder).is_relative_to(home) or any(f"{home}/" in argument for argument in argv)
