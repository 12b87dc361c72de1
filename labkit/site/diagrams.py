"""Diagrams in Mermaid's words, drawn while the site is built: no page needs a script for them."""

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from importlib.metadata import version
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
    """Puts drawn diagrams into a folder below `source`, where the site's pages are.

    Drawing one takes some seconds, so what was drawn once is kept in `drawn`.
    """

    source: Path
    drawn: Path

    def files(self, text: str) -> dict[str, str]:
        """The files of a diagram, as seen from `source`, for light and for dark pages."""
        return {colors: self._file(text, colors, theme) for colors, theme in THEMES.items()}

    def _file(self, text: str, colors: str, theme: str) -> str:
        made_from = json.dumps([text, theme, CONFIGURATION, version("mermaidx")])
        kept = self.drawn / f"{hashlib.sha256(made_from.encode()).hexdigest()[:16]}.svg"
        if not kept.exists():
            _write(kept, mermaidx.Diagram(text, theme=theme, config=CONFIGURATION).svg())
        file = f"{FOLDER}/{hashlib.sha256(text.encode()).hexdigest()[:12]}-{colors}.svg"
        (self.source / FOLDER).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(kept, self.source / file)
        return file


def _write(file: Path, text: str) -> None:
    """Write it so that nobody who builds at the same time sees half of it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_suffix(f".{os.getpid()}")
    new.write_text(text, encoding="utf-8")
    new.replace(file)
