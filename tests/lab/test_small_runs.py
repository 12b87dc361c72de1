"""`./lab run` on small notebooks, with the real papermill and real kernels."""

import json
import re
from pathlib import Path

import pytest

from tests.lab.lab_runs import Ended, lab_run, loaded_from_elsewhere, processes_of, row, write_notebook

PASSING_STAGE = """from labkit import lab
with lab.stage("2_second") as stage:
    stage.check("one is one", 1 == 1, "count again")
    stage.check("two is two", 2 == 2, "count again")
"""


@pytest.fixture(scope="module")
def passed(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    folder = tmp_path_factory.mktemp("passed")
    notebooks = folder / "notebooks"
    diagram = "```mermaid\nflowchart LR\n  accDescr: from one to two\n  a[one] --> b[two]\n```"
    write_notebook(notebooks, "0_first", f"# First\n\n{diagram}", ("seconds = 60", "parameters"), "print(seconds * 2)")
    write_notebook(notebooks, "1_server", ("1 / 0", "chameleon"))
    write_notebook(
        notebooks,
        "2_second",
        ("1 / 0", "only-chameleon"),
        ("print('here')", "only-embedded only-compose"),
        PASSING_STAGE,
    )
    write_notebook(notebooks, "10_last", "import os\nprint(os.getcwd())")
    return lab_run(folder / "runs", "--notebooks", str(notebooks), "-p", "seconds=21")


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    folder = tmp_path_factory.mktemp("failed")
    notebooks = folder / "notebooks"
    broken = "def bake():\n    raise ValueError('the oven is off')\nbake()"
    write_notebook(notebooks, "2_kitchen", "# Kitchen", "print('in')", "## Baking", broken, "print('never')")
    write_notebook(notebooks, "3_table", "print('never either')")
    return lab_run(folder / "runs", "--notebooks", str(notebooks))


def test_the_table_tells_cells_and_checks(passed: Ended) -> None:
    assert passed.code == 0, passed.output
    assert row(passed.output, "0_first")[:2] == ["3", "none"]  # the injected parameters are a cell, too
    assert row(passed.output, "2_second")[:2] == ["2", "2 of 2"]
    assert float(row(passed.output, "2_second")[2]) > 0


def test_notebooks_run_in_the_order_of_their_numbers(passed: Ended) -> None:
    assert re.findall(r"^(\d+_\w+): \d", passed.output, flags=re.M) == ["0_first", "2_second", "10_last"]


def test_each_cell_has_a_line(passed: Ended) -> None:
    assert re.search(r"1/3 +First +\d+\.\d s", passed.output)
    assert re.search(r"2/2 +from labkit import lab +\d+\.\d s", passed.output)


def test_notebooks_and_cells_of_other_places_are_skipped_aloud(passed: Ended) -> None:
    assert "1_server: skipped, runs in Chameleon's Jupyter" in passed.output
    assert "skipped: 1 / 0 (belongs to another place)" in passed.output
    assert row(passed.output, "1_server") == ["skipped"]


def test_parameters_reach_the_notebook(passed: Ended) -> None:
    executed = json.loads((passed.folder / "0_first.ipynb").read_text())
    assert [cell["outputs"][0]["text"] for cell in executed["cells"] if cell.get("outputs")] == [["42\n"]]


def test_cells_run_in_the_folder_of_the_notebooks(passed: Ended) -> None:
    executed = json.loads((passed.folder / "10_last.ipynb").read_text())
    assert executed["cells"][0]["outputs"][0]["text"] == [f"{passed.runs.parent / 'notebooks'}\n"]


def test_the_report_links_each_page(passed: Ended) -> None:
    index = (passed.folder / "index.html").read_text()
    links = re.findall(r'href="([^"]+)"', index)
    assert links == ["0_first.html", "2_second.html", "10_last.html"]
    assert all((passed.folder / link).stat().st_size > 1000 for link in links)
    assert f"report: {passed.folder / 'index.html'}" in passed.output


def test_the_report_loads_nothing_from_other_hosts(passed: Ended) -> None:
    assert loaded_from_elsewhere(passed.folder) == []
    assert (passed.folder / "mermaid.min.js").stat().st_size > 1_000_000


@pytest.mark.parametrize(
    "piece",
    [
        '<script src="https://elsewhere.example/a.js"></script>',
        "<img src='//elsewhere.example/a.png'>",
        '<link rel="stylesheet" href="https://elsewhere.example/a.css">',
        "<style>@import 'https://elsewhere.example/a.css';</style>",
        "<style>b { background: url(https://elsewhere.example/a.png) }</style>",
        "<script>import('https://elsewhere.example/a.mjs')</script>",
    ],
)
def test_what_another_host_would_serve_is_noticed(tmp_path: Path, piece: str) -> None:
    page = tmp_path / "page.html"
    page.write_text('<a href="https://elsewhere.example/">a link to click on</a>')
    assert loaded_from_elsewhere(tmp_path) == []
    page.write_text(piece)
    assert loaded_from_elsewhere(tmp_path)


def test_a_failed_cell_ends_the_run(failed: Ended) -> None:
    assert failed.code == 1
    assert "3_table:" not in failed.output
    assert row(failed.output, "2_kitchen")[0] == "1 of 3"


def test_a_failure_names_stage_heading_cell_and_error(failed: Ended) -> None:
    assert "2_kitchen failed at cell 2/3, under the heading “Baking”." in failed.output
    assert "\nValueError: the oven is off\n" in failed.output
    assert "----> 3 bake()" in failed.output
    assert "the oven is off" in (failed.folder / "index.html").read_text()


def test_a_failure_is_shown_without_noise(failed: Ended) -> None:
    assert "\x1b" not in failed.output
    assert "papermill" not in failed.output.lower()
    assert "Traceback" not in failed.output


def test_an_unknown_parameter_is_refused_before_anything_runs(tmp_path: Path) -> None:
    write_notebook(tmp_path / "notebooks", "0_first", ("seconds = 60", "parameters"))
    ended = lab_run(tmp_path / "runs", "--notebooks", str(tmp_path / "notebooks"), "-p", "secnods=1")
    assert ended.code == 2
    assert "secnods: no such parameter in these notebooks; there is seconds" in ended.output
    assert not ended.runs.exists()


def test_nothing_is_left_running(passed: Ended, failed: Ended) -> None:
    assert processes_of(passed.runs) == []
    assert processes_of(failed.runs) == []
