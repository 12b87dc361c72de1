"""A run: the notebooks in order, on a stack of its own, with a report at the end."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from labkit.paths import BUILD, NOTEBOOKS, PROGRESS
from labkit.runner import failure as failures
from labkit.runner import folders, freshness, report
from labkit.runner.chapters import Chapter, chapters
from labkit.runner.errors import RunError
from labkit.runner.execute import execute
from labkit.runner.interruption import orderly_exit, undisturbed
from labkit.runner.own_stack import OwnStack
from labkit.runner.prepare import check_parameters, prepare
from labkit.runner.progress import Progress
from labkit.runner.results import EVERYTHING_RAN, NotebookResult, RunResult, checks
from labkit.stack.machine import PLACES


@dataclass(frozen=True)
class Request:
    """What shall run, and where."""

    place: str = "embedded"
    only: str = ""
    keep: bool = False
    parameters: Mapping[str, Any] = field(default_factory=dict)
    notebooks: Path = NOTEBOOKS
    runs: Path = BUILD / "runs"


class Run:
    """One run and what came out of it so far."""

    def __init__(self, request: Request, progress: Progress) -> None:
        if request.place not in PLACES:
            raise RunError(f"--place {request.place}: there is no such place; there are {', '.join(PLACES)}")
        self.request, self.progress = request, progress
        self.chapters = chapters(request.notebooks, request.only)
        check_parameters([chapter.path for chapter in self.chapters], list(request.parameters))
        self.started = datetime.now().astimezone()
        self.folder = folders.new(request.runs, self.started)
        self.progress_file = self.folder / PROGRESS
        self.results: list[NotebookResult] = []
        self.verdict = "Interrupted."
        self.failure: str | None = None
        self.port_offset = 0

    def go(self) -> bool:
        """Run all notebooks until one fails; whether all passed. Stops the stack, however this ends."""
        began = time.monotonic()
        try:
            with self._stack() as own:
                for chapter in self.chapters:
                    self._chapter(chapter, own)
                    if self.failure:
                        break
            self.verdict = "Stopped at a failed cell." if self.failure else EVERYTHING_RAN
        finally:
            seconds = time.monotonic() - began
            self._report(seconds)
            folders.end(self.folder)
            folders.remove_old(self.request.runs)
        return self.failure is None

    @contextmanager
    def _stack(self) -> Iterator[OwnStack]:
        own = OwnStack.of(self.request.place, self.folder, keep=self.request.keep)
        self.port_offset = own.stack.port_offset
        try:
            with own.environment(self.progress_file, keep=self.request.keep):
                yield own
        finally:
            with undisturbed():
                self._end(own)

    def _end(self, own: OwnStack) -> None:
        if self.request.keep:
            self.progress.say(f"The services go on. To stop them: {own.command('down')}", "bold")
            return
        with self.progress.waiting("stopping the services"):
            own.end()

    def _chapter(self, chapter: Chapter, own: OwnStack) -> None:
        if reason := chapter.why_skipped():
            self.progress.skipped(chapter.name, reason)
            self.results.append(NotebookResult(chapter.name, skipped=reason))
            return
        began = time.monotonic()
        prepared = prepare(chapter.path, self.request.place, self.request.parameters)
        output = self.folder / chapter.path.name
        lines = self.progress.notebook(chapter.name, prepared)
        failed = None
        try:
            failed = execute(prepared, output, chapter.path.parent.resolve(), lines)
        finally:
            lines.close()
            self.results.append(
                NotebookResult(
                    chapter.name,
                    cells=len(prepared.runnable),
                    cells_run=lines.ended,
                    checks=checks(self.progress_file, chapter.name),
                    seconds=time.monotonic() - began,
                    failure=failed,
                )
            )
        if failed:
            lines.cell_failed(failed.index)
            self.failure = failures.explain(chapter.name, prepared, failed, own.stack)

    def _report(self, seconds: float) -> None:
        for result in self.results:
            executed = self.folder / f"{result.name}.ipynb"
            if executed.exists():
                report.write_page(executed, self.request.notebooks)
        started = f"{self.started:%Y-%m-%d %H:%M}"
        offset = self.port_offset
        summary = RunResult(started, self.request.place, seconds, self.results, self.verdict, self.failure, offset)
        summary.save(self.folder / "run.json")
        page = report.write_index(self.folder, summary)
        self.progress.table(self.results)
        if self.failure:
            self.progress.say(f"\n{self.failure}", "red")
        self.progress.say(f"\nreport: {page}")


def run(request: Request, progress: Progress | None = None) -> bool:
    """Run the notebooks of a request; whether all passed.

    Raises:
        RunError: the request cannot be met; nothing was started.
        StackError: the stack cannot be prepared.
    """
    progress = progress or Progress()
    if request.notebooks == NOTEBOOKS:
        freshness.ensure(NOTEBOOKS, progress.say)
    with orderly_exit():
        return Run(request, progress).go()
