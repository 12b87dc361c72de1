"""The page of a stage: the snippet as a notebook in MyST, with the outputs of the last full run."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from labkit.book.blocks import fenced
from labkit.book.identifiers import identifiers
from labkit.book.notebooks import EXPECTED_TITLE, METADATA, NotebookCell
from labkit.book.snippets import Cell, Prose, Snippet
from labkit.book.solutions import is_grading
from labkit.site.pages import PageRenderer
from labkit.site.recorded import Output, RecordedStage, Recording

PORTAL_OUTPUTS = """```{note}
The outputs on this page come from a test against a look-alike of Chameleon's services. Addresses and times in them are
made up; what the cells do and print is the same.
```"""


@dataclass(frozen=True)
class StagePage:
    """Makes the page of a snippet from its prose, as `renderer` writes it, and from what was `recorded`."""

    snippet: Snippet
    renderer: PageRenderer
    recording: Recording

    def text(self) -> str:
        """The notebook as JSON."""
        recorded = self.recording.stage(self.snippet.name)
        notebook = {"cells": list(self._cells(recorded)), "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}
        return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"

    def _cells(self, recorded: RecordedStage) -> Iterator[NotebookCell]:
        is_told = not (self.snippet.is_for_portal and recorded.cells)
        for part, name in zip(self.snippet.parts, identifiers(self.snippet), strict=True):
            if isinstance(part, Prose):
                yield _markdown(name, self.renderer.text(part.blocks))
                if not is_told:
                    yield _markdown(f"{name}-outputs", PORTAL_OUTPUTS)
                    is_told = True
                continue
            outputs = recorded.cells[name].outputs if name in recorded.cells else []
            yield self._code(part, name, outputs)
            if part.expected is not None and not outputs:
                yield _markdown(f"{name}-expected", f"{EXPECTED_TITLE}\n\n{fenced(part.expected.rstrip(), 'text')}")

    def _code(self, cell: Cell, name: str, outputs: list[Output]) -> NotebookCell:
        shown = [self.recording.embedded(output) for output in outputs]
        metadata: dict[str, Any] = {"tags": [*cell.tags, *(["hide-input"] if is_grading(cell) else [])]}
        if cell.picture:
            metadata["mystnb"] = {"image": {"alt": cell.picture}}
        numbered = [one | {"execution_count": None} if one["output_type"] == "execute_result" else one for one in shown]
        return {
            "cell_type": "code",
            "execution_count": None,
            "id": name,
            "metadata": metadata,
            "outputs": numbered,
            "source": cell.source,
        }


def _markdown(name: str, text: str) -> NotebookCell:
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": text}
