"""Prose of a snippet as plain Markdown, which a notebook and any page of Markdown can show."""

from dataclasses import dataclass
from pathlib import Path

from labkit.book.blocks import Block, Directive, Text, fenced, scan
from labkit.book.errors import SnippetError
from labkit.book.links import Links
from labkit.book.quotes import quotation

ADMONITIONS = ("attention", "caution", "danger", "error", "hint", "important", "note", "seealso", "tip", "warning")
_TITLES = {"seealso": "See also"}


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
        if directive is None:
            return block.raw
        try:
            return self._directive(directive)
        except SnippetError as error:
            raise SnippetError(str(error), error.line or block.line) from error

    def _directive(self, directive: Directive) -> str:
        match directive.name:
            case "literalinclude":
                return quotation(directive, self.links.snippets, self.root)
            case "mermaid":
                return fenced(directive.body, "mermaid")
            case "code-block":
                return fenced(directive.body, directive.argument)
            case "admonition":
                return self._block_quote(directive.argument, directive.body, directive.line)
            case name if name in ADMONITIONS:
                # Text behind the name belongs to the body, as in Sphinx.
                body = f"{directive.argument}\n{directive.body}" if directive.argument else directive.body
                line = directive.line - bool(directive.argument)
                return self._block_quote(_TITLES.get(name, name.capitalize()), body, line)
        known = ", ".join(sorted({"admonition", "code-block", "code-cell", "literalinclude", "mermaid", *ADMONITIONS}))
        raise SnippetError(f"expected one of the directives {known}, got {directive.name}")

    def _block_quote(self, title: str, body: str, line: int) -> str:
        inner = self.text(tuple(scan(body, line)))
        return "\n".join(f"> {text}".rstrip() for text in (f"**{title}**", "", *inner.split("\n")))
