"""Runs the look-alike, and notebooks against it; each line of JSON on standard input asks for one, or for the end.

A program of its own, because the whole of it may live in a namespace: `place.py` starts it.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook
from traitlets.config import Config

from labkit.paths import ROOT
from tests.chameleon import namespace
from tests.chameleon.jupyter import CONTROL, HOST, KERNEL, Jupyter, Ports

READY_SECONDS, END_SECONDS = 30, 20
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def main() -> None:
    """Prepare the place, serve, and answer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--way", choices=namespace.WAYS, required=True)
    parser.add_argument("--port", type=int, default=Ports().cloud)
    parser.add_argument("--ssh-port", type=int, default=Ports().ssh)
    arguments, more = parser.parse_known_args()
    if arguments.way != "ports":
        namespace.prepare(HOST, arguments.folder, [arguments.folder, ROOT / "build"])
    jupyter = Jupyter(arguments.folder, Ports(arguments.port, arguments.ssh_port))
    os.environ |= jupyter.client_variables()
    with _look_alike(jupyter, more):
        _say({"ready": True})
        for line in sys.stdin:
            _say(_run(jupyter, **json.loads(line)))


def _say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)


@contextmanager
def _look_alike(jupyter: Jupyter, more: list[str]) -> Iterator[None]:
    """Serve the cloud; what it prints goes to `lookalike.log`."""
    where = ["--folder", str(jupyter.folder), "--port", str(jupyter.ports.cloud), "--ssh-port", str(jupyter.ports.ssh)]
    command = [sys.executable, "-m", "tests.chameleon.lookalike", *where]
    with (jupyter.folder / "lookalike.log").open("w") as log:
        process = subprocess.Popen([*command, *more], stdin=subprocess.PIPE, stdout=log, stderr=log)
    assert process.stdin
    try:
        _wait_for(jupyter.folder / CONTROL, process)
        yield
    finally:
        process.stdin.close()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(file: Path, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not file.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            sys.exit("the look-alike did not start; its log says why")
        time.sleep(0.02)


def _run(
    jupyter: Jupyter, notebook: str, output: str, folder: str, parameters: dict[str, Any], timeout: float
) -> dict[str, Any]:
    """Run a notebook up to its end or its first error, and write it with its outputs."""
    book = load_notebook_node(notebook)
    if parameters:
        book = parameterize_notebook(book, parameters, report_mode=False)
    watch = _Watch()
    client = NotebookClient(
        book,
        timeout=timeout,
        kernel_name=KERNEL,
        resources={"metadata": {"path": folder}},
        on_cell_execute=watch.started,
        on_cell_executed=watch.ended,
        config=Config({"KernelManager": {"transport": "ipc", "ip": f"{output}.kernel"}}),
    )
    error = traceback = ""
    try:
        client.execute(env=jupyter.variables())
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


if __name__ == "__main__":
    main()
