"""Executes one notebook with papermill, and tells a watcher about each cell."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import papermill
import psutil
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.exceptions import PapermillExecutionError
from traitlets.config import Config

from labkit.runner.chapters import tags
from labkit.runner.prepare import Prepared

CELL_TIMEOUT = 1800
"""Seconds after which a cell counts as hanging."""

PRIVATE_KERNEL = Config({"KernelManager": {"transport": "ipc"}})
"""Sockets in a folder of this user, not ports: nobody else on the machine can listen, and runs cannot clash."""


class Watcher(Protocol):
    """Is told what happens; called from the thread that runs the notebook."""

    def cell_started(self, index: int) -> None:
        """A code cell begins; `index` counts all cells of the notebook from 0."""

    def cell_ended(self, index: int, seconds: float) -> None:
        """It ended without an error."""


@dataclass(frozen=True)
class CellFailure:
    """The cell at which a notebook stopped, and why."""

    index: int
    name: str
    message: str
    traceback: tuple[str, ...] = ()


class _Clock:
    """Turns the notebook client's hooks into calls of the watcher, and remembers where it is."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher
        self.index = 0
        self._since = 0.0

    def started(self, cell_index: int, **_: Any) -> None:
        self.index, self._since = cell_index, time.monotonic()
        self.watcher.cell_started(cell_index)

    def executed(self, cell: Any, cell_index: int, execute_reply: Any) -> None:
        if execute_reply["content"]["status"] == "ok" or "raises-exception" in tags(cell):
            self.watcher.cell_ended(cell_index, time.monotonic() - self._since)


def execute(prepared: Prepared, output: Path, folder: Path, watcher: Watcher) -> CellFailure | None:
    """Run all cells in `folder`, writing to `output` as they end; the failure at which it stopped, if any.

    An interruption of this process (Ctrl-C, SIGTERM turned into an exception) ends the kernel, and is raised again.
    """
    clock = _Clock(watcher)
    result: list[CellFailure | BaseException | None] = []
    # Not in the main thread: there the notebook client would take over the signals, and lose our own handlers.
    thread = threading.Thread(target=lambda: result.append(_outcome(prepared, output, folder, clock)), daemon=True)
    before = {child.pid for child in psutil.Process().children()}
    thread.start()
    try:
        thread.join()
    except BaseException:
        _end_kernels(before)
        thread.join(10)
        raise
    if isinstance(outcome := result[0], BaseException):
        raise outcome
    return outcome


def _outcome(prepared: Prepared, output: Path, folder: Path, clock: _Clock) -> CellFailure | BaseException | None:
    try:
        _run(prepared.notebook, output, folder, {"on_cell_execute": clock.started, "on_cell_executed": clock.executed})
    except PapermillExecutionError as error:
        return CellFailure(clock.index, error.ename, error.evalue, tuple(error.traceback))
    except (DeadKernelError, CellTimeoutError) as error:
        return CellFailure(clock.index, type(error).__name__, str(error))
    except BaseException as error:
        return error
    return None


def _run(notebook: Any, output: Path, folder: Path, hooks: dict[str, Callable[..., None]]) -> None:
    logging.getLogger("papermill").setLevel(logging.ERROR)
    papermill.execute_notebook(
        notebook,
        output,
        cwd=folder,
        progress_bar=False,
        execution_timeout=CELL_TIMEOUT,
        autosave_cell_every=0,
        config=PRIVATE_KERNEL,
        **hooks,
    )


def _end_kernels(before: set[int]) -> None:
    """Kill the children that appeared since, with what they started: a kernel leads a process group of its own."""
    for child in psutil.Process().children():
        if child.pid not in before:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)
