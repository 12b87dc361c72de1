"""Ends a kernel, with all that its cells started, when the process that runs the notebook is killed.

A kernel notices by itself that its parent is gone, and leaves; programs that a cell started would stay. So a small
process waits beside the run, holding one end of a pipe: the other end closes however the run dies.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

ALL_WELL = "all well"


class Guard:
    """Guards the process groups it is told of, until the end of the `with` block; then it kills what is left of them.

    Args:
        folder: is deleted after the groups, when there is one.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._groups: set[int] = set()
        argv = [sys.executable, "-ES", __file__, *([str(folder)] if folder else [])]
        # A session of its own: Ctrl-C in the terminal is for the run, not for its guard.
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, text=True, start_new_session=True)

    def __enter__(self) -> Self:
        return self

    def watch(self, groups: Iterable[int]) -> None:
        """Guard these process groups, too."""
        assert self._process.stdin  # noqa: S101 - it is a pipe, see above
        for group in groups:
            if group not in self._groups:
                self._groups.add(group)
                print(group, file=self._process.stdin, flush=True)

    def end_groups(self) -> None:
        """Kill what there is."""
        kill(self._groups)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end_groups()
        self._process.communicate(ALL_WELL)


def kill(groups: Iterable[int]) -> None:
    """Kill process groups, as far as they still are."""
    for group in groups:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


def main() -> None:
    """Read groups from stdin until it closes; kill them unless the last line says that all is well."""
    lines = [line.strip() for line in sys.stdin]
    if ALL_WELL not in lines:
        kill(int(line) for line in lines)
        for folder in sys.argv[1:]:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
