"""Executes one notebook with papermill, and tells a watcher about each cell."""

import logging
import os
import shutil
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import papermill
from jupyter_client.kernelspec import NoSuchKernel
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.exceptions import PapermillExecutionError
from traitlets.config import Config

from labkit.runner.chapters import read, tags
from labkit.runner.errors import RunError
from labkit.runner.guard import Guard
from labkit.runner.kernels import kernels_of
from labkit.runner.prepare import Prepared

CELL_TIMEOUT = 1800
"""Seconds after which a cell counts as hanging."""

ERROR_MARK = "papermill-error-cell-tag"
"""Tag of the cells that papermill adds to a notebook that failed."""


class Watcher(Protocol):
    """Is told what happens; called from the thread that runs the notebook."""

    def cell_started(self, index: int) -> None:
        """A code cell begins; `index` counts all cells of the notebook from 0."""

    def cell_ended(self, index: int, seconds: float) -> None:
        """It ended without an error."""


@dataclass(frozen=True)
class CellFailure:
    """The cell at which a notebook stopped, and why; `warnings` is what it wrote to its standard error before."""

    index: int
    name: str
    message: str
    traceback: tuple[str, ...] = ()
    warnings: str = ""


class _Clock:
    """Turns the notebook client's hooks into calls of the watcher, and remembers where it is."""

    def __init__(self, watcher: Watcher, guard: Guard) -> None:
        self.watcher, self._guard = watcher, guard
        self.index = 0
        self._since = 0.0

    def started(self, cell_index: int, **_: Any) -> None:
        self._guard.watch(kernels_of(os.getpid()))
        self.index, self._since = cell_index, time.monotonic()
        self.watcher.cell_started(cell_index)

    def executed(self, cell: Any, cell_index: int, execute_reply: Any) -> None:
        if execute_reply["content"]["status"] == "ok" or "raises-exception" in tags(cell):
            self.watcher.cell_ended(cell_index, time.monotonic() - self._since)


def execute(prepared: Prepared, output: Path, folder: Path, watcher: Watcher) -> CellFailure | None:
    """Run all cells in `folder`, writing to `output` as they end; the failure at which it stopped, if any.

    An interruption of this process (Ctrl-C, SIGTERM turned into an exception) ends the kernel, and is raised again.
    Nothing that a cell started in the kernel's process group outlives this call.
    """
    result: list[CellFailure | BaseException | None] = []
    # The kernel's sockets are files that only this user can open: no ports, so nobody else on the machine can listen.
    sockets = Path(tempfile.mkdtemp(prefix="lab-kernel-"))
    with Guard(sockets) as guard:
        clock = _Clock(watcher, guard)
        # Not in the main thread: there the notebook client would take over the signals, and lose our own handlers.
        work = threading.Thread(target=lambda: result.append(_outcome(prepared, output, folder, sockets, clock)))
        work.start()
        try:
            work.join()
        except BaseException:
            guard.watch(kernels_of(os.getpid()))
            guard.end_groups()
            work.join()
            raise
        finally:
            shutil.rmtree(sockets, ignore_errors=True)
    if isinstance(outcome := result[0], BaseException):
        raise outcome
    return outcome


def _outcome(
    prepared: Prepared, output: Path, folder: Path, sockets: Path, clock: _Clock
) -> CellFailure | BaseException | None:
    logging.getLogger("papermill").setLevel(logging.ERROR)
    try:
        papermill.execute_notebook(
            prepared.notebook,
            output,
            cwd=folder,
            progress_bar=False,
            execution_timeout=CELL_TIMEOUT,
            autosave_cell_every=0,
            config=Config({"KernelManager": {"transport": "ipc", "ip": str(sockets / "kernel")}}),
            on_cell_execute=clock.started,
            on_cell_executed=clock.executed,
        )
    except PapermillExecutionError as error:
        said = _standard_error(output, clock.index)
        return CellFailure(clock.index, error.ename, error.evalue, tuple(error.traceback), said)
    except (DeadKernelError, CellTimeoutError) as error:
        return CellFailure(clock.index, type(error).__name__, str(error))
    except NoSuchKernel as error:
        return RunError(f"{output.stem} asks for the kernel {error.name}, expected python3: run ./build_docs.sh")
    except BaseException as error:
        return error
    return None


def _standard_error(executed: Path, index: int) -> str:
    cells = [cell for cell in read(executed).cells if ERROR_MARK not in tags(cell)]
    return "".join(output.text for output in cells[index].outputs if output.get("name") == "stderr")
