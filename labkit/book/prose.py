"""Prose of a snippet as plain Markdown, which a notebook and any page of Markdown can show."""

import re
from dataclasses import dataclass
from pathlib import Path

from labkit.book.blocks import Block, Directive, Text, fenced, scan
from labkit.book.errors import SnippetError
from labkit.book.links import Links
from labkit.book.quotes import quotation

ADMONITIONS = ("attention", "caution", "danger", "error", "hint", "important", "note", "seealso", "tip", "warning")
DIRECTIVES = ("admonition", "code-block", "code-cell", "dropdown", "literalinclude", "mermaid")
MERMAID = "mermaid"
"""The language of a fence that holds a diagram."""

_TITLES = {"seealso": "See also"}
_DESCRIPTION = re.compile(r"^\s*accDescr:\s*(\S.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Renderer:
    """Renders prose of the lab at `root` with `links` as its target wants them."""

    root: Path
    links: Links

    def text(self, blocks: tuple[Block, ...]) -> str:
        """Blocks as Markdown: admonitions as block quotes, quotations filled in, links and pictures rewritten.

        Raises:
            SnippetError: with the line of what cannot be rendered.
        """
        return "\n\n".join(self._block(block) for block in blocks)

    def _block(self, block: Block) -> str:
        if isinstance(block, Text):
            return self.links.rewrite(block.text, block.line)
        directive = block.directive()
        try:
            if directive is None:
                return self.diagram(block.body) if block.info == MERMAID else block.raw
            return self._directive(directive)
        except SnippetError as error:
            raise SnippetError(str(error), error.line or block.line) from error

    def _directive(self, directive: Directive) -> str:
        match directive.name:
            case "literalinclude":
                return quotation(directive, self.links.snippets, self.root)
            case "mermaid":
                return self.diagram(directive.body)
            case "code-block":
                return fenced(directive.body, directive.argument)
            case "admonition":
                return self.admonition("note", directive.argument, self._inner(directive.body, directive.line))
            case "dropdown":
                return self.dropdown(directive.argument, self._inner(directive.body, directive.line))
            case name if name in ADMONITIONS:
                # Text behind the name belongs to the body, as in Sphinx.
                body = f"{directive.argument}\n{directive.body}" if directive.argument else directive.body
                line = directive.line - bool(directive.argument)
                return self.admonition(name, _TITLES.get(name, name.capitalize()), self._inner(body, line))
        known = ", ".join(sorted({*DIRECTIVES, *ADMONITIONS}))
        raise SnippetError(f"expected one of the directives {known}, got {directive.name}")

    def _inner(self, body: str, line: int) -> str:
        return self.text(tuple(scan(body, line)))

    def diagram(self, text: str) -> str:
        """A diagram in Mermaid's words, which Jupyter and GitHub draw.

        Raises:
            SnippetError: it does not say in words what it shows.
        """
        described(text)
        return fenced(text, MERMAID)

    def admonition(self, kind: str, title: str, inner: str) -> str:  # noqa: ARG002 - pages show the kind, by a color
        """Text that stands out, as a block quote; `kind` is one of ADMONITIONS."""
        return "\n".join(f"> {text}".rstrip() for text in (f"**{title}**", "", *inner.split("\n")))

    def dropdown(self, title: str, inner: str) -> str:
        """Text that shows when its title is clicked."""
        return f"<details><summary>{title}</summary>\n\n{inner}\n\n</details>"


def described(diagram: str) -> str:
    """What a diagram shows, in words: its line `accDescr: …`, which Mermaid hands to those who cannot see it.

    Raises:
        SnippetError: there is no such line.
    """
    found = _DESCRIPTION.search(diagram)
    if not found:
        raise SnippetError("a diagram says in words what it shows: put 'accDescr: …' below its first line")
    return found[1]
