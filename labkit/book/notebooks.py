"""Notebooks: one form for students, without outputs, and one for nbval, with the outputs that are expected.

Written as JSON directly, in the shape and the key order of nbformat, which a test compares: importing nbformat takes
longer than building the whole lab.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from labkit.book.blocks import fenced
from labkit.book.identifiers import identifiers
from labkit.book.prose import Renderer
from labkit.book.snippets import Cell, Prose, Snippet
from labkit.book.solutions import Answers, is_grading, trials

NotebookCell = dict[str, Any]

EXPECTED_TITLE = "**You should see**"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def for_students(snippet: Snippet, renderer: Renderer) -> str:
    """The notebook as JSON: no outputs, and a first line that says which file to edit."""
    return _json(list(_student_cells(snippet, renderer)))


def for_nbval(snippet: Snippet) -> str:
    """The notebook as JSON, its code cells only, with expected outputs attached to those that have one."""
    named = zip(snippet.parts, identifiers(snippet), strict=True)
    return _json([_checked(part, name) for part, name in named if isinstance(part, Cell)])


def for_solving(snippet: Snippet, renderer: Renderer, answers: Mapping[str, Answers]) -> str:
    """The notebook for students as JSON, in which each exercise is tried with mistakes, and then solved."""
    checks = {f"check-{number}": number for number in answers}
    code = {
        name: part for part, name in zip(snippet.parts, identifiers(snippet), strict=True) if isinstance(part, Cell)
    }
    cells = []
    for cell in _student_cells(snippet, renderer):
        cells.append(cell)
        if number := checks.get(cell["id"]):
            check = code[cell["id"]]
            added = trials(number, check, answers[number])
            cells += [_code(replace(check, source=source), name) for name, source in added]
    return _json(cells)


def _student_cells(snippet: Snippet, renderer: Renderer) -> Iterator[NotebookCell]:
    origin = f"*Made from snippets/{snippet.name}.md by ./build_docs.sh: edit that file.*\n\n"
    for part, name in zip(snippet.parts, identifiers(snippet), strict=True):
        if isinstance(part, Prose):
            yield _markdown(name, origin + renderer.text(part.blocks))
            origin = ""
        else:
            yield _code(part, name)
            if part.expected is not None:
                yield _markdown(f"{name}-expected", f"{EXPECTED_TITLE}\n\n{fenced(part.expected.rstrip(), 'text')}")


def _markdown(name: str, text: str) -> NotebookCell:
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": _lines(text)}


def _code(cell: Cell, name: str) -> NotebookCell:
    # What grades an exercise may tell the answer, so it is folded away until somebody wants to see it.
    folded = {"jupyter": {"source_hidden": True}} if is_grading(cell) else {}
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": name,
        "metadata": folded | {"tags": list(cell.tags)},
        "outputs": [],
        "source": _lines(cell.source),
    }


def _checked(cell: Cell, name: str) -> NotebookCell:
    """The cell as nbval wants it: it compares only cells with this tag, and only when they have been executed."""
    code = _code(cell, name)
    if cell.expected is not None:
        code["metadata"]["tags"].append("nbval-check-output")
        code["execution_count"] = 1
        code["outputs"] = [{"name": "stdout", "output_type": "stream", "text": _lines(cell.expected)}]
    return code


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def _json(cells: list[NotebookCell]) -> str:
    notebook = {"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
