"""The whole lab on one page, `index.md`."""

from collections.abc import Sequence

from labkit.book.prose import as_page
from labkit.book.snippets import Part, Snippet

HEADER = "<!-- Made by ./build_docs.sh from snippets/: edit those files, not this one. -->\n"


def one_page(snippets: Sequence[Snippet]) -> str:
    """All stages in order, each below an anchor of its name."""
    stages = {snippet.name for snippet in snippets}
    blocks = [HEADER]
    for snippet in snippets:
        blocks.append(f'<a id="{snippet.name}"></a>\n')
        blocks += [_block(part, stages) for part in snippet.parts]
    return "\n".join(blocks)


def _block(part: Part, stages: set[str]) -> str:
    if part.kind == "prose":
        return as_page(part.text, stages) + "\n"
    cell = f"```python\n{part.text}\n```\n"
    return cell if part.expected is None else f"{cell}\nYou should see:\n\n```text\n{part.expected}```\n"
