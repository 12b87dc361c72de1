"""Runs the notebooks and compares what cells print with what the lab's text says they print."""

import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import nbformat

from labkit.paths import BUILD
from labkit.runner import chapters, folders
from labkit.runner.chapters import Chapter
from labkit.runner.interruption import orderly_exit, undisturbed
from labkit.runner.own_stack import OwnStack

SOURCES = BUILD / "nbval"
CHECKS = BUILD / "nbval-runs"
CELL_SECONDS = 1800


def check(place: str, only: str, say: Callable[[str], None], sources: Path = SOURCES, checks: Path = CHECKS) -> bool:
    """Run the notebooks in order on a stack of their own; whether every cell ran and printed what was expected.

    Raises:
        RunError: there are no such notebooks.
    """
    found = chapters.chapters(sources, only)
    with orderly_exit():
        folder = folders.new(checks, datetime.now().astimezone())
        own = OwnStack.of(place, folder)
        try:
            with own.environment(folder / "progress.json", keep=False):
                return _nbval(_copies(found, place, folder, say))
        finally:
            with undisturbed():
                own.end()
                folders.end(folder)
                folders.remove_old(checks)


def _copies(found: list[Chapter], place: str, folder: Path, say: Callable[[str], None]) -> list[Path]:
    """The notebooks that run in `place`; cells of other places have the tag with which nbval leaves them out."""
    copies = []
    for chapter in found:
        if reason := chapter.why_skipped(place):
            say(f"{chapter.name}: skipped, {reason}")
            continue
        notebook = chapters.read(chapter.path)
        for cell in notebook.cells:
            if not chapters.belongs(cell, place):
                cell.metadata["tags"] = [*chapters.tags(cell), "nbval-skip"]
        copies.append(folder / chapter.path.name)
        nbformat.write(notebook, copies[-1])
    return copies


def _nbval(notebooks: list[Path]) -> bool:
    # The lab's own pytest settings are for its tests: here a warning in a cell is no failure.
    pytest = [
        sys.executable,
        "-m",
        "pytest",
        "-c",
        "/dev/null",
        "-p",
        "no:cacheprovider",
        "--verbosity=1",
        "--no-header",
    ]
    nbval = ["--nbval-lax", f"--nbval-cell-timeout={CELL_SECONDS}", f"--rootdir={notebooks[0].parent}"]
    process = subprocess.Popen([*pytest, *nbval, *map(str, notebooks)])
    try:
        return process.wait() == 0
    except BaseException:
        process.terminate()
        process.wait()
        raise
