"""What cells printed and drew in the last full run, as it is kept in docs/outputs/ and shown on the site."""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labkit.book.identifiers import identifiers
from labkit.book.snippets import Cell, Snippet, runs_in

Output = dict[str, Any]
"""An output of a cell as nbformat has it, but a picture is the name of a file: `{"image/png": {"file": …}}`."""

PICTURE = "image/png"

RUN = "run.json"
"""When, where and with what the run was made."""


def fingerprint(source: str) -> str:
    """A short name for the code of a cell, to see whether it is still the code that was run."""
    return hashlib.sha256(source.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class RecordedCell:
    """The outputs of one cell, and the fingerprint of the code that made them."""

    code: str
    outputs: list[Output]

    def draws(self) -> bool:
        """Whether there is a picture among the outputs."""
        return any(PICTURE in output.get("data", {}) for output in self.outputs)


@dataclass(frozen=True)
class RecordedStage:
    """The outputs of a stage, by the names of its cells; `seconds` is how long they took together."""

    seconds: float = 0.0
    cells: Mapping[str, RecordedCell] = field(default_factory=dict)

    def stale(self, snippet: Snippet, place: str) -> Iterator[str]:
        """A sentence for each cell that runs in `place` and is not recorded as it is, or draws undescribed."""
        if not self.cells:
            yield f"{snippet.name}: no outputs were ever recorded"
            return
        for part, name in zip(snippet.parts, identifiers(snippet), strict=True):
            if not (isinstance(part, Cell) and runs_in(part.tags, place)):
                continue
            if name not in self.cells:
                yield f"{snippet.name}: the output of the cell {name} was never recorded"
            elif self.cells[name].code != fingerprint(part.source):
                yield f"{snippet.name}: the cell {name} was changed after its output was recorded"
            elif self.cells[name].draws() and not part.picture:
                yield f"{snippet.name}: the cell {name} draws a picture: say in words what it shows, in an option :alt:"


@dataclass(frozen=True)
class Recording:
    """The folder of recorded outputs: `run.json`, and for each stage a JSON file and a folder of pictures."""

    folder: Path

    def about(self) -> dict[str, str]:
        """When, where and with what the run was made; empty before the first."""
        file = self.folder / RUN
        return dict(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else {}

    def stage(self, name: str) -> RecordedStage:
        """What is recorded of a stage; nothing when it was never run."""
        file = self.folder / f"{name}.json"
        if not file.exists():
            return RecordedStage()
        text = json.loads(file.read_text(encoding="utf-8"))
        return RecordedStage(text["seconds"], {key: RecordedCell(**cell) for key, cell in text["cells"].items()})

    def embedded(self, output: Output) -> Output:
        """The output with its picture inside, as a notebook has it."""
        picture = output.get("data", {}).get(PICTURE)
        if picture is None:
            return output
        content = base64.b64encode((self.folder / picture["file"]).read_bytes()).decode()
        return output | {"data": output["data"] | {PICTURE: content}}

    def pictures(self) -> Iterator[Path]:
        """All pictures that are kept."""
        return self.folder.glob("*/*.png")
