"""Markdown of a snippet, in the form that a notebook shows."""

import re
from collections.abc import Callable

_ADMONITION = re.compile(r"^:::\{(?P<kind>\w+)\}(?: (?P<title>.+))?\n(?P<body>.*?)\n:::$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[(?P<text>[^\]]+)\]\((?P<stage>\w+)\.md\)")
_IMAGE = re.compile(r"(!\[[^\]]*\]\()(?=images/)")


def as_notebook(text: str, stages: set[str]) -> str:
    """Admonitions as block quotes, links to other stages as links to their notebooks, pictures from the snippets."""
    text = _ADMONITION.sub(_block_quote, text)
    text = _IMAGE.sub(r"\1../snippets/", text)
    return _LINK.sub(_link(stages, "{stage}.ipynb"), text)


def as_page(text: str, stages: set[str]) -> str:
    """The same for the one page that holds all stages: links go to their anchors."""
    text = _ADMONITION.sub(_block_quote, text)
    text = _IMAGE.sub(r"\1snippets/", text)
    return _LINK.sub(_link(stages, "#{stage}"), text)


def _block_quote(match: re.Match[str]) -> str:
    title = match["title"] or match["kind"].capitalize()
    lines = [f"**{title}.**", *match["body"].splitlines()]
    return "\n".join(f"> {line}".rstrip() for line in lines)


def _link(stages: set[str], target: str) -> Callable[[re.Match[str]], str]:
    """A link to a stage that exists; the name alone of one that does not, yet."""

    def replace(match: re.Match[str]) -> str:
        stage = match["stage"]
        return f"[{match['text']}]({target.format(stage=stage)})" if stage in stages else match["text"]

    return replace
