"""What came out of a run."""

import json
import os
import platform
from dataclasses import dataclass
from pathlib import Path

import psutil

from labkit.runner.execute import CellFailure

EVERYTHING_RAN = "Everything ran."


@dataclass(frozen=True)
class Checks:
    """How many statements of a stage check held, and how many did not."""

    passed: int = 0
    failed: int = 0


@dataclass(frozen=True)
class NotebookResult:
    """One row of the table at the end; `skipped` says why it did not run, empty when it did."""

    name: str
    cells: int = 0
    cells_run: int = 0
    checks: Checks = Checks()
    seconds: float = 0.0
    skipped: str = ""
    failure: CellFailure | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return self.failure is None

    def columns(self) -> tuple[str, str, str]:
        """Cells, checks and seconds as they are shown."""
        if self.skipped:
            return "skipped", "", ""
        total = self.checks.passed + self.checks.failed
        cells = str(self.cells) if self.cells_run == self.cells else f"{self.cells_run} of {self.cells}"
        return cells, f"{self.checks.passed} of {total}" if total else "none", f"{self.seconds:.1f}"


def checks(progress_file: Path, stage: str) -> Checks:
    """What the stage check of a notebook wrote down; nothing if it did not get there."""
    if not progress_file.exists():
        return Checks()
    entry = json.loads(progress_file.read_text(encoding="utf-8")).get(stage, {})
    return Checks(entry.get("passed", 0), entry.get("failed", 0))


@dataclass(frozen=True)
class RunResult:
    """What a whole run came to, in a word or two; `failure` explains which cell stopped it, None when none did."""

    started: str
    place: str
    seconds: float
    results: list[NotebookResult]
    verdict: str
    failure: str | None = None
    port_offset: int = 0

    def save(self, file: Path) -> None:
        """Write what other programs want to know of this run, as JSON."""
        about = {
            "started": self.started,
            "place": self.place,
            "passed": self.verdict == EVERYTHING_RAN,
            "port_offset": self.port_offset,
            "python": platform.python_version(),
            "machine": f"{os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB of memory",
            "stages": {one.name: round(one.seconds, 1) for one in self.results if not one.skipped},
        }
        file.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
