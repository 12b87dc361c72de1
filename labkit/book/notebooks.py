"""Notebooks: one form for students, without outputs, and one for nbval, with the outputs that are expected."""

from hashlib import sha256
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from labkit.book.prose import as_notebook
from labkit.book.snippets import Part, Snippet

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def for_students(snippet: Snippet, stages: set[str]) -> str:
    """The notebook as JSON: no outputs, and a line that says which file to edit."""
    cells = []
    for number, part in enumerate(snippet.parts):
        if part.kind == "prose":
            text = as_notebook(part.text, stages)
            cells.append(new_markdown_cell(_with_origin(text, snippet) if number == 0 else text))
        else:
            cells.append(new_code_cell(part.text, metadata=_metadata(part)))
            if part.expected is not None:
                cells.append(new_markdown_cell(f"You should see:\n\n```text\n{part.expected}```"))
    return _json(snippet, cells)


def for_nbval(snippet: Snippet) -> str:
    """The notebook as JSON, its cells only, with expected outputs attached to those that have one."""
    cells = []
    for part in snippet.parts:
        if part.kind == "code":
            metadata = _metadata(part)
            if part.expected is None:
                cells.append(new_code_cell(part.text, metadata=metadata))
                continue
            metadata["tags"] = [*metadata["tags"], "nbval-check-output"]
            output = new_output("stream", name="stdout", text=part.expected)
            cells.append(new_code_cell(part.text, metadata=metadata, outputs=[output], execution_count=1))
    return _json(snippet, cells)


def _metadata(part: Part) -> dict[str, Any]:
    return {"tags": list(part.tags)}


def _with_origin(text: str, snippet: Snippet) -> str:
    return f"{text}\n\n*Made by `./build_docs.sh` from `snippets/{snippet.name}.md`: edit that file, not this one.*"


def _json(snippet: Snippet, cells: list[Any]) -> str:
    """The notebook's text. Ids follow from what a cell says, so that they stay when other cells change."""
    seen: dict[str, int] = {}
    for cell in cells:
        digest = sha256(f"{snippet.name} {cell.source}".encode()).hexdigest()[:12]
        seen[digest] = seen.get(digest, 0) + 1
        cell["id"] = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
    notebook = new_notebook(cells=cells, metadata=METADATA)
    nbformat.validate(notebook)
    return str(nbformat.writes(notebook)) + "\n"
