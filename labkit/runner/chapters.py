"""Which notebooks run, in which order, and which cells of them in which place."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat.reader import NotJSONError
from papermill.iorw import load_notebook_node

from labkit.book.snippets import are_for_portal, runs_in
from labkit.runner.errors import RunError

ONLY = re.compile(r"(\d+)(?:-(\d+))?")
NAME = re.compile(r"(\d+)_\w+")
Cell = Mapping[str, Any]


@dataclass(frozen=True)
class Chapter:
    """One notebook of the lab, such as `2_application`."""

    path: Path

    @property
    def name(self) -> str:
        """The file's name without its ending; also the name of its stage."""
        return self.path.stem

    @property
    def number(self) -> int:
        """Its place in the order."""
        return int(self.name.partition("_")[0])

    def why_skipped(self) -> str:
        """The reason why it does not run on the machine of the services; empty when it does."""
        if are_for_portal([tags(cell) for cell in read(self.path).cells if cell.cell_type == "code"]):
            return "runs in Chameleon's Jupyter: it makes or deletes the server; nothing to do here"
        return ""


def chapters(folder: Path, only: str = "") -> list[Chapter]:
    """The notebooks N_*.ipynb of a folder in order; `only` is a list such as "2-5" or "2,3".

    Raises:
        RunError: no notebook is left, or `only` is not such a list.
    """
    found = sorted(
        (Chapter(path) for path in folder.glob("*.ipynb") if NAME.fullmatch(path.stem)),
        key=lambda chapter: (chapter.number, chapter.name),
    )
    if not found:
        raise RunError(f"expected notebooks such as 2_application.ipynb in {folder}, found none: run ./build_docs.sh")
    chosen = [chapter for chapter in found if not only or chapter.number in numbers(only)]
    if not chosen:
        raise RunError(f"--only {only}: there is no such notebook; there are {', '.join(c.name for c in found)}")
    return chosen


def numbers(only: str) -> set[int]:
    """The numbers in a list such as "0,2-5".

    Raises:
        RunError: it is not such a list.
    """
    wanted: set[int] = set()
    for part in only.split(","):
        match = ONLY.fullmatch(part.strip())
        if match is None:
            raise RunError(f"--only {only}: expected numbers of notebooks such as 2-5 or 2,3")
        first, last = int(match[1]), int(match[2] or match[1])
        wanted.update(range(first, last + 1))
    return wanted


def read(path: Path) -> Any:
    """The notebook as nbformat's node, each cell with tags, as papermill wants it.

    Raises:
        RunError: it is no notebook, such as after a merge with conflicts.
    """
    try:
        return load_notebook_node(str(path))
    except (NotJSONError, nbformat.ValidationError) as error:
        reason = str(error).splitlines()[0]
        raise RunError(f"{path} is not a notebook: {reason}. Run ./build_docs.sh to make it again.") from error


def belongs(cell: Cell, place: str) -> bool:
    """Whether a cell runs in `place`: a cell with tags only-P runs in the places P and nowhere else."""
    return runs_in(tags(cell), place)


def tags(cell: Cell) -> Sequence[str]:
    """The tags of a cell."""
    found: Sequence[str] = cell.get("metadata", {}).get("tags", [])
    return found


def headings(cells: Iterable[Cell]) -> list[str]:
    """The nearest heading above each cell, or in it; empty above the first."""
    result: list[str] = []
    for cell in cells:
        found = _last_heading(cell["source"]) if cell["cell_type"] == "markdown" else ""
        result.append(found or (result[-1] if result else ""))
    return result


def titles(cells: Sequence[Cell]) -> list[str]:
    """A title per cell: its heading; for a further code cell below the same one, its first line of code."""
    result: list[str] = []
    used = ""
    for cell, heading in zip(cells, headings(cells), strict=True):
        is_code = cell["cell_type"] == "code"
        result.append(heading if heading and heading != used else first_line(cell["source"]))
        used = heading if is_code else used
    return result


def first_line(source: str) -> str:
    """The first line of code that is more than a comment."""
    lines = [line.strip() for line in source.splitlines() if line.strip()]
    return next((line for line in lines if not line.startswith("#")), lines[0] if lines else "")


def _last_heading(source: str) -> str:
    without_code = re.sub(r"^(```|~~~).*?^\1", "", source, flags=re.M | re.S)
    found = re.findall(r"^#{1,4} +(.+?)\s*#*$", without_code, flags=re.M)
    return str(found[-1]).replace("`", "") if found else ""
