"""Runs the look-alike, and notebooks against it; each line of JSON on standard input asks for one.

A program of its own, because the whole of it may live in a namespace: `place.py` starts it. What takes long to import
is imported when the look-alike has been started.
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

from labkit.paths import ROOT
from tests.chameleon import namespace
from tests.chameleon.folder import Folder

READY_SECONDS, END_SECONDS = 30, 20
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def main() -> None:
    """Prepare the place, serve, and answer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--way", choices=namespace.WAYS, required=True)
    arguments, more = parser.parse_known_args()
    folder = Folder(arguments.folder)
    if arguments.way != "ports":
        namespace.prepare(folder, [folder.path, ROOT / "build"])
    with _look_alike(folder, more):
        _say({"ready": True})
        for line in sys.stdin:
            _say(_run(folder, **json.loads(line)))


def _say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)


@contextmanager
def _look_alike(folder: Folder, more: list[str]) -> Iterator[None]:
    """Serve the cloud; what it prints goes to `lookalike.log`."""
    command = [sys.executable, "-m", "tests.chameleon.lookalike", "--folder", str(folder.path), *more]
    with (folder.path / "lookalike.log").open("w") as log:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
    assert process.stdin
    try:
        import nbclient  # noqa: F401 - while the look-alike does the same

        _wait_for(folder.control, process)
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
    folder: Folder, notebook: str, output: str, work: str, parameters: dict[str, Any], timeout: float
) -> dict[str, Any]:
    """Run a notebook up to its end or its first error, and write it with its outputs."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
    from traitlets.config import Config

    from tests.chameleon.parameters import give

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
        config=Config({"KernelManager": {"transport": "ipc", "ip": f"{output}.kernel"}}),
    )
    # Else nbclient answers Output widgets on the channel on which it waits for the kernel, and may miss its reply.
    client.comm_open_handlers["jupyter.widget"] = lambda _: None
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


if __name__ == "__main__":
    main()
