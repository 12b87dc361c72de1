"""Runs the notebooks and compares what cells print with what the lab's text says they print."""

import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import nbformat

from labkit.paths import BUILD, PROGRESS
from labkit.runner import chapters, folders
from labkit.runner.chapters import Chapter
from labkit.runner.errors import RunError
from labkit.runner.guard import Guard
from labkit.runner.interruption import orderly_exit, undisturbed
from labkit.runner.kernels import kernels_of
from labkit.runner.own_stack import OwnStack

SOURCES = BUILD / "nbval"
CHECKS = BUILD / "nbval-runs"
CELL_SECONDS = 1800
LOOK_SECONDS = 0.5
ENDING_SECONDS = 10


def check(place: str, only: str, say: Callable[[str], None], sources: Path = SOURCES, checks: Path = CHECKS) -> bool:
    """Run the notebooks in order on a stack of their own; whether every cell ran and printed what was expected.

    Raises:
        RunError: there are no such notebooks, or none of them runs in this place.
    """
    chosen = _chosen(chapters.chapters(sources, only), say)
    with orderly_exit():
        folder = folders.new(checks, datetime.now().astimezone())
        own = OwnStack.of(place, folder, keep=False)
        try:
            with own.environment(folder / PROGRESS, keep=False):
                return _nbval(_copies(chosen, place, folder))
        finally:
            with undisturbed():
                own.end()
                folders.end(folder)
                folders.remove_old(checks)


def _chosen(found: list[Chapter], say: Callable[[str], None]) -> list[Chapter]:
    """Those that run on this machine; of the others it is said why they do not."""
    reasons = {chapter: chapter.why_skipped() for chapter in found}
    for chapter in filter(reasons.get, found):
        say(f"{chapter.name}: skipped, {reasons[chapter]}")
    chosen = [chapter for chapter in found if not reasons[chapter]]
    if not chosen:
        names = ", ".join(chapter.name for chapter in found)
        raise RunError(f"none of the chosen notebooks ({names}) runs on this machine: choose others with --only")
    return chosen


def _copies(chosen: list[Chapter], place: str, folder: Path) -> list[Path]:
    """Copies of the notebooks in which cells of other places have the tag with which nbval leaves them out."""
    copies = []
    for chapter in chosen:
        notebook = chapters.read(chapter.path)
        for cell in notebook.cells:
            if not chapters.belongs(cell, place):
                cell.metadata["tags"] = [*chapters.tags(cell), "nbval-skip"]
        copies.append(folder / chapter.path.name)
        nbformat.write(notebook, copies[-1])
    return copies


def _nbval(notebooks: list[Path]) -> bool:
    # The lab's own pytest settings are for its tests: here a warning in a cell is no failure.
    plain = ["-c", "/dev/null", "-p", "no:cacheprovider", "--verbosity=1", "--no-header"]
    nbval = ["--nbval-lax", f"--nbval-cell-timeout={CELL_SECONDS}", f"--rootdir={notebooks[0].parent}"]
    argv = [sys.executable, "-m", "pytest", *plain, *nbval, *map(str, notebooks)]
    with Guard() as guard:
        process = subprocess.Popen(argv, process_group=0)  # which the guard can end
        guard.watch([process.pid])
        try:
            return _watched(process, guard) == 0
        except BaseException:
            process.send_signal(signal.SIGINT)  # it says how far it got, and ends its kernel
            with suppress(subprocess.TimeoutExpired):  # then the guard ends it
                process.wait(ENDING_SECONDS)
            raise


def _watched(process: "subprocess.Popen[bytes]", guard: Guard) -> int:
    """Wait for the end, while the guard is told of the kernels that come up."""
    while True:
        guard.watch(kernels_of(process.pid))
        with suppress(subprocess.TimeoutExpired):
            return process.wait(LOOK_SECONDS)
