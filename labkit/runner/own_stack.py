"""The stack of a run, and what the notebooks have to know of it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from labkit.runner import folders
from labkit.stack import Stack

LOG_LINES = 100_000
"""More than a container writes in a run."""


@dataclass(frozen=True)
class OwnStack:
    """A stack of one run, beside any other: in its folder, or in containers and volumes of its own."""

    stack: Stack

    @classmethod
    def of(cls, place: str, folder: Path, *, keep: bool) -> "OwnStack":
        """The stack of the run that has this folder; what killed runs left of theirs ends first."""
        if place != "embedded":
            for lost in folders.stacks(folder.parent, only_lost=True):
                lost.destroy()
        stack = Stack.free(folder / folders.STACK, place)
        folders.note_stack(folder, stack, kept=keep)
        return cls(stack)

    @contextmanager
    def environment(self, progress_file: Path, *, keep: bool) -> Iterator[None]:
        """What kernels that start meanwhile see; without `keep`, services end with this process, even after kill -9."""
        ours = {
            "LAB_PLACE": self.stack.place,
            "LAB_HOME": str(self.stack.home),
            "LAB_PORT_OFFSET": str(self.stack.port_offset),
            "LAB_PROGRESS": str(progress_file),
        }
        if not keep:
            ours["LAB_OWNER_PID"] = str(os.getpid())
        before = dict(os.environ)
        os.environ.update(ours)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)

    def command(self, verb: str) -> str:
        """The `./lab` command that reaches this stack from a terminal."""
        where = f"LAB_HOME={self.stack.home} LAB_PORT_OFFSET={self.stack.port_offset} ./lab {verb}"
        return where if self.stack.place == "embedded" else f"{where} --place {self.stack.place}"

    def end(self) -> None:
        """Stop what the run started. Logs stay, in the folder of the stack; data do not."""
        if self.stack.place == "embedded":
            self.stack.down()
        else:
            self._write_logs()
        logs, aside = self.stack.home / "logs", self.stack.home.with_name("logs-aside")
        if logs.is_dir():
            logs.rename(aside)
        self.stack.destroy()
        if aside.is_dir():
            self.stack.home.mkdir(parents=True, exist_ok=True)
            aside.rename(logs)

    def _write_logs(self) -> None:
        """What containers said goes with them."""
        logs = self.stack.home / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        for one in self.stack.ps():
            (logs / f"{one.name}.log").write_text(self.stack.logs(one.name, LOG_LINES))
