"""Diagrams in Mermaid's words, drawn while the site is built: no page needs a script for them."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import mermaidx

THEMES = {"light": "neutral", "dark": "dark"}
"""Mermaid's theme for each of the site's colors."""

FOLDER = "_diagrams"

# Text as SVG's own, not as HTML, which pictures may not hold; and a fixed seed, without which lines differ in their
# last digits from one drawing to the next.
CONFIGURATION = {
    "htmlLabels": False,
    "flowchart": {"htmlLabels": False, "nodeSpacing": 35, "rankSpacing": 40},
    "handDrawnSeed": 7,
    "fontFamily": "Arial, Helvetica, sans-serif",
}


@dataclass(frozen=True)
class Diagrams:
    """Draws diagrams into a folder below `source`, the folder of the site's pages."""

    source: Path

    def files(self, text: str) -> dict[str, str]:
        """The files of a diagram, as seen from `source`, for light and for dark pages; drawn if they are not there."""
        name = hashlib.sha256(text.encode()).hexdigest()[:12]
        return {colors: self._file(text, f"{FOLDER}/{name}-{colors}.svg", theme) for colors, theme in THEMES.items()}

    def _file(self, text: str, file: str, theme: str) -> str:
        path = self.source / file
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(mermaidx.Diagram(text, theme=theme, config=CONFIGURATION).svg(), encoding="utf-8")
        return file
