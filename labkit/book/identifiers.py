"""Names of cells that stay when other cells change: from the heading above them, or from the snippet."""

import re
from collections import Counter
from collections.abc import Iterable

from labkit.book.blocks import Block, Text
from labkit.book.errors import SnippetError, in_file
from labkit.book.snippets import Cell, Prose, Snippet

LONGEST_HEADING = 40
_ALLOWED = re.compile(r"[a-zA-Z0-9_-]{1,50}")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


def identifiers(snippet: Snippet) -> list[str]:
    """One name for each part, unique in the snippet: the heading above and a number under it, or what `:id:` says.

    Raises:
        SnippetError: an explicit name is taken or is not made of letters, digits, `-` and `_`.
    """
    names: list[str] = []
    under: Counter[str] = Counter()
    heading = "start"
    for part in snippet.parts:
        if isinstance(part, Prose):
            heading = _last_heading(part.blocks) or heading
        if isinstance(part, Cell) and part.identifier is not None:
            names.append(part.identifier)
        else:
            kind = "text" if isinstance(part, Prose) else "code"
            under[f"{heading}-{kind}"] += 1
            names.append(f"{heading}-{kind}-{under[f'{heading}-{kind}']}")
    _refuse_bad(snippet, names)
    return names


def slug(heading: str) -> str:
    """A heading as part of a name: small letters, digits and hyphens."""
    words = re.sub(r"[^a-z0-9]+", "-", heading.lower())
    return words[:LONGEST_HEADING].strip("-") or "heading"


def _last_heading(blocks: Iterable[Block]) -> str | None:
    headings = [heading for block in blocks if isinstance(block, Text) for heading in _HEADING.findall(block.text)]
    return slug(headings[-1]) if headings else None


def _refuse_bad(snippet: Snippet, names: list[str]) -> None:
    for part, name in zip(snippet.parts, names, strict=True):
        if isinstance(part, Prose) or part.identifier is None:
            continue
        with in_file(f"snippets/{snippet.name}.md"):
            if not _ALLOWED.fullmatch(name):
                raise SnippetError(f"an id has 1 to 50 letters, digits, '-' and '_', got {name!r}", part.line)
            if names.count(name) > 1:
                raise SnippetError(f"the id {name!r} is taken by another cell", part.line)
