"""Snippets: MyST Markdown notebooks, read into prose and cells."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import jupytext

from labkit.book.errors import SnippetError
from labkit.book.quotes import expand

PLACES = {"node-data": "# runs on node-data", "chameleon": "# runs in Chameleon Jupyter"}
"""The tag that says where a cell runs, and the first line that tells the student."""

_EXPECTED = re.compile(
    r"^```\{code-block\} text\n:class: expected\n\n(?P<output>.*?\n)```\n?", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Part:
    """A stretch of prose, or a code cell with the output it should have (None when that varies)."""

    kind: Literal["prose", "code"]
    text: str
    tags: tuple[str, ...] = ()
    expected: str | None = None


@dataclass(frozen=True)
class Snippet:
    """One stage of the lab."""

    name: str
    parts: tuple[Part, ...]


def read(file: Path, root: Path) -> Snippet:
    """A snippet, with what it quotes filled in.

    Raises:
        SnippetError: naming the file and what is wrong in it.
    """
    try:
        notebook = jupytext.read(file, fmt="md:myst")
        parts: list[Part] = []
        for cell in notebook.cells:
            if cell.cell_type == "code":
                parts.append(_code(cell.source, tuple(cell.metadata.get("tags", []))))
            else:
                _add_prose(parts, expand(cell.source, file.parent, root))
    except SnippetError as error:
        raise SnippetError(f"snippets/{file.name}: {error}") from error
    return Snippet(file.stem, tuple(parts))


def _code(source: str, tags: tuple[str, ...]) -> Part:
    places = [tag for tag in tags if tag in PLACES]
    if len(places) != 1:
        first = source.splitlines()[0] if source else "an empty cell"
        raise SnippetError(
            f"expected one of the tags {', '.join(PLACES)} on the cell that begins {first!r}, got {tags}"
        )
    return Part("code", f"{PLACES[places[0]]}\n{source}", tags)


def _add_prose(parts: list[Part], text: str) -> None:
    """Add prose; an expected output at its beginning belongs to the cell before it."""
    match = _EXPECTED.match(text)
    if match:
        if not parts or parts[-1].kind != "code":
            raise SnippetError("an expected output must follow its code cell directly")
        cell = parts.pop()
        parts.append(Part("code", cell.text, cell.tags, match["output"]))
        text = text[match.end() :].strip("\n")
    if _EXPECTED.search(text):
        raise SnippetError("an expected output must follow its code cell directly")
    if text:
        parts.append(Part("prose", text))
