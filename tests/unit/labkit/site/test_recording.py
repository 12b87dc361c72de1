import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest
from nbformat import v4
from PIL import Image

from labkit.book.errors import SnippetError
from labkit.book.snippets import parse
from labkit.site.record import Recorder, _is_widget
from labkit.site.recorded import Recording
from labkit.site.scrub import Scrubber
from tests.unit.labkit.book.small_lab import FRONT_MATTER

TEXT = """# Start

```{code-cell}
:tags: [node-data]
:id: prints

print("one")
```

```{code-cell}
:tags: [node-data]
:id: draws
:alt: "A plot: nothing to see."

plot()
```

```{code-cell}
:tags: [node-data, only-compose]
:id: elsewhere

print("docker")
```
"""
PASSWORD, TOKEN = "kJ3hWq9xT2mN", "A" * 20 + "-_" + "b" * 21


def picture() -> str:
    file = io.BytesIO()
    Image.new("RGB", (8, 4), "white").save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def run_of(folder: Path, text: str = TEXT, *, passed: bool = True) -> Path:
    """A run in which the cells of a snippet printed what must not get out."""
    snippet = parse("0_start", FRONT_MATTER + text)
    cells: list[Any] = [
        v4.new_code_cell(getattr(part, "source", ""), id=getattr(part, "identifier", None) or "text")
        for part in snippet.parts[1:]
    ]
    cells[0].outputs = [
        v4.new_output("stream", name="stdout", text=f"{PASSWORD} {TOKEN} {folder} http://127.0.0.1:5150/x {'b' * 64}\n")
    ]
    cells[1].outputs = [
        v4.new_output("display_data", {"image/png": picture(), "text/plain": "<Figure>", "application/x-own": "?"}),
        v4.new_output("execute_result", {"text/html": f"<b>{PASSWORD}</b>"}, execution_count=2),
    ]
    folder.mkdir(exist_ok=True)
    (folder / "0_start.ipynb").write_text(json.dumps(v4.new_notebook(cells=cells)))
    about = {
        "passed": passed,
        "started": "now",
        "place": "embedded",
        "python": "3",
        "machine": "m",
        "stages": {"0_start": 1.23},
    }
    (folder / "run.json").write_text(json.dumps(about))
    return folder


def recorded(tmp_path: Path, text: str = TEXT) -> Recording:
    run = run_of(tmp_path / "lab", text)
    scrubber = Scrubber(tmp_path / "lab", {"DB_PASSWORD": PASSWORD}, [5050], 100)
    Recorder(tmp_path / "outputs", scrubber).record([parse("0_start", FRONT_MATTER + text)], run)
    return Recording(tmp_path / "outputs")


def test_nothing_private_is_kept(tmp_path: Path) -> None:
    recording = recorded(tmp_path)
    said = recording.stage("0_start").cells["prints"].outputs[0]["text"]
    assert said == f"[DB_PASSWORD] [token] ~/lab http://127.0.0.1:5050/x {'b' * 64}\n"
    everything = "".join(file.read_text() for file in tmp_path.glob("outputs/*.json"))
    assert PASSWORD not in everything
    assert str(tmp_path) not in everything


def test_a_picture_is_a_file_and_comes_back(tmp_path: Path) -> None:
    recording = recorded(tmp_path)
    drawn, result = recording.stage("0_start").cells["draws"].outputs
    assert drawn["data"]["image/png"] == {"file": "0_start/draws-1.png", "width": 8, "height": 4}
    assert set(drawn["data"]) == {"image/png", "text/plain"}
    inside = base64.b64decode(recording.embedded(drawn)["data"]["image/png"])
    assert Image.open(io.BytesIO(inside)).size == (8, 4)
    assert recording.embedded(result) == result


def test_what_is_recorded_as_it_is_is_not_stale(tmp_path: Path) -> None:
    stage = recorded(tmp_path).stage("0_start")
    assert stage.seconds == 1.2
    assert list(stage.stale(parse("0_start", FRONT_MATTER + TEXT), "embedded")) == []


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('print("one")', 'print("two")', "the cell prints was changed"),
        (":id: prints", ":id: new", "the output of the cell new was never recorded"),
        (':alt: "A plot: nothing to see."\n', "", "the cell draws draws a picture"),
    ],
)
def test_a_changed_cell_is_stale(tmp_path: Path, right: str, wrong: str, said: str) -> None:
    changed = parse("0_start", FRONT_MATTER + TEXT.replace(right, wrong))
    stale = list(recorded(tmp_path).stage("0_start").stale(changed, "embedded"))
    assert [said in sentence for sentence in stale] == [True]


def test_a_run_of_other_code_is_stale_from_the_start(tmp_path: Path) -> None:
    run = run_of(tmp_path / "lab", TEXT.replace('print("one")', 'print("old")'))
    snippet = parse("0_start", FRONT_MATTER + TEXT)
    Recorder(tmp_path / "outputs", Scrubber(tmp_path, {}, [], 0)).record([snippet], run)
    stale = list(Recording(tmp_path / "outputs").stage("0_start").stale(snippet, "embedded"))
    assert stale == ["0_start: the cell prints was changed after its output was recorded"]


def test_a_stage_that_never_ran_is_said_once(tmp_path: Path) -> None:
    stale = list(Recording(tmp_path).stage("0_start").stale(parse("0_start", FRONT_MATTER + TEXT), "embedded"))
    assert stale == ["0_start: no outputs were ever recorded"]


def test_a_failed_run_and_one_of_some_stages_are_refused(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "outputs", Scrubber(tmp_path, {}, [], 0))
    snippet = parse("0_start", FRONT_MATTER + TEXT)
    with pytest.raises(SnippetError, match="failed"):
        recorder.record([snippet], run_of(tmp_path / "a", passed=False))
    with pytest.raises(SnippetError, match="has no 1_more"):
        recorder.record([snippet, parse("1_more", FRONT_MATTER + TEXT)], run_of(tmp_path / "b"))
    assert not (tmp_path / "outputs").exists()


def test_stages_for_the_portal_are_recorded_apart_and_the_others_stay(tmp_path: Path) -> None:
    recording = recorded(tmp_path)
    before = {file: file.read_bytes() for file in recording.folder.rglob("*") if file.is_file()}
    here = parse("0_start", FRONT_MATTER + TEXT)
    portal = parse("1_server", FRONT_MATTER + TEXT.replace("node-data", "chameleon").replace(", only-compose", ""))
    run = run_of(tmp_path / "lab", TEXT)
    executed = run / "0_start.ipynb"
    executed.rename(run / "1_server.ipynb")
    about = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(about | {"place": "look-alike", "stages": {"1_server": 9.0}}))
    Recorder(recording.folder, Scrubber(tmp_path, {}, [], 0)).record([here, portal], run)
    assert recording.stage("1_server").seconds == 9.0
    assert {file: file.read_bytes() for file in before} == before


def test_a_widget_is_left_out() -> None:
    view = "application/vnd.jupyter.widget-view+json"
    assert _is_widget({"data": {view: {}, "text/plain": "VBox(…)"}})
    assert not _is_widget({"data": {"text/plain": "1"}})
    assert not _is_widget({"name": "stdout", "text": "1"})
