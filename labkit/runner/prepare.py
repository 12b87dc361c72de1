"""A notebook made ready for papermill: parameters checked, cells of other places left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import papermill

from labkit.runner import chapters
from labkit.runner.errors import RunError

SKIP_TAG = "skip-execution"
"""Cells with this tag are left out by papermill's notebook client."""


@dataclass(frozen=True)
class Prepared:
    """A notebook as it will run, and what is shown about each of its cells."""

    notebook: Any
    parameters: dict[str, Any]
    titles: list[str]
    headings: list[str]
    skipped: list[int] = field(default_factory=list)

    @property
    def runnable(self) -> list[int]:
        """Indices of the cells that will run."""
        return [
            index
            for index, cell in enumerate(self.notebook.cells)
            if cell.cell_type == "code" and cell.source.strip() and index not in self.skipped
        ]

    def position(self, index: int) -> str:
        """Such as "3/14": the how-manieth cell that runs this is."""
        return f"{self.runnable.index(index) + 1}/{len(self.runnable)}"


def prepare(path: Path, place: str, parameters: Mapping[str, Any]) -> Prepared:
    """Read a notebook, mark the cells that do not belong to `place`, and pick the parameters that it knows."""
    notebook = chapters.read(path)
    skipped = [index for index, cell in enumerate(notebook.cells) if not chapters.belongs(cell, place)]
    for index in skipped:
        cell = notebook.cells[index]
        cell.metadata["tags"] = [*chapters.tags(cell), SKIP_TAG]
    known = _parameters_of(path, notebook)
    mine = {name: value for name, value in parameters.items() if name in known}
    if mine:
        notebook = papermill.parameterize.parameterize_notebook(notebook, mine)
        skipped = [i for i, cell in enumerate(notebook.cells) if SKIP_TAG in chapters.tags(cell)]
    return Prepared(notebook, mine, chapters.titles(notebook.cells), chapters.headings(notebook.cells), skipped)


def check_parameters(paths: Sequence[Path], names: Sequence[str]) -> None:
    """Refuse names that no notebook has in its cell with the tag `parameters`.

    Raises:
        RunError: one of the names is unknown; the message lists those that exist.
    """
    known = sorted({name for path in paths for name in _parameters_of(path, chapters.read(path))})
    if unknown := sorted(set(names) - set(known)):
        raise RunError(
            f"-p {', '.join(unknown)}: no such parameter in these notebooks; there is {', '.join(known) or 'none'}"
        )


def _parameters_of(path: Path, notebook: Any) -> list[str]:
    if not any("parameters" in chapters.tags(cell) for cell in notebook.cells):
        return []
    return list(papermill.inspect_notebook(str(path)))
