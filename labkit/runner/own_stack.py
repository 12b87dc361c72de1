"""The stack of a run, and what the notebooks have to know of it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from labkit.runner.folders import STACK
from labkit.stack import Stack


@dataclass(frozen=True)
class OwnStack:
    """A stack for one run; `is_ours` is false where services ran before, which then stay up."""

    stack: Stack
    is_ours: bool

    @classmethod
    def of(cls, place: str, folder: Path) -> "OwnStack":
        """Embedded, a stack beside any other; elsewhere the one that the Compose file describes."""
        if place == "embedded":
            return cls(Stack.free(folder / STACK), is_ours=True)
        stack = Stack(place=place)
        return cls(stack, is_ours=not stack.ps())

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
        if self.stack.place == "embedded":
            return f"LAB_HOME={self.stack.home} LAB_PORT_OFFSET={self.stack.port_offset} ./lab {verb}"
        return f"./lab {verb} --place {self.stack.place}"

    def end(self) -> None:
        """Stop what the run started. An embedded stack leaves its logs, where they were, and no data."""
        if not self.is_ours:
            return
        self.stack.down()
        if self.stack.place == "embedded":
            logs, aside = self.stack.home / "logs", self.stack.home.with_name("logs-aside")
            if logs.is_dir():
                logs.rename(aside)
            self.stack.destroy()
            if aside.is_dir():
                self.stack.home.mkdir(parents=True, exist_ok=True)
                aside.rename(logs)
