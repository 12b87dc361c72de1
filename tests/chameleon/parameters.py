"""The values that a notebook may be given: variables of its cell with the tag `parameters`."""

import ast
from collections.abc import Mapping
from typing import Any

import nbformat

TAG = "parameters"


def known(book: Any) -> set[str]:
    """Names of the variables that may be given."""
    index = _cell(book)
    if index is None:
        return set()
    statements = ast.walk(ast.parse(book.cells[index].source))
    return {one.id for one in statements if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}


def give(book: Any, values: Mapping[str, Any]) -> None:
    """Put a cell with these values after the one with the tag, as papermill does (which takes seconds to import)."""
    index = _cell(book)
    if values and index is not None:
        source = "\n".join(f"{name} = {value!r}" for name, value in values.items())
        book.cells.insert(index + 1, nbformat.v4.new_code_cell(source, metadata={"tags": [f"injected-{TAG}"]}))


def _cell(book: Any) -> int | None:
    tagged = (index for index, cell in enumerate(book.cells) if TAG in cell.metadata.get("tags", ()))
    return next(tagged, None)
