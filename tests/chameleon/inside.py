"""Runs the look-alike, and notebooks against it; each line of JSON on standard input asks for one.

A program of its own, because the whole of it may live in a namespace: `place.py` starts it. What takes long to import
is imported when the look-alike has been started.
"""

import argparse
import json
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
        from tests.chameleon import running

        _say({"ready": True})
        for line in sys.stdin:
            _say(running.run(folder, **json.loads(line)))


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
        import nbclient  # noqa: F401 - takes long, and the look-alike does as well

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


if __name__ == "__main__":
    main()
