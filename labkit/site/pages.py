"""Prose of a snippet as MyST for the site: with admonitions, what can be opened and closed, and drawn diagrams."""

from dataclasses import dataclass

from labkit.book.prose import Renderer, described
from labkit.site.diagrams import Diagrams


@dataclass(frozen=True)
class PageRenderer(Renderer):
    """As for notebooks, but with what Sphinx can do that plain Markdown cannot."""

    diagrams: Diagrams

    def diagram(self, text: str) -> str:
        """The diagram, drawn."""
        return pictures(text, self.diagrams)

    def admonition(self, kind: str, title: str, inner: str) -> str:
        """An admonition of this kind."""
        return f"::::{{admonition}} {title}\n:class: {kind}\n\n{inner}\n::::"

    def dropdown(self, title: str, inner: str) -> str:
        """Text that shows when its title is clicked."""
        return f"::::{{dropdown}} {title}\n\n{inner}\n::::"


def pictures(diagram: str, diagrams: Diagrams) -> str:
    """A diagram as two pictures, of which the page shows the one for its colors.

    Raises:
        SnippetError: it does not say in words what it shows.
    """
    description = described(diagram)
    return "\n\n".join(
        f"```{{image}} /{file}\n:alt: {description}\n:class: diagram only-{colors}\n```"
        for colors, file in diagrams.files(diagram).items()
    )
