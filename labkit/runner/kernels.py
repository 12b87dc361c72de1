"""The kernels that a process has started."""

from contextlib import suppress

import psutil


def kernels_of(pid: int) -> list[int]:
    """Its kernels; each leads a process group of its own. None when the process has ended."""
    with suppress(psutil.NoSuchProcess):
        return [child.pid for child in psutil.Process(pid).children() if _is_kernel(child)]
    return []


def _is_kernel(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return any("ipykernel" in part for part in process.cmdline())
    return False
