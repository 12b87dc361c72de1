"""The whole lab on one page, `index.md`."""

from collections.abc import Sequence

from labkit.book.blocks import fenced
from labkit.book.notebooks import EXPECTED_TITLE
from labkit.book.prose import Renderer
from labkit.book.snippets import Part, Prose, Snippet

HEADER = "<!-- Made from snippets/ by ./build_docs.sh: edit those files, not this one. -->"


def one_page(snippets: Sequence[Snippet], renderer: Renderer) -> str:
    """All stages in order, each below an anchor of its name, after a list of links to them."""
    contents = "\n".join(f"- [{snippet.title}](#{snippet.name})" for snippet in snippets)
    blocks = [HEADER, contents]
    for snippet in snippets:
        blocks.append(f'<a id="{snippet.name}"></a>')
        blocks += [_block(part, renderer) for part in snippet.parts]
    return "\n\n".join(blocks) + "\n"


def _block(part: Part, renderer: Renderer) -> str:
    if isinstance(part, Prose):
        return renderer.text(part.blocks)
    cell = fenced(part.source, "python")
    if part.expected is None:
        return cell
    return f"{cell}\n\n{EXPECTED_TITLE}\n\n{fenced(part.expected.rstrip(), 'text')}"
