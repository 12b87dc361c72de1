"""Runs one notebook with the kernel of a folder."""

import json
import os
import re
import time
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbclient.output_widget import OutputWidget
from traitlets.config import Config

from tests.chameleon.folder import Folder
from tests.chameleon.parameters import give

ANSI = re.compile(r"\x1b\[[0-9;]*m")


class _SilentOutput(OutputWidget):
    """An Output widget of which the kernel hears nothing.

    nbclient answers it on the channel on which it waits for the kernel. That may hide a reply until the cell's timeout.
    """

    def send(self, *_: Any, **__: Any) -> None:
        """Do not."""


def run(
    folder: Folder, notebook: str, output: str, work: str, parameters: dict[str, Any], timeout: float
) -> dict[str, Any]:
    """Run a notebook up to its end or its first error, and write it with its outputs; fields of `Executed`."""
    book = nbformat.read(notebook, as_version=4)
    give(book, parameters)
    watch = _Watch()
    client = NotebookClient(
        book,
        timeout=timeout,
        kernel_name=folder.kernel,
        resources={"metadata": {"path": work}},
        on_cell_execute=watch.started,
        on_cell_executed=watch.ended,
        # sockets instead of ports, to which nobody else can connect
        config=Config({"KernelManager": {"transport": "ipc", "ip": f"{output}.kernel"}}),
    )
    client.widget_registry["@jupyter-widgets/output"]["OutputModel"] = _SilentOutput
    error = traceback = ""
    os.environ |= folder.client_variables
    try:
        client.execute(env=json.loads(folder.variables.read_text()))
    except CellExecutionError as failure:
        error, traceback = f"{failure.ename}: {failure.evalue}", ANSI.sub("", failure.traceback)
    except (CellTimeoutError, DeadKernelError) as failure:
        error = f"{type(failure).__name__}: {failure}"
    nbformat.write(book, output)
    failed = book.cells[watch.index].source if error else ""
    return {"error": error, "failed_cell": failed, "traceback": traceback, "seconds": watch.seconds}


class _Watch:
    """Seconds of the cells so far, and which was the last to begin."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.index = 0
        self._began = 0.0

    def started(self, cell_index: int, **_: Any) -> None:
        self.index, self._began = cell_index, time.monotonic()

    def ended(self, **_: Any) -> None:
        self.seconds.append(round(time.monotonic() - self._began, 2))
