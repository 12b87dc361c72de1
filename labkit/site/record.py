"""Takes the outputs of a run into docs/outputs/."""

import base64
import io
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.preprocessors import CoalesceStreamsPreprocessor
from PIL import Image

from labkit.book.errors import SnippetError
from labkit.book.identifiers import identifiers
from labkit.book.snippets import Cell, Snippet
from labkit.site.recorded import PICTURE, RUN, Output, RecordedCell, fingerprint
from labkit.site.scrub import Scrubber

PORTAL_RUN = "look-alike"
"""What a run of the portal's stages calls its place: one that looks like Chameleon."""

COLORS = 128
"""Of a kept picture: plots have few, and with a palette a file has a third of the size."""

WIDGET = "application/vnd.jupyter.widget-view+json"

KEPT_KINDS = ("text/html", "text/plain", "image/svg+xml", PICTURE)


@dataclass(frozen=True)
class Recorder:
    """Writes recorded outputs to `folder`, made presentable by `scrubber`."""

    folder: Path
    scrubber: Scrubber

    def record(self, snippets: list[Snippet], run: Path) -> None:
        """Replace what is kept by the outputs of a run: all stages of it.

        Stages for the portal run apart from the others, against a look-alike of it: a run has the ones or the others.

        Raises:
            SnippetError: the run failed or left out a stage.
        """
        about = json.loads((run / "run.json").read_text(encoding="utf-8"))
        is_portal = about["place"] == PORTAL_RUN
        chosen = [snippet for snippet in snippets if snippet.is_for_portal == is_portal]
        _refuse_incomplete(about, chosen, run)
        stages = {snippet.name: self._stage(snippet, run, about["stages"][snippet.name]) for snippet in chosen}
        self._forget_all_but({snippet.name for snippet in snippets} - set(stages))
        for name, (text, pictures) in stages.items():
            _write(self.folder / f"{name}.json", text)
            for file, content in pictures.items():
                (self.folder / file).parent.mkdir(exist_ok=True)
                (self.folder / file).write_bytes(content)
        if not is_portal:
            _write(self.folder / RUN, {name: about[name] for name in ("started", "place", "python", "machine")})

    def _forget_all_but(self, kept: set[str]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in self.folder.iterdir():
            if path.is_dir() and path.name not in kept:
                shutil.rmtree(path)
            elif path.name != RUN and path.stem not in kept:
                path.unlink()

    def _stage(self, snippet: Snippet, run: Path, seconds: float) -> tuple[dict[str, Any], dict[str, bytes]]:
        notebook = nbformat.read(run / f"{snippet.name}.ipynb", as_version=4)
        notebook, _ = CoalesceStreamsPreprocessor(enabled=True).preprocess(notebook, {})
        executed = {cell.id: cell for cell in notebook.cells if cell.cell_type == "code"}
        cells: dict[str, Any] = {}
        pictures: dict[str, bytes] = {}
        for part, name in zip(snippet.parts, identifiers(snippet), strict=True):
            if not isinstance(part, Cell) or name not in executed:
                continue
            outputs = [self._output(output) for output in executed[name].outputs if not _is_widget(output)]
            for number, output in enumerate(outputs, 1):
                pictures |= _taken_out(output, f"{snippet.name}/{name}-{number}.png")
            cells[name] = asdict(RecordedCell(fingerprint(executed[name].source), outputs))
        return {"seconds": round(seconds, 1), "cells": cells}, pictures

    def _output(self, output: Mapping[str, Any]) -> Output:
        """The output without what is of one machine; of a rich one, only what a page can show."""
        plain: Output = json.loads(json.dumps(output))
        plain.pop("execution_count", None)
        if "text" in plain:
            return plain | {"text": self.scrubber.text(plain["text"])}
        data = {kind: plain["data"][kind] for kind in KEPT_KINDS if kind in plain.get("data", {})}
        shown = {kind: text if kind == PICTURE else self.scrubber.text(text) for kind, text in data.items()}
        return plain | {"data": shown, "metadata": {}}


def _is_widget(output: Mapping[str, Any]) -> bool:
    """Whether it lives on its kernel, so that a page has nothing to show."""
    return WIDGET in output.get("data", {})


def _refuse_incomplete(about: Mapping[str, Any], snippets: list[Snippet], run: Path) -> None:
    if not about["passed"]:
        raise SnippetError(f"the run in {run} failed: outputs are taken from one in which everything ran")
    if missing := [snippet.name for snippet in snippets if snippet.name not in about["stages"]]:
        raise SnippetError(f"the run in {run} has no {', '.join(missing)}: outputs are taken from a run of all stages")


def _taken_out(output: Output, file: str) -> dict[str, bytes]:
    """The picture of an output as a file, by its name, which takes its place in the output; none when it has none."""
    data = output.get("data", {})
    if PICTURE not in data:
        return {}
    picture = Image.open(io.BytesIO(base64.b64decode(data[PICTURE]))).convert("RGB")
    data[PICTURE] = {"file": file, "width": picture.width, "height": picture.height}
    smaller = io.BytesIO()
    picture.quantize(COLORS).save(smaller, "PNG", optimize=True)
    return {file: smaller.getvalue()}


def _write(file: Path, value: Mapping[str, Any]) -> None:
    file.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
